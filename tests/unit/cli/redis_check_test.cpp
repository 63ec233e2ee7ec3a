// The judgements behind `fogctl redis-check`: INFO in, findings out.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "queue/redis_health.hpp"

namespace fogctl {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

constexpr const char* healthy_info =
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n"
    "# Memory\r\nused_memory:1048576\r\ntotal_system_memory:8589934592\r\nmaxmemory:0\r\n"
    "maxmemory_policy:noeviction\r\n"
    "# Persistence\r\nloading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:1\r\n"
    "aof_last_bgrewrite_status:ok\r\naof_last_write_status:ok\r\n"
    "# Replication\r\nrole:master\r\n# Cluster\r\ncluster_enabled:0\r\n";

RedisFacts healthy() {
  RedisFacts facts;
  facts.info = parse_redis_info(healthy_info);
  facts.config = {{"maxmemory-policy", "noeviction"}, {"appendfsync", "everysec"}, {"save", ""}};
  facts.round_trips.assign(200, std::chrono::microseconds(80));
  return facts;
}

Finding finding_of(const RedisFacts& facts, const std::string& check) {
  const auto findings = judge_redis(facts, RedisAddress{});
  const auto found = std::ranges::find(findings, check, &Finding::check);
  REQUIRE(found != findings.end());
  return *found;
}

struct Case {
  const char* name;
  const char* check;
  Members info;
  Members config;
  Verdict verdict;
  const char* says;
};

const Case cases[] = {
    {"a version too old", "version", {{"redis_version", "6.0.16"}}, {}, Verdict::failure, "6.0.16"},
    {"the oldest version", "version", {{"redis_version", "6.2.0"}}, {}, Verdict::ok, "6.2.0"},
    {"a version of two digits", "version", {{"redis_version", "10.1"}}, {}, Verdict::ok, "10.1"},
    {"a version that is none", "version", {{"redis_version", "x"}}, {}, Verdict::failure, "x"},
    {"a replica",
     "role",
     {{"role", "slave"}, {"master_host", "10.0.0.7"}, {"master_port", "6379"}},
     {},
     Verdict::failure,
     "a replica of 10.0.0.7:6379"},
    {"loading",
     "loading",
     {{"loading", "1"}, {"loading_loaded_perc", "40"}},
     {},
     Verdict::failure,
     "40 %"},
    {"a node of a cluster that would not tell",
     "cluster",
     {{"cluster_enabled", "1"}},
     {},
     Verdict::warning,
     "CLUSTER INFO"},
    {"keys are evicted",
     "maxmemory-policy",
     {{"maxmemory_policy", "allkeys-lru"}, {"maxmemory", "1073741824"}},
     {},
     Verdict::failure,
     "throws away tasks"},
    {"keys would be evicted",
     "maxmemory-policy",
     {{"maxmemory_policy", "allkeys-lru"}},
     {},
     Verdict::warning,
     "no maxmemory"},
    {"keys that expire are evicted",
     "maxmemory-policy",
     {{"maxmemory_policy", "volatile-ttl"}, {"maxmemory", "1073741824"}},
     {},
     Verdict::failure,
     "results on their way"},
    {"the policy is known from CONFIG alone",
     "maxmemory-policy",
     {{"maxmemory_policy", ""}},
     {},
     Verdict::ok,
     "noeviction"},
    {"no append-only file, no snapshots",
     "append-only file",
     {{"aof_enabled", "0"}},
     {},
     Verdict::warning,
     "all of them"},
    {"no append-only file, snapshots",
     "append-only file",
     {{"aof_enabled", "0"}},
     {{"save", "3600 1"}},
     Verdict::warning,
     "last snapshot"},
    {"synced every second", "append-only file", {}, {}, Verdict::ok, "1 to 2 s"},
    {"synced always",
     "append-only file",
     {},
     {{"appendfsync", "always"}},
     Verdict::ok,
     "no accepted task is lost"},
    {"synced never",
     "append-only file",
     {},
     {{"appendfsync", "no"}},
     Verdict::warning,
     "half minute"},
    {"the file cannot be written",
     "disk writes",
     {{"aof_last_write_status", "err"}},
     {},
     Verdict::failure,
     "append-only file failed"},
    {"the snapshot failed",
     "disk writes",
     {{"rdb_last_bgsave_status", "err"}},
     {},
     Verdict::failure,
     "may refuse tasks"},
    {"the snapshot failed and nothing stops",
     "disk writes",
     {{"rdb_last_bgsave_status", "err"}},
     {{"stop-writes-on-bgsave-error", "no"}},
     Verdict::warning,
     "snapshot failed"},
    {"the rewrite failed",
     "disk writes",
     {{"aof_last_bgrewrite_status", "err"}},
     {},
     Verdict::warning,
     "it grows"},
    {"little memory under maxmemory",
     "memory",
     {{"used_memory", "800"}, {"maxmemory", "1000"}},
     {},
     Verdict::warning,
     "maxmemory"},
    {"no memory under maxmemory",
     "memory",
     {{"used_memory", "950"}, {"maxmemory", "1000"}},
     {},
     Verdict::failure,
     "no room"},
    {"little memory on the host",
     "memory",
     {{"used_memory", "7000000000"}},
     {},
     Verdict::warning,
     "the host's memory"},
    {"maxmemory beyond the host's",
     "memory",
     {{"maxmemory", "17179869184"}},
     {},
     Verdict::warning,
     "more than there is"},
};

TEST_CASE("what a Redis tells is judged") {
  for (const Case& test : cases) {
    CAPTURE(test.name);
    RedisFacts facts = healthy();
    for (const auto& [name, value] : test.info) facts.info[name] = value;
    for (const auto& [name, value] : test.config) facts.config[name] = value;
    const Finding finding = finding_of(facts, test.check);
    CHECK(to_string(finding.verdict) == to_string(test.verdict));
    CHECK(finding.meaning.find(test.says) != std::string::npos);
    CHECK(finding.advice.empty() == (test.verdict == Verdict::ok));
  }
}

TEST_CASE("a healthy Redis has nothing to mend") {
  const auto findings = judge_redis(healthy(), RedisAddress{});
  CHECK(findings.size() == 12);
  for (const Finding& finding : findings) {
    CAPTURE(finding.check);
    CHECK(finding.verdict == Verdict::ok);
    CHECK(finding.advice.empty());
  }
  CHECK(worst(findings) == Verdict::ok);
}

TEST_CASE("a Redis that tells nothing is worth warnings, not failures") {
  RedisFacts facts;
  facts.round_trips.assign(3, std::chrono::microseconds(80));
  const auto findings = judge_redis(facts, RedisAddress{});
  CHECK(worst(findings) == Verdict::warning);
  for (const char* check : {"version", "role", "maxmemory-policy", "append-only file", "memory"}) {
    CAPTURE(check);
    CHECK(finding_of(facts, check).meaning.starts_with("cannot tell: this Redis refuses"));
  }
  RedisFacts without_config = healthy();
  without_config.config.clear();
  CHECK(finding_of(without_config, "append-only file").verdict == Verdict::warning);
  CHECK(finding_of(without_config, "maxmemory-policy").verdict == Verdict::ok);
}

TEST_CASE("a Redis that does not tell of its snapshots is not said to make none") {
  RedisFacts facts = healthy();
  facts.info["aof_enabled"] = "0";
  facts.config.erase("save");
  const Finding finding = finding_of(facts, "append-only file");
  CHECK(finding.verdict == Verdict::warning);
  CHECK(finding.meaning == "off: when Redis ends, accepted tasks are lost");
}

TEST_CASE("what loses accepted tasks is found, and nothing else") {
  const auto losses_with = [](const Members& info) {
    RedisFacts facts = healthy();
    facts.info["used_memory"] = "8589934592";  // bad, but loses nothing
    for (const auto& [name, value] : info) facts.info[name] = value;
    std::vector<std::string> checks;
    for (const Finding& loss : judge_losses(facts, RedisAddress{})) checks.push_back(loss.check);
    return checks;
  };
  using Checks = std::vector<std::string>;
  CHECK(losses_with({}).empty());
  CHECK(losses_with({{"maxmemory_policy", "allkeys-lru"}}).empty());
  CHECK(losses_with({{"maxmemory_policy", "allkeys-lru"}, {"maxmemory", "1073741824"}}) ==
        Checks{"maxmemory-policy"});
  CHECK(losses_with({{"aof_enabled", "0"}}) == Checks{"append-only file"});
  CHECK(judge_losses(RedisFacts{}, RedisAddress{}).empty());
}

TEST_CASE("a refused script is a failure with advice by Redis's code for it") {
  RedisFacts facts = healthy();
  facts.script_error = "READONLY You can't write against a read only replica.";
  CHECK(finding_of(facts, "scripts").verdict == Verdict::failure);
  CHECK(finding_of(facts, "scripts").meaning.find("READONLY") != std::string::npos);
  CHECK(finding_of(facts, "scripts").advice == "use the master");
  facts.script_error = "NOPERM this user has no permissions to run the 'eval' command";
  CHECK(finding_of(facts, "scripts").advice.find("ACL SETUSER") != std::string::npos);
}

TEST_CASE("one slow round trip in fifty is a warning") {
  RedisFacts facts = healthy();
  facts.round_trips[7] = facts.round_trips[8] = std::chrono::milliseconds(9);
  CHECK(finding_of(facts, "round trip").verdict == Verdict::ok);
  facts.round_trips[9] = std::chrono::milliseconds(9);
  CHECK(finding_of(facts, "round trip").verdict == Verdict::warning);
  CHECK(finding_of(facts, "round trip").meaning.starts_with("p50 80us, p99 9ms of 200 PINGs"));
}

TEST_CASE("an absent Redis and a wrong password are told apart") {
  RedisAddress address;
  address.port = 6380;
  const auto absent = judge_unreachable_redis({ErrorCode::unavailable, "refused"}, address);
  REQUIRE(absent.size() == 1);
  CHECK(absent[0].check == "reachable");
  CHECK(absent[0].verdict == Verdict::failure);
  CHECK(absent[0].advice.find("redis-server --port 6380") != std::string::npos);
  address.socket_path = "/run/r.sock";
  const auto locked = judge_unreachable_redis({ErrorCode::unauthorized, "WRONGPASS"}, address);
  REQUIRE(locked.size() == 2);
  CHECK(locked[0].verdict == Verdict::ok);
  CHECK(locked[1].check == "authentication");
  CHECK(locked[1].meaning == "WRONGPASS");
  CHECK(worst(locked) == Verdict::failure);
}

TEST_CASE("an advice can be pasted") {
  RedisFacts facts = healthy();
  facts.info["aof_enabled"] = "0";
  RedisAddress address;
  address.socket_path = "/run/r.sock";
  const auto findings = judge_redis(facts, address);
  const auto found = std::ranges::find(findings, "append-only file", &Finding::check);
  REQUIRE(found != findings.end());
  CHECK(found->advice.starts_with("redis-cli -s /run/r.sock config set appendonly yes"));
}

TEST_CASE("INFO is read line by line, whatever ends the lines") {
  const auto info = parse_redis_info("# Server\r\na:1\r\n\r\nb:x:y\nnothing\nc:");
  CHECK(info.size() == 3);
  CHECK(info.at("a") == "1");
  CHECK(info.at("b") == "x:y");
  CHECK(info.at("c").empty());
  CHECK(parse_redis_info("").empty());
}

TEST_CASE("percentiles are by nearest rank") {
  using std::chrono::milliseconds;
  const std::vector<Duration> lengths = {milliseconds(3), milliseconds(1), milliseconds(2)};
  CHECK(percentile(lengths, 50) == milliseconds(2));
  CHECK(percentile(lengths, 99) == milliseconds(3));
  CHECK(percentile(lengths, 0) == milliseconds(1));
  CHECK(percentile({}, 50) == Duration::zero());
}

}  // namespace
}  // namespace fogctl
