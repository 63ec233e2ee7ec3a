#include "programs/once_handler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "programs/run_program.hpp"
#include "programs/task_program.hpp"

namespace fogctl {
namespace {

std::unexpected<RunFailure> fail(TaskErrorCode code, std::string why, bool is_for_good) {
  return std::unexpected(RunFailure{code, std::move(why), is_for_good});
}

std::string with_errors(std::string what, const ProgramRun& run) {
  const std::string errors = last_lines(run.errors);
  return errors.empty() ? what : fmt::format("{}: {}", what, errors);
}

HandlerOutcome outcome_of(const TaskSpec& spec, const ProgramRun& run) {
  const ChildExit& exit = run.exit;
  switch (run.cut) {
    case Cut::timed_out:
      return fail(TaskErrorCode::timed_out,
                  with_errors(fmt::format("'{}' did not end within {}", spec.command.front(),
                                          format_duration(spec.timeout)),
                              run),
                  true);
    case Cut::stopped:
      return fail(TaskErrorCode::cancelled, "stopped before it had ended", true);
    case Cut::output:
      return fail(TaskErrorCode::task_failed,
                  fmt::format("'{}' wrote more than {} bytes (max_output)", spec.command.front(),
                              spec.limits.max_output),
                  true);
    case Cut::none:
      break;
  }
  if (!exit.limit.empty()) {
    return fail(TaskErrorCode::task_failed,
                fmt::format("'{}' was killed: {}", spec.command.front(), exit.limit), true);
  }
  if (exit.code == 0 && exit.signal == 0 && !exit.is_lost) {
    auto content = output_content(run.output, spec.output);
    if (content) return content;
    return fail(TaskErrorCode::task_failed,
                fmt::format("'{}': {}", spec.command.front(), content.error().message), true);
  }
  const bool may_go_better =
      exit.signal != 0 || exit.is_lost ||
      std::ranges::find(spec.retry_exit_codes, exit.code) != spec.retry_exit_codes.end();
  return fail(
      TaskErrorCode::task_failed,
      with_errors(fmt::format("'{}' failed: {}", spec.command.front(), describe(exit)), run),
      !may_go_better);
}

class OnceHandler {
 public:
  OnceHandler(TaskSpec spec, std::shared_ptr<Keepers> keepers)
      : spec_(std::move(spec)), keepers_(std::move(keepers)), program_(program_of(spec_)) {}

  HandlerOutcome operator()(const Task& task, const Run& run) const {
    const auto input = input_bytes(task, spec_.input);
    if (!input) return std::unexpected(input.error());
    ChildSpec program = program_;
    add_task_environment(program.environment, task, run, spec_.timeout);
    const ProgramRules rules{*input, spec_.timeout, spec_.kill_after, spec_.limits.max_output,
                             run.stop};
    const auto ended = run_program(*keepers_, program, rules);
    // The machine may lack something that it has another time.
    if (!ended) return fail(TaskErrorCode::task_failed, ended.error().message, false);
    return outcome_of(spec_, *ended);
  }

 private:
  const TaskSpec spec_;
  const std::shared_ptr<Keepers> keepers_;
  const ChildSpec program_;
};

}  // namespace

Handler once_handler(TaskSpec spec, std::shared_ptr<Keepers> keepers) {
  Handler handler;
  handler.run = OnceHandler(std::move(spec), std::move(keepers));
  return handler;
}

}  // namespace fogctl
