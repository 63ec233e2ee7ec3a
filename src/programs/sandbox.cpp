#include "programs/sandbox.hpp"

#include <fmt/format.h>

#include "programs/run_program.hpp"
#include "programs/task_program.hpp"

namespace fogctl {
namespace {

constexpr std::uint64_t most_tmp_bytes = std::uint64_t{64} << 20;  // where memory is not bounded

}  // namespace

std::vector<std::string> sandboxed(const TaskSpec& spec) {
  const std::string size =
      std::to_string(spec.limits.memory > 0 ? spec.limits.memory : most_tmp_bytes);
  // The sockets in /run lead out of any network: it is hidden. /dev/shm and /tmp fill memory.
  std::vector<std::string> all = {"bwrap",
                                  "--unshare-all",
                                  "--die-with-parent",
                                  "--cap-drop",
                                  "ALL",
                                  "--ro-bind",
                                  "/",
                                  "/",
                                  "--dev",
                                  "/dev",
                                  "--size",
                                  size,
                                  "--tmpfs",
                                  "/dev/shm",
                                  "--proc",
                                  "/proc",
                                  "--size",
                                  size,
                                  "--tmpfs",
                                  "/tmp",
                                  "--size",
                                  "65536",
                                  "--tmpfs",
                                  "/run"};
  const auto add = [&](std::initializer_list<std::string> words) { all.insert(all.end(), words); };
  if (!spec.workdir.empty()) {
    add({"--bind", spec.workdir, spec.workdir, "--chdir", spec.workdir});
  }
  // Of /proc too: root could set the machine up by it, though it has no capability.
  add({"--remount-ro", "/run", "--remount-ro", "/dev", "--remount-ro", "/proc", "--"});
  all.insert(all.end(), spec.command.begin(), spec.command.end());
  return all;
}

std::vector<std::string> sandboxed_environment(const TaskSpec& spec) {
  std::vector<std::string> all;
  for (const auto& [name, value] : spec.env) all.insert(all.end(), {"--setenv", name, value});
  return all;
}

Result<void> check_sandbox() {
  TaskSpec spec;
  spec.command = {"true"};
  spec.sandbox = true;
  ProgramRules rules;
  rules.timeout = std::chrono::seconds(10);
  const auto keepers = make_keepers();
  const auto run = run_program(*keepers, program_of(spec), rules);
  if (!run) {
    return failure(ErrorCode::unavailable,
                   fmt::format("there is no sandbox here: {}; install bubblewrap (apt-get install "
                               "bubblewrap), or set sandbox = false",
                               run.error().message));
  }
  if (run->cut == Cut::none && run->exit.code == 0 && run->exit.signal == 0) return {};
  return failure(
      ErrorCode::unavailable,
      fmt::format("bwrap cannot make a sandbox here: {}{}; this user may not make namespaces "
                  "(sysctl kernel.unprivileged_userns_clone, or the container forbids it), or set "
                  "sandbox = false",
                  run->cut == Cut::none ? describe(run->exit) : "it does not answer",
                  last_lines(run->errors).empty() ? "" : ": " + last_lines(run->errors)));
}

}  // namespace fogctl
