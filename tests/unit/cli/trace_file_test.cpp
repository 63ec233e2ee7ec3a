#include "cli/trace_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "sim/trace.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl::cli {
namespace {

using namespace std::chrono_literals;

struct TraceFile {
  explicit TraceFile(const std::string& text) : path(folder.path().string() + "/trace") {
    std::ofstream(path) << text;
  }
  ScratchFolder folder;
  std::string path;
};

std::string arrival(const std::string& node, const std::string& uid, double at,
                    const std::string& name = "light") {
  return fmt::format(R"({{"event":"arrival","at":{},"node":"{}","task_uid":"{}","task_name":"{}",)"
                     R"("time_requirement":0.2}})"
                     "\n",
                     at, node, uid, name);
}

std::string end(const std::string& uid, const std::string& execution) {
  return fmt::format(R"({{"event":"end","at":9,"node":"x","task_uid":"{}","execution_time":{}}})"
                     "\n",
                     uid, execution);
}

TEST_CASE("Tasks are read by arrival, with how long they ran, at the node where they came first") {
  const TraceFile file(
      R"({"event":"node","at":1,"node":"one","policy":"original","workers":3,"sharing_interval":2})"
      "\n"
      R"({"event":"node","at":1,"node":"cloud","policy":"original","workers":64,"cloud":true})"
      "\n"
      R"({"event":"node","at":1,"node":"idle","policy":"original","workers":2,"cloud":false})"
      "\n" +
      arrival("two", "b", 102.5) + end("a", "0.004") + arrival("two", "a", 101.001) +
      arrival("one", "a", 101) + end("b", "0.1"));
  const auto trace = read_trace(file.path);
  REQUIRE(trace);
  CHECK(trace->workers == 3);
  CHECK(trace->sharing_interval == 2s);
  CHECK(trace->nodes == std::vector<std::string>{"one", "two"});
  CHECK(trace->fog_nodes == 3);
  REQUIRE(trace->tasks.size() == 2);
  CHECK(trace->tasks[0].arrival == sim::start_of_time);
  CHECK(trace->tasks[0].node == 0);
  CHECK(trace->tasks[0].execution == 4ms);
  CHECK(trace->tasks[0].requirement == 200ms);
  CHECK(trace->tasks[1].arrival == sim::start_of_time + 1500ms);
  CHECK(trace->tasks[1].node == 1);
  CHECK(trace->guessed == 0);
}

TEST_CASE("A task that did not end takes as long as others of its name, else of its class") {
  const TraceFile file(arrival("one", "a", 1, "x") + arrival("one", "b", 2, "x") +
                       arrival("one", "c", 3, "x") + arrival("one", "d", 4, "y") + end("a", "0.1") +
                       end("b", "0.3") + end("c", "null"));
  const auto trace = read_trace(file.path);
  REQUIRE(trace);
  REQUIRE(trace->tasks.size() == 4);
  CHECK(trace->tasks[2].execution == 200ms);
  CHECK(trace->tasks[3].execution == 200ms);
  CHECK(trace->guessed == 2);
}

TEST_CASE("A broken line is told by file and line") {
  const TraceFile file(arrival("one", "a", 1) + end("a", "0.1") + R"({"event":"arr)");
  const auto trace = read_trace(file.path);
  REQUIRE_FALSE(trace);
  CHECK(trace.error().message.starts_with(file.path + ":3: "));
}

TEST_CASE("A file without tasks, or none at all, is told") {
  const TraceFile empty("");
  CHECK(read_trace(empty.path).error().code == ErrorCode::invalid);
  const TraceFile unknown(arrival("one", "a", 1));
  CHECK(read_trace(unknown.path).error().message.find("no task in it") != std::string::npos);
  for (const std::string& path : {empty.path + "no", empty.folder.path().string()}) {
    const auto trace = read_trace(path);
    REQUIRE_FALSE(trace);
    CHECK(trace.error().message.find("cannot read trace " + path) != std::string::npos);
  }
}

}  // namespace
}  // namespace fogctl::cli
