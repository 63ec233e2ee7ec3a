#include "node/kinds_report.hpp"

#include <map>
#include <optional>

#include "json/object_writer.hpp"

namespace fogctl {
namespace {

struct InMesh {
  TaskClass weight = TaskClass::light;
  double time_of_runs = 0;  // s, each node's estimate times its runs
  std::uint64_t runs = 0;
  std::vector<std::string> nodes;
};

void append(std::string& out, const std::string& name, const InMesh& task) {
  ObjectWriter writer(out);
  writer.text("task_name", name);
  writer.text("class", to_string(task.weight));
  const auto runs = static_cast<double>(task.runs);
  writer.number("time", task.runs > 0 ? std::optional(task.time_of_runs / runs) : std::nullopt);
  writer.count("runs", task.runs);
  std::string& nodes = writer.begin("nodes");
  nodes += '[';
  for (const std::string& node : task.nodes) {
    if (nodes.back() != '[') nodes += ',';
    json::append_string(nodes, node);
  }
  nodes += ']';
  writer.end();
}

}  // namespace

std::string kinds_report(const std::vector<NodeKinds>& nodes) {
  std::map<std::string, InMesh> tasks;
  for (const NodeKinds& node : nodes) {
    for (const TaskKind& kind : node.kinds) {
      InMesh& task = tasks[kind.name];
      if (task.nodes.empty()) task.weight = kind.weight;
      task.nodes.push_back(node.name);
      task.runs += kind.runs;
      if (kind.time) task.time_of_runs += to_seconds(*kind.time) * static_cast<double>(kind.runs);
    }
  }
  std::string out = "[";
  for (const auto& [name, task] : tasks) {
    if (out.back() != '[') out += ',';
    append(out, name, task);
  }
  out += ']';
  return out;
}

}  // namespace fogctl
