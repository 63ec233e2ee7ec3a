#include "scheduling/original_peer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "wire/messages.hpp"

namespace fogctl {
namespace {

Task task_named(const char* name) {
  Task task;
  task.name = name;
  return task;
}

TEST_CASE("An original peer runs light, medium and heavy, and nothing else") {
  CHECK(original_peer_takes(task_named("light")));
  CHECK(original_peer_takes(task_named("medium")));
  CHECK(original_peer_takes(task_named("heavy")));
  CHECK_FALSE(original_peer_takes(task_named("add")));
  CHECK_FALSE(original_peer_takes(task_named("echo")));
  CHECK_FALSE(original_peer_takes(task_named("Light")));
}

TEST_CASE("It is the task's name that counts, not its class") {
  Task task = task_named("echo");
  task.weight = TaskClass::heavy;
  CHECK_FALSE(original_peer_takes(task));
}

/// Everything beside what `original_peer_takes` is asked about is at its longest.
std::size_t written_size(Task task) {
  task.uid = std::string(64, 'u');
  task.weight = TaskClass::medium;
  task.name = "medium";
  task.max_offload = task.offload_times = 1'000'000'000;
  task.estimated_queuing_time = -std::numeric_limits<double>::max();
  task.estimated_execution_time = -std::numeric_limits<double>::min();
  task.waited = Duration::max();
  task.process_by = "cloud";
  std::string out;
  wire::append_task(out, task, "-9223372036854775808");
  return out.size();
}

void check_bound(const char* what, void (*grow)(Task&, std::size_t)) {
  CAPTURE(what);
  for (std::size_t size = 0; size < 1400; ++size) {
    Task task = task_named("medium");
    grow(task, size);
    if (!original_peer_takes(task)) {
      CHECK(size > 5);
      return;
    }
    REQUIRE(written_size(task) <= 1400);
  }
  FAIL("it takes any size");
}

TEST_CASE("What an original peer is given is never longer than 1,400 bytes as it is written") {
  check_bound("content", [](Task& task, std::size_t size) {
    task.content = '"' + std::string(size, 'x') + '"';
  });
  check_bound("content that is escaped", [](Task& task, std::size_t size) {
    task.content = '"' + std::string(size, '{') + '"';
  });
  check_bound("content beyond ASCII", [](Task& task, std::size_t size) {
    task.content = "\"";
    for (std::size_t i = 0; i < size; ++i) task.content += "\xc3\xa9";
    task.content += '"';
  });
  check_bound("addresses",
              [](Task& task, std::size_t size) { task.offloading_fog.assign(size, "10.0.0.1"); });
  check_bound("unknown fields", [](Task& task, std::size_t size) {
    task.other_fields.assign(size, {"\xc3\xa9{", "\"\xf0\x9f\x8c\xab\""});
  });
  check_bound("a requirement of many digits", [](Task& task, std::size_t size) {
    task.time_requirement_text = "0." + std::string(size, '2');
  });
  check_bound("an instant of many digits", [](Task& task, std::size_t size) {
    task.sending_time = "1." + std::string(size, '2');
    task.distribution_time = "1." + std::string(size / 2, '2');
  });
}

}  // namespace
}  // namespace fogctl
