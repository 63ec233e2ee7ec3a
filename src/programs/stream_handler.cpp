#include "programs/stream_handler.hpp"

#include <optional>
#include <utility>

#include "base/log.hpp"
#include "programs/stream_pool.hpp"

namespace fogctl {
namespace {

HandlerOutcome run_in(StreamPool& pool, const TaskSpec& spec, const Task& task, const Run& run) {
  auto process = pool.take(run.stop, spec.timeout);
  if (!process) return std::unexpected(process.error());
  const StreamRules rules{spec.timeout, spec.kill_after, spec.limits.max_output};
  std::optional<StreamAnswer> talked;
  try {
    talked = (*process)->talk(task, run, rules);
  } catch (...) {
    pool.drop(std::move(*process), false);
    throw;
  }
  StreamAnswer& answer = *talked;
  if (answer.fault.empty()) {
    pool.put_back(std::move(*process));
  } else {
    log(LogLevel::warning, "process of '{}': {}; it is replaced", spec.name, answer.fault);
    pool.drop(std::move(*process), answer.is_broken);
  }
  return std::move(answer.outcome);
}

}  // namespace

Handler stream_handler(TaskSpec spec, std::shared_ptr<Keepers> keepers) {
  Handler handler;
  const auto pool = std::make_shared<StreamPool>(spec, std::move(keepers));
  handler.run = [pool, spec = std::move(spec)](const Task& task, const Run& run) {
    return run_in(*pool, spec, task, run);
  };
  return handler;
}

}  // namespace fogctl
