#include "task/task.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("A name is 1 to 64 letters, digits, underscores, dots and hyphens") {
  struct Row {
    const char* what;
    std::string name;
    bool is_valid;
  };
  const Row rows[] = {
      {"one letter", "a", true},
      {"every kind of character", "AZaz09_.-", true},
      {"64 of them", std::string(64, 'x'), true},
      {"65 of them", std::string(65, 'x'), false},
      {"empty", "", false},
      {"a space", "a b", false},
      {"a slash", "a/b", false},
      {"a colon, which keys in Redis are cut at", "a:b", false},
      {"a brace, which is Redis' hash tag", "a{b}", false},
      {"a line break", "a\n", false},
      {"a null byte", std::string("a\0b", 3), false},
      {"a letter beyond ASCII", "\xc3\xa9", false},
      {"the byte behind 'z'", "{", false},
      {"the byte before 'A'", "@", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(is_valid_name(row.name) == row.is_valid);
  }
}

TEST_CASE("Classes and error codes are known by their names of the protocol, and by no others") {
  CHECK(to_string(TaskClass::light) == "light");
  CHECK(to_string(TaskClass::medium) == "medium");
  CHECK(to_string(TaskClass::heavy) == "heavy");
  for (const TaskClass weight : task_classes) {
    CHECK(parse_task_class(to_string(weight)) == weight);
  }
  CHECK_FALSE(parse_task_class("huge"));
  CHECK_FALSE(parse_task_class("Light"));
  CHECK_FALSE(parse_task_class(""));

  constexpr const char* names[] = {"unknown_task", "invalid_task", "task_failed", "timed_out",
                                   "expired",      "cancelled",    "overloaded",  "unavailable",
                                   "unplaceable",  "unauthorized"};
  for (const char* name : names) {
    CAPTURE(name);
    const auto code = parse_task_error_code(name);
    REQUIRE(code);
    CHECK(to_string(*code) == name);
  }
  CHECK_FALSE(parse_task_error_code("lost"));
}

TEST_CASE("A task starts in time until its requirement, less what it has waited, is over") {
  struct Row {
    const char* what;
    Duration requirement;
    Duration waited;
    Instant expected;
  };
  const Instant arrival(100s);
  const Row rows[] = {
      {"not waited yet", 5s, 0s, Instant(105s)},
      {"waited elsewhere", 5s, 2s, Instant(103s)},
      {"waited for all of it", 5s, 5s, Instant(100s)},
      {"waited for too long", 5s, 50s, Instant(100s)},
      {"no time at all", 0s, 0s, Instant(100s)},
      {"as long as can be", Duration::max(), 0s, Instant::max()},
      {"nearly as long", Duration::max() - 100s, 0s, Instant::max()},
      {"just not too long", Duration::max() - 101s, 0s, Instant::max() - 1s},
      {"waited as long as can be", Duration::max(), Duration::max(), Instant(100s)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Task task;
    task.time_requirement = row.requirement;
    task.waited = row.waited;
    CHECK(start_by(task, arrival) == row.expected);
  }
}

TEST_CASE("A task that says nothing has the protocol's defaults") {
  const Task task;
  CHECK(task.content == "null");
  CHECK(task.time_requirement == 10000s);
  CHECK(task.time_requirement_text == "10000");
  CHECK(task.max_offload == 4);
  CHECK(task.offload_times == 0);
  CHECK(task.process_by == "f");
  CHECK_FALSE(task.cloud_processing);
}

}  // namespace
}  // namespace fogctl
