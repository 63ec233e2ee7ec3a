#include "queue/redis_health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <utility>

namespace fogctl {
namespace {

constexpr std::size_t most_pings = 200;
constexpr Duration most_ping_time = std::chrono::seconds(2);
constexpr Duration slow_round_trip = std::chrono::milliseconds(5);
constexpr double much_memory = 0.75;     // of what Redis may use: a warning
constexpr double no_memory_left = 0.95;  // a failure
constexpr std::array<int, 2> oldest_version = {6, 2};

/// KEYS[1] a key that nobody uses, in the default queue's slot. Writes it, removes it, reads the
/// server's clock: what the queue's scripts do. Returns the time.
constexpr const char* probe_script =
    "redis.call('SET', KEYS[1], '1', 'PX', 1000) "
    "redis.call('DEL', KEYS[1]) "
    "return redis.call('TIME')[1]";
constexpr const char* probe_key = "{fog}:redis-check";

constexpr std::array<const char*, 4> config_names = {"maxmemory-policy", "appendfsync", "save",
                                                     "stop-writes-on-bgsave-error"};

struct Subject {
  const RedisFacts& facts;
  const RedisAddress& address;

  [[nodiscard]] std::string info(const std::string& name) const {
    const auto found = facts.info.find(name);
    return found == facts.info.end() ? "" : found->second;
  }
  [[nodiscard]] std::optional<std::string> config(const std::string& name) const {
    const auto found = facts.config.find(name);
    return found == facts.config.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::uint64_t number(const std::string& name) const {
    const std::string text = info(name);
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  /// "redis-cli -h 10.0.0.7 -p 6380 config set …", to be pasted.
  [[nodiscard]] std::string config_set(std::string_view setting) const {
    const std::string where = address.socket_path.empty()
                                  ? fmt::format("-h {} -p {}", address.host, address.port)
                                  : fmt::format("-s {}", address.socket_path);
    return fmt::format("redis-cli {} config set {}", where, setting);
  }
};

Finding cannot_tell(std::string check, std::string_view command) {
  return {std::move(check), Verdict::warning,
          fmt::format("cannot tell: this Redis refuses {}", command),
          fmt::format("allow {} to this user, or ask whoever runs this Redis", command), false};
}

std::string bytes_text(std::uint64_t bytes) {
  const auto number = static_cast<double>(bytes);
  if (number >= 1024.0 * 1024 * 1024) return fmt::format("{:.1f} GiB", number / 0x1p30);
  return fmt::format("{:.1f} MiB", number / 0x1p20);
}

Finding check_version(const Subject& redis) {
  const std::string version = redis.info("redis_version");
  if (version.empty()) return cannot_tell("version", "INFO");
  std::array<int, 2> numbers{};
  const char* end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, numbers[0]);
  if (major.ptr != end && *major.ptr == '.') std::from_chars(major.ptr + 1, end, numbers[1]);
  if (numbers < oldest_version) {
    return {"version", Verdict::failure, fmt::format("{} is too old: 6.2 is needed", version),
            "install redis-server 6.2 or later (Debian 12 has 7.0)"};
  }
  return {"version", Verdict::ok, fmt::format("{} (6.2 or later is needed)", version), ""};
}

Finding check_role(const Subject& redis) {
  const std::string role = redis.info("role");
  if (role.empty()) return cannot_tell("role", "INFO");
  if (role == "master") return {"role", Verdict::ok, "a master", ""};
  const std::string master =
      fmt::format("{}:{}", redis.info("master_host"), redis.info("master_port"));
  return {
      "role", Verdict::failure,
      fmt::format("a replica of {}: it takes no tasks, and forgets what is written to it", master),
      fmt::format("use the master: --redis {}", master)};
}

Finding check_loading(const Subject& redis) {
  if (redis.facts.info.empty()) return cannot_tell("loading", "INFO");
  if (redis.info("loading") == "1") {
    return {"loading", Verdict::failure,
            fmt::format("is reading its data from disk ({} %)", redis.info("loading_loaded_perc")),
            "wait until it has, and check again"};
  }
  return {"loading", Verdict::ok, "has all its data", ""};
}

Finding check_cluster(const Subject& redis) {
  if (redis.facts.info.empty()) return cannot_tell("cluster", "INFO");
  if (redis.info("cluster_enabled") == "1") {
    const auto& cluster = redis.facts.cluster;
    const auto state = cluster.find("cluster_state");
    const auto masters = cluster.find("cluster_size");
    if (state == cluster.end() || masters == cluster.end()) {
      return cannot_tell("cluster", "CLUSTER INFO");
    }
    std::string found =
        fmt::format("a node of a cluster of {} masters; slot {} of the queue 'fog' is here",
                    masters->second, redis.facts.slot);
    if (state->second == "ok") return {"cluster", Verdict::ok, std::move(found), ""};
    return {"cluster", Verdict::failure,
            fmt::format("{}; the cluster's state is {}", found, state->second),
            "see which slots nobody serves: redis-cli --cluster check HOST:PORT"};
  }
  return {"cluster", Verdict::ok, "a server of its own", ""};
}

/// What to do about the first word of an error reply, which is Redis's code for it.
std::string script_advice(std::string_view code) {
  if (code == "NOPERM") return "allow this user what a queue needs: ACL SETUSER NAME ~* +@all";
  if (code == "READONLY") return "use the master";
  if (code == "MISCONF") return "repair what keeps Redis from writing to disk; see its log";
  if (code == "OOM") return "give Redis more memory: maxmemory";
  if (code == "MOVED" || code == "ASK") return "wait until the slot has moved, and check again";
  if (code == "CLUSTERDOWN") return "see which slots nobody serves: redis-cli --cluster check";
  return "the task queue's steps are scripts; allow EVAL, EVALSHA and SCRIPT";
}

Finding check_scripts(const Subject& redis) {
  const std::string& error = redis.facts.script_error;
  if (error.empty()) return {"scripts", Verdict::ok, "a script ran and wrote a key", ""};
  return {"scripts", Verdict::failure, fmt::format("a script that writes is refused: {}", error),
          script_advice(std::string_view(error).substr(0, error.find(' ')))};
}

Finding check_eviction(const Subject& redis) {
  constexpr const char* name = "maxmemory-policy";
  std::string policy = redis.info("maxmemory_policy");
  if (policy.empty()) policy = redis.config(name).value_or("");
  if (policy.empty()) return cannot_tell(name, "INFO and CONFIG");
  if (policy == "noeviction") {
    return {name, Verdict::ok, "noeviction: a full Redis refuses tasks and throws none away", ""};
  }
  const std::string advice = redis.config_set("maxmemory-policy noeviction");
  if (redis.number("maxmemory") == 0) {
    return {name, Verdict::warning,
            fmt::format("{}: harmless only as long as no maxmemory is set", policy), advice};
  }
  // Only the replies from one process to another carry a time to live.
  const char* what = policy.starts_with("volatile-") ? "results on their way" : "tasks";
  return {name, Verdict::failure, fmt::format("{}: a full Redis throws away {}", policy, what),
          advice};
}

/// Off is a warning and no failure: a fog without it works, and servers for development have none.
Finding check_append_only(const Subject& redis) {
  constexpr const char* name = "append-only file";
  if (redis.info("aof_enabled").empty()) return cannot_tell(name, "INFO");
  if (redis.info("aof_enabled") != "1") {
    const auto save = redis.config("save");
    std::string lost = "off: when Redis ends, accepted tasks are lost";
    if (save) lost += save->empty() ? " (all of them)" : " (all since its last snapshot)";
    return {name, Verdict::warning, std::move(lost),
            redis.config_set("appendonly yes") + " (and the same in redis.conf)"};
  }
  const auto fsync = redis.config("appendfsync");
  if (!fsync) return cannot_tell(name, "CONFIG (it is on, but how often is it synced?)");
  if (*fsync == "always") {
    return {name, Verdict::ok, "on, synced always: no accepted task is lost", ""};
  }
  if (*fsync == "everysec") {
    return {name, Verdict::ok,
            "on, synced every second: a power loss may take the tasks of the last 1 to 2 s", ""};
  }
  return {name, Verdict::warning,
          "on, never synced: a power loss may take the tasks of the last half minute",
          redis.config_set("appendfsync everysec")};
}

Finding check_last_write(const Subject& redis) {
  constexpr const char* name = "disk writes";
  if (redis.info("rdb_last_bgsave_status").empty()) return cannot_tell(name, "INFO");
  if (redis.info("aof_last_write_status") == "err") {
    return {name, Verdict::failure, "the last write to the append-only file failed",
            "look for a full disk and into Redis's log"};
  }
  if (redis.info("rdb_last_bgsave_status") == "err") {
    const bool stops = redis.config("stop-writes-on-bgsave-error").value_or("yes") == "yes";
    return {name, stops ? Verdict::failure : Verdict::warning,
            fmt::format("the last snapshot failed{}", stops ? ": Redis may refuse tasks" : ""),
            "look for a full disk or too little memory to fork, and into Redis's log"};
  }
  if (redis.info("aof_last_bgrewrite_status") == "err") {
    return {name, Verdict::warning, "the last rewrite of the append-only file failed: it grows",
            "look for a full disk or too little memory to fork, and into Redis's log"};
  }
  return {name, Verdict::ok, "the last ones worked", ""};
}

Finding check_memory(const Subject& redis) {
  constexpr const char* name = "memory";
  const std::uint64_t used = redis.number("used_memory");
  const std::uint64_t most = redis.number("maxmemory");
  const std::uint64_t host = redis.number("total_system_memory");
  if (used == 0) return cannot_tell(name, "INFO");
  const bool beyond = most > host && host > 0;
  const std::uint64_t limit = most > 0 && !beyond ? most : host;
  if (limit == 0) return {name, Verdict::ok, fmt::format("{} used", bytes_text(used)), ""};
  const double share = static_cast<double>(used) / static_cast<double>(limit);
  const std::string amount = fmt::format("{} used of {} ({})", bytes_text(used), bytes_text(limit),
                                         most > 0 && !beyond ? "maxmemory" : "the host's memory");
  const std::string advice = "a larger maxmemory or host, or a smaller --max-queued-bytes";
  if (share >= no_memory_left) return {name, Verdict::failure, amount + ": no room", advice};
  if (share >= much_memory) return {name, Verdict::warning, amount + ": little room", advice};
  if (beyond) {
    return {name, Verdict::warning,
            fmt::format("{}; maxmemory {} is more than there is", amount, bytes_text(most)),
            redis.config_set(fmt::format("maxmemory {}", host / 2))};
  }
  return {name, Verdict::ok, amount, ""};
}

Finding check_round_trip(const Subject& redis) {
  constexpr const char* name = "round trip";
  const auto& lengths = redis.facts.round_trips;
  const Duration p99 = percentile(lengths, 99);
  std::string text =
      fmt::format("p50 {}, p99 {} of {} PINGs", format_duration(percentile(lengths, 50)),
                  format_duration(p99), lengths.size());
  if (p99 <= slow_round_trip) return {name, Verdict::ok, std::move(text), ""};
  return {name, Verdict::warning, text + ": each task waits for two or more of them",
          "a Redis nearer by or on a machine less busy"};
}

using Check = Finding (*)(const Subject&);
constexpr Check checks[] = {check_version, check_role,      check_loading,     check_cluster,
                            check_scripts, check_eviction,  check_append_only, check_last_write,
                            check_memory,  check_round_trip};

/// What a node of a cluster knows of the whole of it.
Result<void> read_cluster(RedisConnection& redis, RedisFacts& facts) {
  const auto enabled = facts.info.find("cluster_enabled");
  if (enabled == facts.info.end() || enabled->second != "1") return {};
  const auto info = redis.call({"CLUSTER", "INFO"});
  if (!info) return std::unexpected(info.error());
  if (!info->is_error()) facts.cluster = parse_redis_info(info->text());
  const auto slot = redis.call({"CLUSTER", "KEYSLOT", probe_key});
  if (!slot) return std::unexpected(slot.error());
  facts.slot = std::to_string(slot->integer());
  return {};
}

/// What it says of itself and of its settings, in one round trip.
Result<RedisFacts> read_itself(RedisConnection& redis) {
  redis.append({"INFO"}, RedisArguments());
  for (const char* name : config_names) redis.append({"CONFIG", "GET", name}, RedisArguments());
  RedisFacts facts;
  const auto info = redis.read();
  if (!info) return std::unexpected(info.error());
  if (!info->is_error()) facts.info = parse_redis_info(info->text());
  for (const char* name : config_names) {
    const auto reply = redis.read();
    if (!reply) return std::unexpected(reply.error());
    if (reply->size() == 2) facts.config[name] = std::string((*reply)[1].text());
  }
  return facts;
}

/// The three commands that run scripts, as the queue uses them.
Result<void> try_scripts(RedisConnection& redis, RedisFacts& facts) {
  auto reply = redis.call({"EVAL", probe_script, "1", probe_key});
  if (reply && !reply->is_error()) reply = redis.call({"SCRIPT", "LOAD", probe_script});
  if (reply && !reply->is_error()) {
    const std::string digest(reply->text());
    reply = redis.call({"EVALSHA", digest, "1", probe_key});
  }
  if (!reply) return std::unexpected(reply.error());
  if (reply->is_error()) facts.script_error = std::string(reply->text());
  return {};
}

Result<void> measure_round_trips(RedisConnection& redis, const Clock& clock, RedisFacts& facts) {
  const Instant end = clock.now() + most_ping_time;
  Instant before = clock.now();
  while (facts.round_trips.size() < most_pings && before < end) {
    const auto reply = redis.call({"PING"});
    if (!reply) return std::unexpected(reply.error());
    const Instant after = clock.now();
    facts.round_trips.push_back(after - before);
    before = after;
  }
  return {};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  constexpr std::array<std::string_view, 3> names = {"ok", "warning", "failure"};
  return names[static_cast<std::size_t>(verdict)];
}

std::map<std::string, std::string> parse_redis_info(std::string_view text) {
  std::map<std::string, std::string> info;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    info.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return info;
}

Result<RedisFacts> collect_redis_facts(RedisConnection& redis, const Clock& clock) {
  auto facts = read_itself(redis);
  if (!facts) return facts;
  if (const auto read = read_cluster(redis, *facts); !read) return std::unexpected(read.error());
  if (const auto tried = try_scripts(redis, *facts); !tried) return std::unexpected(tried.error());
  const auto measured = measure_round_trips(redis, clock, *facts);
  if (!measured) return std::unexpected(measured.error());
  return facts;
}

Result<std::vector<Finding>> find_losses(RedisConnection& redis, const RedisAddress& address) {
  const auto facts = read_itself(redis);
  if (!facts) return std::unexpected(facts.error());
  return judge_losses(*facts, address);
}

std::vector<Finding> judge_losses(const RedisFacts& facts, const RedisAddress& address) {
  const Subject subject{facts, address};
  std::vector<Finding> losses;
  if (auto found = check_eviction(subject); found.verdict == Verdict::failure) {
    losses.push_back(std::move(found));
  }
  auto found = check_append_only(subject);
  if (found.verdict != Verdict::ok && found.is_told) losses.push_back(std::move(found));
  return losses;
}

std::vector<Finding> judge_redis(const RedisFacts& facts, const RedisAddress& address) {
  std::vector<Finding> findings = {
      {"reachable", Verdict::ok, fmt::format("{} answers", address.display()), ""},
      {"authentication", Verdict::ok,
       address.password.empty() ? "none is asked for" : "the password is right", ""}};
  const Subject subject{facts, address};
  for (const Check check : checks) findings.push_back(check(subject));
  return findings;
}

std::vector<Finding> judge_unreachable_redis(const Error& error, const RedisAddress& address) {
  if (!is_transient(error)) {
    return {{"reachable", Verdict::ok, fmt::format("{} answers", address.display()), ""},
            {"authentication", Verdict::failure, error.message,
             "give the password in the file that --redis-password-file names, or in "
             "FOGCTL_REDIS_PASSWORD (and --redis-user, where it is not the default user's)"}};
  }
  if (!address.sentinels.empty()) {
    return {{"master", Verdict::failure, error.message,
             "start the sentinels and the master that they watch: redis-cli -p PORT sentinel "
             "masters"}};
  }
  const std::string start =
      address.socket_path.empty()
          ? fmt::format("redis-server --port {}", address.port)
          : fmt::format("redis-server --port 0 --unixsocket {}", address.socket_path);
  return {{"reachable", Verdict::failure, error.message,
           fmt::format("where there is none, start one (apt-get install redis-server): {} "
                       "--appendonly yes --maxmemory-policy noeviction; where it says why it "
                       "cannot serve, mend that or wait",
                       start)}};
}

Verdict worst(const std::vector<Finding>& findings) {
  Verdict verdict = Verdict::ok;
  for (const Finding& finding : findings) verdict = std::max(verdict, finding.verdict);
  return verdict;
}

Duration percentile(std::vector<Duration> lengths, double percent) {
  if (lengths.empty()) return Duration::zero();
  std::ranges::sort(lengths);
  const double rank = std::ceil(percent / 100 * static_cast<double>(lengths.size()));
  return lengths[std::clamp<std::size_t>(static_cast<std::size_t>(rank), 1, lengths.size()) - 1];
}

}  // namespace fogctl
