#include "queue/record.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/random.hpp"

namespace fogctl {
namespace {

Task full_task() {
  Task task;
  task.uid = "uid\0with zero";
  task.uid_chosen = true;
  task.name = "matrix";
  task.weight = TaskClass::heavy;
  task.content = R"({"n": [1, 2, "\u00e9"]})";
  task.cloud_processing = true;
  task.exclusive = task.is_copy = true;
  task.time_requirement = Duration(123'456'789);
  task.max_offload = -1;
  task.offload_times = 3;
  task.max_attempts = 7;
  task.offloading_fog = {"n1", "", "n3"};
  task.offloading_nodes = {"00ff", "ff00"};
  task.waited = Duration(-5);
  task.time_requirement_text = "0.123456789";
  task.sending_time = "1700000000.1234567";
  task.distribution_time = "1e3";
  task.estimated_queuing_time = 0.1;
  task.estimated_execution_time = -1e300;
  task.process_by = "cloud";
  task.other_fields = {{"a", "null"}, {"", "{\"deep\": []}"}};
  return task;
}

TaskResult full_result() {
  return {.uid = "u",
          .content = "[1]",
          .error = TaskError{TaskErrorCode::unauthorized, "no"},
          .execution_time = Duration(7),
          .queuing_time = Duration(8),
          .node = "n"};
}

template <typename T>
std::string record_of(const T& value) {
  std::string record;
  append_record(record, value);
  return record;
}

}  // namespace

TEST_CASE("record: a task comes back with every field") {
  const Task task = full_task();
  const auto back = read_task(record_of(task));
  REQUIRE(back.has_value());
  const Task& read = **back;
  CHECK(read.uid == task.uid);
  CHECK(read.uid_chosen == task.uid_chosen);
  CHECK(read.name == task.name);
  CHECK(read.weight == task.weight);
  CHECK(read.content == task.content);
  CHECK(read.cloud_processing == task.cloud_processing);
  CHECK(read.exclusive);
  CHECK(read.is_copy);
  CHECK(read.time_requirement == task.time_requirement);
  CHECK(read.max_offload == task.max_offload);
  CHECK(read.offload_times == task.offload_times);
  CHECK(read.offloading_fog == task.offloading_fog);
  CHECK(read.max_attempts == task.max_attempts);
  CHECK(read.offloading_nodes == task.offloading_nodes);
  CHECK(read.waited == task.waited);
  CHECK(read.time_requirement_text == task.time_requirement_text);
  CHECK(read.sending_time == task.sending_time);
  CHECK(read.distribution_time == task.distribution_time);
  CHECK(read.estimated_queuing_time == task.estimated_queuing_time);
  CHECK(read.estimated_execution_time == task.estimated_execution_time);
  CHECK(read.process_by == task.process_by);
  CHECK(read.other_fields == task.other_fields);
}

TEST_CASE("record: a result comes back with every field") {
  CHECK(read_result(record_of(full_result())) == full_result());
  TaskResult plain;
  plain.uid = "u";
  CHECK(read_result(record_of(plain)) == plain);
}

TEST_CASE("record: of a result in base64 too; of another it is as it was before there were any") {
  TaskResult bytes = full_result();
  bytes.is_base64 = true;
  CHECK(read_result(record_of(bytes)) == bytes);
  CHECK(record_size(bytes) == record_of(bytes).size());
  CHECK(record_of(bytes)[0] == 2);
  CHECK(record_of(full_result())[0] == 1);
}

TEST_CASE("record: how far a task is comes back, and nothing else does for it") {
  const auto read = read_progress(progress_record({"u1", 0.25, "holder"}));
  REQUIRE(read);
  CHECK(read->uid == "u1");
  CHECK(read->share == 0.25);
  CHECK_FALSE(read_progress(progress_record({"u1", 1.5, ""})));
  CHECK_FALSE(read_progress(progress_record({"u1", std::nan(""), ""})));
  CHECK_FALSE(read_progress(progress_record({"u1", 0.5, ""}) + "x"));
  CHECK_FALSE(read_progress(""));
  CHECK_FALSE(read_progress(record_of(full_result())));
}

TEST_CASE("record: the size is known beforehand") {
  CHECK(record_size(full_task()) == record_of(full_task()).size());
  CHECK(record_size(Task{}) == record_of(Task{}).size());
  CHECK(record_size(full_result()) == record_of(full_result()).size());
  CHECK(record_size(TaskResult{}) == record_of(TaskResult{}).size());
}

TEST_CASE("record: what is cut short or has more behind it is refused") {
  const std::string task = record_of(full_task());
  for (std::size_t size = 0; size < task.size(); ++size) {
    CHECK_FALSE(read_task(std::string_view(task).substr(0, size)).has_value());
  }
  CHECK_FALSE(read_task(task + "x").has_value());
  const std::string result = record_of(full_result());
  for (std::size_t size = 0; size < result.size(); ++size) {
    CHECK_FALSE(read_result(std::string_view(result).substr(0, size)).has_value());
  }
  CHECK_FALSE(read_result(result + "x").has_value());
  CHECK_FALSE(read_result(task).has_value());
}

TEST_CASE("record: garbage is read or refused, but never trusted") {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string record = i % 2 == 0 ? record_of(full_task()) : record_of(full_result());
    const auto changes = 1 + random.below(4);
    for (std::uint64_t k = 0; k < changes; ++k) {
      record[random.below(record.size())] = static_cast<char>(random.below(256));
    }
    static_cast<void>(read_task(record));
    static_cast<void>(read_result(record));
  }
}

TEST_CASE("record: the digest tells names and contents apart, and nothing else") {
  const auto digest = [](std::string name, std::string content) {
    Task task;
    task.name = std::move(name);
    task.content = std::move(content);
    return content_digest(task);
  };
  Task other = full_task();
  other.uid = "another";
  other.waited = Duration(99);
  CHECK(content_digest(other) == content_digest(full_task()));
  CHECK(digest("ab", "c") != digest("a", "bc"));
  CHECK(digest("a", "") != digest("", "a"));
  CHECK(digest("a", std::string(8, '\0')) != digest("a", std::string(9, '\0')));
  CHECK(digest("a", "12345678") != digest("a", "12345679"));
  // Stored by one machine and compared by another, of any version: it must never change.
  CHECK(digest("light", "[1, 2, 3]") == 15988948411884519784U);
}

}  // namespace fogctl
