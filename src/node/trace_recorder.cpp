#include "node/trace_recorder.hpp"

#include <utility>

namespace fogctl {

Result<std::unique_ptr<TraceRecorder>> TraceRecorder::open(std::string path, std::string node,
                                                           const Clock& clock) {
  LineWriterOptions options;
  options.path = std::move(path);
  auto writer = LineWriter::open(std::move(options));
  if (!writer) return std::unexpected(writer.error());
  return std::unique_ptr<TraceRecorder>(
      new TraceRecorder(std::move(*writer), std::move(node), clock));
}

TraceRecorder::TraceRecorder(std::unique_ptr<LineWriter> writer, std::string node,
                             const Clock& clock)
    : writer_(std::move(writer)),
      node_(std::move(node)),
      clock_(clock),
      wall_begin_(clock.wall_now()),
      begin_(clock.now()) {}

wire::TraceHead TraceRecorder::head(Instant now) const {
  return {wall_begin_ + (now - begin_), node_};
}

void TraceRecorder::on_node(const wire::TraceNode& node) {
  std::string line;
  wire::append_trace_node(line, head(clock_.now()), node);
  writer_->add(line);
}

void TraceRecorder::on_arrival(const Task& task, Instant now) {
  std::string line;
  wire::append_trace_arrival(line, head(now), task);
  writer_->add(line);
}

void TraceRecorder::on_placed(const Decision& decision, const NeighbourIdentity* to) {
  const Choice& choice = decision.choice;
  wire::TracePlacement placement;
  if (choice.is_somewhere) placement.site = to_string(choice.site);
  if (choice.site == Site::here) placement.name = node_;
  if (choice.site == Site::cloud) placement.name = "cloud";
  if (to != nullptr) placement.name = to->name.empty() ? to->id() : to->name;
  placement.expected_wait = decision.expected;
  placement.reason = choice.reason;
  std::string line;
  wire::append_trace_placement(line, head(decision.at), decision.uid.text(), placement);
  writer_->add(line);
}

void TraceRecorder::on_ended(const TaskResult& result, const TaskEnding& ending, Instant now) {
  std::string line;
  wire::append_trace_end(line, head(now), result, {ending.waited, ending.is_in_time});
  writer_->add(line);
}

void TraceRecorder::on_started(const Task& task) {
  std::string line;
  wire::append_trace_start(line, head(clock_.now()), task);
  writer_->add(line);
}

}  // namespace fogctl
