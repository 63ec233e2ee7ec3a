#include "work/handlers.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace fogctl {
namespace {

Task task_named(const char* name) {
  Task task;
  task.name = name;
  return task;
}

TEST_CASE("A task's handler runs with the task, and what it returns is the outcome") {
  HandlerTable table;
  table.add("twice", {TaskClass::medium, [](const Task& task, const Run&) {
                        return HandlerOutcome(task.content + task.content);
                      }});
  Task task = task_named("twice");
  task.content = "12";
  CHECK(table.run(task, {}) == "1212");
  REQUIRE(table.find("twice") != nullptr);
  CHECK(table.find("twice")->weight == TaskClass::medium);
}

TEST_CASE("A task without a handler is unknown, and the message names it") {
  const HandlerTable table;
  CHECK(table.find("twice") == nullptr);
  const auto outcome = table.run(task_named("twice"), {});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == TaskErrorCode::unknown_task);
  CHECK(outcome.error().message.find("'twice'") != std::string::npos);
}

TEST_CASE("Whatever a handler throws is a failed task") {
  struct Row {
    const char* name;
    Handler handler;
    const char* says;
  };
  const Row rows[] = {
      {"an exception",
       {TaskClass::light,
        [](const Task&, const Run&) -> HandlerOutcome {
          throw std::runtime_error("no more paper");
        }},
       "handler 'throws': no more paper"},
      {"something else",
       {TaskClass::light, [](const Task&, const Run&) -> HandlerOutcome { throw 5; }},
       "handler 'throws' threw what is no error"},
      {"nothing to run at all", {TaskClass::light, {}}, "handler 'throws': "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    HandlerTable table;
    table.add("throws", row.handler);
    const auto outcome = table.run(task_named("throws"), {});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == TaskErrorCode::task_failed);
    CHECK(outcome.error().message.starts_with(row.says));
  }
}

TEST_CASE("A handler's own error passes as it is") {
  HandlerTable table;
  const RunFailure error{TaskErrorCode::timed_out, "too slow"};
  table.add("fails", {TaskClass::light, [&](const Task&, const Run&) -> HandlerOutcome {
                        return std::unexpected(error);
                      }});
  const auto outcome = table.run(task_named("fails"), {});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error() == error);
}

TEST_CASE("A handler of the same name replaces the one before") {
  HandlerTable table;
  for (const char* text : {"1", "2"}) {
    table.add("same",
              {TaskClass::light, [text](const Task&, const Run&) { return HandlerOutcome(text); }});
  }
  CHECK(table.run(task_named("same"), {}) == "2");
}

}  // namespace
}  // namespace fogctl
