#include "wire/trace_lines.hpp"

#include <doctest/doctest.h>

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

const TraceHead head{WallTime{} + 1'764'366'650s + 250ms, "fog-1"};

TraceLine read(const std::string& line) {
  CHECK(line.ends_with("}\n"));
  json::Object scratch;
  auto read = parse_trace_line(line, scratch);
  REQUIRE(read);
  CHECK(read->at == 1'764'366'650.25);
  CHECK(read->node == "fog-1");
  return std::move(*read);
}

TEST_CASE("What was written of a node is read back") {
  std::string line;
  append_trace_node(line, head, {.policy = "original", .workers = 4, .sharing_interval = 500ms});
  const TraceLine node = read(line);
  CHECK(node.event == TraceLine::Event::node);
  CHECK(node.workers == 4);
  CHECK(node.sharing_interval == 500ms);
  CHECK_FALSE(node.is_cloud);
  line.clear();
  append_trace_node(line, head, {.policy = "original", .is_cloud = true});
  CHECK(read(line).is_cloud);
}

TEST_CASE("What was written of a task's way is read back") {
  Task task;
  task.uid = "a-1";
  task.name = "resize";
  task.weight = TaskClass::medium;
  task.time_requirement = 200ms;
  task.waited = 3ms;
  task.offload_times = 1;
  task.max_offload = 2;
  task.cloud_processing = true;
  std::string line;
  append_trace_arrival(line, head, task);
  const TraceLine arrival = read(line);
  CHECK(arrival.event == TraceLine::Event::arrival);
  CHECK(arrival.task.uid == "a-1");
  CHECK(arrival.task.name == "resize");
  CHECK(arrival.task.weight == TaskClass::medium);
  CHECK(arrival.task.time_requirement == 200ms);
  CHECK(arrival.task.waited == 3ms);
  CHECK(arrival.task.offload_times == 1);
  CHECK(arrival.task.max_offload == 2);
  CHECK(arrival.task.cloud_processing);

  line.clear();
  append_trace_placement(line, head, "a-1", {"neighbour", "two", 1ms, "why"});
  CHECK(read(line).event == TraceLine::Event::placement);
  line.clear();
  append_trace_placement(line, head, "a-1", {});
  CHECK(line.find(R"("site":null,"to":null,"expected_wait":null)") != std::string::npos);
  CHECK(read(line).task.uid == "a-1");
  line.clear();
  append_trace_start(line, head, task);
  CHECK(read(line).event == TraceLine::Event::start);

  TaskResult result;
  result.uid = "a-1";
  result.node = "two";
  result.execution_time = 12ms;
  line.clear();
  append_trace_end(line, head, result, {5ms, true});
  CHECK(line.find(R"("ran_at":"two")") != std::string::npos);
  CHECK(line.find(R"("waited":0.005,"in_time":true)") != std::string::npos);
  CHECK(read(line).execution_time == 12ms);
  result.error = TaskError{TaskErrorCode::overloaded, "full"};
  line.clear();
  append_trace_end(line, head, result, {});
  CHECK(line.find(R"("error":"overloaded")") != std::string::npos);
  CHECK_FALSE(read(line).execution_time);
}

TEST_CASE("A line that is broken is refused, naming what is wrong") {
  struct Row {
    const char* line;
    const char* says;
  };
  const Row rows[] = {
      {"", "empty"},
      {"{\"event\":\"arrival\",\"at\":1", ""},
      {"[1]", ""},
      {"{}", "field 'event': missing"},
      {R"({"event":"party","at":1,"node":"a"})", "field 'event': expected"},
      {R"({"event":"arrival","at":-1,"node":"a"})", "field 'at': expected"},
      {R"({"event":"arrival","at":1e300,"node":"a"})", "field 'at': expected"},
      {R"({"event":"node","at":1,"node":"a","workers":1025})", "field 'workers': expected"},
      {R"({"event":"arrival","at":1,"node":"a b"})", "field 'node': expected"},
      {R"({"event":"arrival","at":1,"node":"a"})", "field 'task_uid': missing"},
      {R"({"event":"arrival","at":1,"node":"a","task_uid":"u"})", "field 'task_name': missing"},
      {R"({"event":"arrival","at":1,"node":"a","task_uid":"u","task_name":"light"})",
       "field 'time_requirement': missing"},
      {R"({"event":"end","at":1,"node":"a","task_uid":"u","execution_time":-1})",
       "field 'execution_time': expected"},
      {R"({"event":"end","at":1,"node":"a","task_uid":"u","execution_time":1e300})",
       "field 'execution_time': expected"},
      {R"({"event":"end","at":1,"node":"a","task_uid":"u"})", "field 'execution_time': missing"},
  };
  json::Object scratch;
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const auto read = parse_trace_line(row.line, scratch);
    REQUIRE_FALSE(read);
    if (std::string_view(row.says) != "empty") {
      CHECK(read.error().message.find(row.says) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace fogctl::wire
