#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "json/json.hpp"
#include "work/handlers.hpp"

namespace fogctl {
namespace {

HandlerOutcome run(const char* name, const std::string& content, const std::stop_token& stop = {},
                   std::uint32_t attempt = 1) {
  static const HandlerTable table = built_in_handlers();
  Task task;
  task.name = name;
  task.content = content;
  return table.run(task, {stop, attempt, nullptr});
}

TEST_CASE("The original workloads give what Python gives, whatever the content") {
  CHECK(run("light", "1") == "3");
  CHECK(run("medium", "null") == "3");
  CHECK(run("heavy", "{\"a\":[]}") == "3");
  CHECK(run("add", "1") == "1");
}

TEST_CASE("A whole power that is to stop is not computed to its end") {
  for (const char* name : {"light", "medium", "heavy", "add"}) {
    CAPTURE(name);
    std::stop_source source;
    source.request_stop();
    const auto outcome = run(name, "1", source.get_token());
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == TaskErrorCode::cancelled);
  }
}

TEST_CASE("sleep says how much of its time is over, every 100 ms") {
  static const HandlerTable table = built_in_handlers();
  Task task;
  task.name = "sleep";
  task.content = "0.25";
  std::vector<double> shares;
  const auto note = [&](double share) { shares.push_back(share); };
  CHECK(table.run(task, {{}, 1, note}) == "0.25");
  REQUIRE_FALSE(shares.empty());  // after 100 and 200 ms; a busy machine may miss one
  CHECK(shares.front() >= 0.4);
  CHECK(std::ranges::is_sorted(shares));
  CHECK(shares.back() <= 1);
}

TEST_CASE("Each handler has the class of a task that does not say") {
  const HandlerTable table = built_in_handlers();
  struct Row {
    const char* name;
    TaskClass weight;
  };
  constexpr Row rows[] = {{"light", TaskClass::light}, {"medium", TaskClass::medium},
                          {"heavy", TaskClass::heavy}, {"add", TaskClass::light},
                          {"echo", TaskClass::light},  {"sleep", TaskClass::light},
                          {"sum", TaskClass::light},   {"mean", TaskClass::light}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    REQUIRE(table.find(row.name) != nullptr);
    CHECK(table.find(row.name)->weight == row.weight);
  }
  CHECK(table.find("rm") == nullptr);
}

TEST_CASE("echo gives back its content to the byte") {
  for (const std::string content :
       {"null", "{\"a\": 1.10 }", "[1,\n2]", "\"\xc3\xa9{\"", "1795412135.51897031"}) {
    CHECK(run("echo", content) == content);
  }
}

TEST_CASE("sum and mean of an array of numbers") {
  CHECK(run("sum", "[1, 2.5, -3e1]") == "-26.5");
  CHECK(run("sum", "[]") == "0");
  CHECK(run("mean", "[1, 2, 6]") == "3");
  CHECK(run("mean", "[5]") == "5");
}

struct BadRow {
  const char* task;
  const char* content;
  TaskErrorCode code;
};

constexpr BadRow bad_rows[] = {
    {"sum", "1", TaskErrorCode::invalid_task},
    {"sum", "null", TaskErrorCode::invalid_task},
    {"sum", "[1,\"2\"]", TaskErrorCode::invalid_task},
    {"sum", "[[1]]", TaskErrorCode::invalid_task},
    {"sum", "[1e999]", TaskErrorCode::invalid_task},
    {"sum", "[1e308,1e308]", TaskErrorCode::invalid_task},
    {"mean", "[]", TaskErrorCode::invalid_task},
    {"mean", "{}", TaskErrorCode::invalid_task},
    {"mean", "[1e308,1e308]", TaskErrorCode::invalid_task},
    {"sleep", "-1", TaskErrorCode::invalid_task},
    {"sleep", "\"1\"", TaskErrorCode::invalid_task},
    {"sleep", "1e999", TaskErrorCode::invalid_task},
    {"sleep", "86401", TaskErrorCode::invalid_task},
    {"sleep", "null", TaskErrorCode::invalid_task},
};

TEST_CASE("Content that a handler cannot use is an error which names the field") {
  for (const BadRow& row : bad_rows) {
    CAPTURE(row.task);
    CAPTURE(row.content);
    const auto outcome = run(row.task, row.content);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == row.code);
    CHECK(outcome.error().message.starts_with("field 'content': "));
  }
}

TEST_CASE("What a handler returns is JSON") {
  for (const char* content : {"[0.1, 0.2]", "[1e-320]", "[1e308]", "[-0.0]"}) {
    CAPTURE(content);
    CHECK(json::check_value(run("sum", content).value()));
    CHECK(json::check_value(run("mean", content).value()));
  }
}

TEST_CASE("sleep of no time is over at once, and gives back its content") {
  CHECK(run("sleep", "0") == "0");
  CHECK(run("sleep", "0.001") == "0.001");
}

TEST_CASE("sleep ends early when it is asked to stop, and has then not done its work") {
  std::stop_source source;
  SUBCASE("before it began") {
    source.request_stop();
  }
  SUBCASE("while it sleeps") {}
  const std::jthread stopper([&] { source.request_stop(); });
  const auto outcome = run("sleep", "86400", source.get_token());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == TaskErrorCode::cancelled);
}

}  // namespace
}  // namespace fogctl
