// fogctl redis-check: tells whether a Redis can carry a fog.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/counted.hpp"
#include "base/time.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "json/json.hpp"
#include "queue/redis_connection.hpp"
#include "queue/redis_health.hpp"
#include "queue/redis_route.hpp"
#include "queue/redis_sentinel.hpp"

namespace fogctl::cli {
namespace {

struct RedisCheckOptions {
  RedisFlags redis;
  bool json = false;
};

struct Report {
  std::string address;
  std::vector<Finding> findings;
  std::vector<Duration> round_trips;
};

/// What each sentinel says; they should agree.
Finding survey_sentinels(const RedisAddress& address) {
  std::string answers;
  std::vector<RedisEndpoint> masters;
  std::size_t silent = 0;
  for (const RedisEndpoint& sentinel : address.sentinels) {
    const auto named = ask_sentinel(sentinel, address, RedisTimeouts{});
    answers += fmt::format("{}{}: {}", answers.empty() ? "" : "; ", to_string(sentinel),
                           named ? to_string(*named) : named.error().message);
    if (!named) ++silent;
    if (named && std::ranges::find(masters, *named) == masters.end()) masters.push_back(*named);
  }
  const std::string meaning = fmt::format("master {}, by {}", address.master, answers);
  if (masters.empty()) {
    return {"sentinels", Verdict::failure, meaning, "start them, or name others with --redis"};
  }
  if (silent == 0 && masters.size() == 1) return {"sentinels", Verdict::ok, meaning, ""};
  return {"sentinels", Verdict::warning, meaning,
          masters.size() > 1 ? "they disagree: a failover may be under way; check again"
                             : "start those that do not answer: a failover needs most of them"};
}

/// Asks the server that the queue `fog` has its keys at, which in a cluster another one tells.
Result<RedisFacts> collect_where_the_queue_is(RedisRoute& route, RedisSession& session) {
  constexpr int most_hops = 5;
  auto facts = collect_redis_facts(*session.connection, SystemClock());
  for (int hop = 0; facts && hop < most_hops; ++hop) {
    const auto redirect = parse_redirect(facts->script_error);
    if (!redirect || redirect->is_ask) break;
    route.follow(*redirect, session);
    auto next = route.open();
    if (!next) return std::unexpected(next.error());
    session = std::move(*next);
    facts = collect_redis_facts(*session.connection, SystemClock());
  }
  return facts;
}

/// An Error here is one that a person must mend before anything can be checked.
Result<Report> examine(const RedisFlags& flags) {
  const auto address = redis_address(flags);
  if (!address) return std::unexpected(address.error());
  Report report{address->display(), {}, {}};
  const auto add = [&](const std::vector<Finding>& findings) {
    report.findings.insert(report.findings.end(), findings.begin(), findings.end());
  };
  if (!address->sentinels.empty()) add({survey_sentinels(*address)});
  RedisRoute route(*address, RedisTimeouts{});
  auto session = route.open();
  if (!session) {
    add(judge_unreachable_redis(session.error(), *address));
    return report;
  }
  auto facts = collect_where_the_queue_is(route, *session);
  if (!facts) {
    const Error lost{facts.error().code, fmt::format("lost redis {} while it was asked: {}",
                                                     route.display(), facts.error().message)};
    add(judge_unreachable_redis(lost, *address));
    return report;
  }
  add(judge_redis(*facts, session->server));
  report.round_trips = std::move(facts->round_trips);
  return report;
}

std::string colour(Verdict verdict) {
  const bool is_wanted = std::getenv("NO_COLOR") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  if (!is_wanted || isatty(STDOUT_FILENO) == 0) return "";
  constexpr const char* codes[] = {"\033[32m", "\033[33m", "\033[31m"};
  return codes[static_cast<std::size_t>(verdict)];
}

std::string conclusion(const Report& report) {
  const auto count = [&](Verdict verdict) {
    return std::ranges::count(report.findings, verdict, &Finding::verdict);
  };
  const auto failures = count(Verdict::failure);
  const auto warnings = count(Verdict::warning);
  return fmt::format("{} {} carry a fog: {}, {}", report.address, failures == 0 ? "can" : "cannot",
                     counted(failures, "failure"), counted(warnings, "warning"));
}

void print_lines(const Report& report) {
  std::size_t width = 0;
  for (const Finding& finding : report.findings) width = std::max(width, finding.check.size());
  for (const Finding& finding : report.findings) {
    const std::string start = colour(finding.verdict);
    fmt::print("{}{:<7}{}  {:<{}}  {}\n", start, to_string(finding.verdict),
               start.empty() ? "" : "\033[0m", finding.check, width, finding.meaning);
    if (!finding.advice.empty()) fmt::print("{:<{}}  {}\n", "", width + 9, finding.advice);
  }
  fmt::print("{}\n", conclusion(report));
}

void append_member(std::string& out, const char* name, std::string_view text) {
  out += fmt::format("\"{}\":", name);
  json::append_string(out, text);
}

void print_json(const Report& report) {
  std::string out = "{";
  append_member(out, "address", report.address);
  append_member(out += ',', "verdict", to_string(worst(report.findings)));
  if (!report.round_trips.empty()) {
    out += fmt::format(",\"round_trip_p50_ms\":{:.3f},\"round_trip_p99_ms\":{:.3f}",
                       to_seconds(percentile(report.round_trips, 50)) * 1e3,
                       to_seconds(percentile(report.round_trips, 99)) * 1e3);
  }
  out += ",\"checks\":[";
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const Finding& finding = report.findings[i];
    append_member(out += i == 0 ? "{" : ",{", "check", finding.check);
    append_member(out += ',', "verdict", to_string(finding.verdict));
    append_member(out += ',', "meaning", finding.meaning);
    append_member(out += ',', "advice", finding.advice);
    out += '}';
  }
  fmt::print("{}]}}\n", out);
}

CommandResult run_redis_check(const RedisCheckOptions& options) {
  const auto report = examine(options.redis);
  if (!report) return std::unexpected(CommandFailure{exit_code::failed, report.error().message});
  if (options.json) print_json(*report);
  if (!options.json) print_lines(*report);
  return worst(report->findings) == Verdict::failure ? exit_code::failed : exit_code::ok;
}

}  // namespace

Run add_redis_check(CLI::App& command) {
  auto options = std::make_shared<RedisCheckOptions>();
  add_redis_flags(command, options->redis);
  command.add_flag("--json", options->json, "print one JSON object");
  add_example(command,
              "fogctl redis-check --port 6380\n"
              "fogctl redis-check --redis 10.0.0.7:6379 --redis-password-file /etc/fog/password\n"
              "fogctl redis-check --redis sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster");
  return [options] { return run_redis_check(*options); };
}

}  // namespace fogctl::cli
