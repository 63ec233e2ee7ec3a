// Writes down what a node does, for people and for fogctl simulate: fogctl-trace(5).
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "node/line_writer.hpp"
#include "scheduling/decision_watch.hpp"
#include "wire/trace_lines.hpp"

namespace fogctl {

class TraceRecorder final : public DecisionWatch {
 public:
  /// Appends to the file at `path`. `node`: this one's name. Error: why it cannot be written.
  [[nodiscard]] static Result<std::unique_ptr<TraceRecorder>> open(std::string path,
                                                                   std::string node,
                                                                   const Clock& clock);
  /// First: who writes from now on. Any thread, as all below.
  void on_node(const wire::TraceNode& node);
  void on_arrival(const Task& task, Instant now) override;
  void on_placed(const Decision& decision, const NeighbourIdentity* to) override;
  void on_ended(const TaskResult& result, const TaskEnding& ending, Instant now) override;
  /// A worker of this process begins it.
  void on_started(const Task& task);
  /// All that was told is in the file, or lost; what comes later is. The owner's thread.
  void close() { writer_->close(); }

 private:
  TraceRecorder(std::unique_ptr<LineWriter> writer, std::string node, const Clock& clock);
  [[nodiscard]] wire::TraceHead head(Instant now) const;

  const std::unique_ptr<LineWriter> writer_;
  const std::string node_;
  const Clock& clock_;
  // The wall clock may be set while the node runs; the lines' times go on.
  const WallTime wall_begin_;
  const Instant begin_;
};

}  // namespace fogctl
