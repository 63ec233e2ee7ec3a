// Limits by control groups (cgroup v2), where this process may make some of its own: it was put
// into a delegated one (systemd: Delegate=yes) and is alone in it. One group a keeper. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "programs/task_spec.hpp"

namespace fogctl {

/// Where the system tells about control groups; tests have a tree of their own.
struct ControlGroupPlaces {
  std::string membership = "/proc/self/cgroup";
  std::string mounts = "/proc/self/mounts";
};

/// Takes over the group that this process is in: moves the process to a group `fogctl` below it and
/// hands the controllers down. The folder in which groups can now be made. Error: unavailable,
/// saying why this machine, or this process, has none; nothing has changed then.
[[nodiscard]] Result<std::string> take_over_control_group(const ControlGroupPlaces& places = {});

/// A keeper's group; it goes with the keeper. Belongs to one thread.
class ControlGroup {
 public:
  /// Of the folder, which exists.
  explicit ControlGroup(std::string folder) : folder_(std::move(folder)) {}

  /// For the run that begins. Error: failed, saying what could not be written.
  [[nodiscard]] Result<void> limit(const RunLimits& limits);
  /// What joins it writes its pid here; -1 where it cannot be opened.
  [[nodiscard]] int procs();
  /// All in it end.
  void kill() const;
  /// Whether the run that began last went over its memory and was killed for it.
  [[nodiscard]] bool ran_out_of_memory() const;
  /// CPU time of all in it since the run began.
  [[nodiscard]] Duration cpu_time() const;
  void remove() const;

 private:
  [[nodiscard]] std::uint64_t read(const char* file, const char* key) const;

  std::string folder_;
  FileDescriptor procs_;
  std::uint64_t kills_ = 0;       // of the runs before
  std::uint64_t cpu_micros_ = 0;  // likewise
};

}  // namespace fogctl
