#include "node/nodes_report.hpp"

#include <string_view>

#include "json/object_writer.hpp"

namespace fogctl {
namespace {

std::optional<double> seconds_of(const std::optional<Duration>& length) {
  return length ? std::optional(to_seconds(*length)) : std::nullopt;
}

void append_flag(ObjectWriter& writer, std::string_view name, bool flag) {
  writer.value(name, flag ? "true" : "false");
}

void append_error(ObjectWriter& writer, const PredictionError& error) {
  writer.count("tasks", error.tasks());
  writer.number("bias", to_seconds(error.bias()));
  writer.number("spread", to_seconds(error.spread()));
  writer.end();
}

void append_shadow(ObjectWriter& writer, std::string_view policy, const ShadowCounts& counts) {
  ObjectWriter shadow(writer.begin("shadow"));
  shadow.text("policy", policy);
  shadow.count("decisions", counts.decisions);
  shadow.count("differing", counts.differing);
  for (const Site site : {Site::here, Site::neighbour, Site::cloud}) {
    shadow.count(to_string(site), counts.sites[static_cast<std::size_t>(site)]);
  }
  shadow.count("nowhere", counts.nowhere);
  shadow.end();
}

/// How far predicted waits were from those that came.
void append_predictions(ObjectWriter& writer, const Predictions& predictions) {
  ObjectWriter all(writer.begin("predictions"));
  ObjectWriter here(all.begin("here"));
  append_error(here, predictions.here());
  ObjectWriter cloud(all.begin("cloud"));
  append_error(cloud, predictions.cloud());
  std::string& list = all.begin("by_task");
  list += '[';
  for (const auto& [name, error] : predictions.of_names()) {
    if (list.back() != '[') list += ',';
    ObjectWriter of_name(list);
    of_name.text("task_name", name);
    append_error(of_name, error);
  }
  list += ']';
  all.end();
}

void append_neighbour(std::string& out, const NodesReportInput::Known& known,
                      const Predictions* predictions, Instant now) {
  const Neighbour& neighbour = *known.neighbour;
  ObjectWriter writer(out);
  if (neighbour.who.is_original()) {
    writer.value("node", "null");
  } else {
    writer.text("node", neighbour.who.node);
  }
  writer.text("name", neighbour.who.name);
  writer.text("address", known.address);
  writer.number("waiting_time", seconds_of(neighbour.state.expected_wait));
  writer.number("link_delay", seconds_of(neighbour.delay));
  const auto age = neighbour.has_state ? std::optional(now - neighbour.state_at) : std::nullopt;
  writer.number("state_age", seconds_of(age));
  writer.count("handed", neighbour.handed);
  writer.count("taken", neighbour.taken);
  append_flag(writer, "original", neighbour.who.is_original());
  if (predictions != nullptr) {
    ObjectWriter error(writer.begin("prediction"));
    append_error(error, predictions->of_link(neighbour.link));
  }
  writer.end();
}

}  // namespace

std::string nodes_report(const NodesReportInput& input, Instant now) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("node", input.self.node);
  writer.text("name", input.self.name);
  writer.text("address", input.self.listen);
  writer.number("waiting_time", seconds_of(input.state.expected_wait));
  writer.count("workers", input.state.workers);
  append_flag(writer, "ready", input.is_ready);
  if (input.cloud) {
    ObjectWriter cloud(writer.begin("cloud"));
    cloud.text("address", input.cloud->address);
    cloud.number("link_delay", to_seconds(input.cloud->link_delay));
    append_flag(cloud, "original", input.cloud->is_original);
    cloud.end();
  } else {
    writer.value("cloud", "null");
  }
  writer.count("dropped_results", input.dropped_results);
  if (!input.shadow.empty()) append_shadow(writer, input.shadow, input.shadow_counts);
  if (input.predictions != nullptr) append_predictions(writer, *input.predictions);
  writer.begin("neighbours") += '[';
  for (const NodesReportInput::Known& known : input.neighbours) {
    if (out.back() != '[') out += ',';
    append_neighbour(out, known, input.predictions, now);
  }
  out += ']';
  return out.substr(1);  // the members without the brace
}

}  // namespace fogctl
