// Runs one leased task, and decides what becomes of it: a result, another try later, or the dead
// set. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>

#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "work/handlers.hpp"

namespace fogctl {

struct RunRules {
  std::string node_name;  // goes into results
  /// A task whose runs began so often, and failed or lost their worker, is dead.
  std::uint32_t max_attempts = 3;
  /// The pause after the first failed run of a task; each further one doubles it, up to a minute.
  Duration retry_delay = std::chrono::milliseconds(500);
  /// Bytes of a result's content, as JSON: what peers and the queue take. A longer one fails.
  std::size_t max_content = std::numeric_limits<std::size_t>::max();
};

/// What came of a run.
struct EndedRun {
  Finished finished;
  std::optional<Instant> retry_at;  // it failed, and is tried again
  bool counts = true;               // as an attempt; false: it was put off until then
};

class TaskRunner {
 public:
  /// Handlers and clock outlive it.
  TaskRunner(const Handlers& handlers, const Clock& clock, RunRules rules);

  /// `begin`: now. `stop` asks the handler to end early, which says by `progress` how far it is.
  [[nodiscard]] EndedRun run(Lease lease, Instant begin, std::stop_token stop,
                             std::function<void(double share)> progress) const;

 private:
  [[nodiscard]] std::uint32_t most_attempts(const Task& task, const Handler* handler) const;
  [[nodiscard]] std::optional<Instant> retry_at(const Lease& lease, std::uint32_t most,
                                                Instant now) const;

  const Handlers& handlers_;
  const Clock& clock_;
  const RunRules rules_;
};

}  // namespace fogctl
