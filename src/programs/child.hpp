// Programs that run tasks, each under a keeper: a small process of this very executable that starts
// the program, holds it to its limits, and ends whatever it leaves running, daemons that left its
// process group included. A keeper whose fogctl is gone, killed -9 included, ends its program too.
//
// Any thread; a Child belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "programs/task_spec.hpp"

namespace fogctl {

/// What a program is started with.
struct ChildSpec {
  std::vector<std::string> command;      // the first is looked up in PATH
  std::vector<std::string> environment;  // "NAME=value", all of it
  std::string workdir;                   // empty: this process's
  std::string user;                      // empty: this process's
  RunLimits limits;
  bool is_sandboxed = false;  // the command is bwrap's, with the program inside
  /// Of a sandbox: what bwrap is told where others cannot read it, as they can a command line.
  std::vector<std::string> hidden_arguments = {};
};

/// How a program ended.
struct ChildExit {
  int code = 0;          // where no signal ended it
  int signal = 0;        // 0: it exited
  std::string limit;     // "it used more than …", where a limit ended it; empty: none did
  bool is_lost = false;  // its keeper was killed under it: how it ended, nobody knows
};

/// A running program and all that it started; whatever of it still runs ends with this object.
class Child {
 public:
  virtual ~Child() = default;
  /// Non-blocking ends of its stdin, stdout and stderr.
  [[nodiscard]] virtual int in() const = 0;
  [[nodiscard]] virtual int out() const = 0;
  [[nodiscard]] virtual int err() const = 0;
  /// It reads the end of its input.
  virtual void close_in() = 0;
  /// SIGTERM to its process group.
  virtual void terminate() = 0;
  /// SIGKILL to all that it started.
  virtual void kill() = 0;
  /// Readable once it has ended and nothing that it started runs any more.
  [[nodiscard]] virtual int end() const = 0;
  /// How it ended, once end() is readable.
  [[nodiscard]] virtual std::optional<ChildExit> ended() = 0;
};

/// Keepers at rest are used again; as many run as children at a time.
class Keepers {
 public:
  virtual ~Keepers() = default;
  /// Error: failed, saying what could not be started and why (no such program, no such user, …).
  [[nodiscard]] virtual Result<std::unique_ptr<Child>> start(const ChildSpec& spec) = 0;
  /// What holds a run to its limits on this machine, for people: "cgroup v2" or "rlimits, …".
  [[nodiscard]] virtual std::string limits_in_force() const = 0;
};

/// A pool of keepers of this executable, /proc/self/exe; main calls run_if_keeper(). The first pool
/// of a process logs the limits in force.
[[nodiscard]] std::shared_ptr<Keepers> make_keepers();

}  // namespace fogctl
