#include "programs/control_group.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace fogctl {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto size = static_cast<ssize_t>(text.size());
  if (file.is_open() && ::write(file.get(), text.data(), text.size()) == size) return {};
  return failure(ErrorCode::failed, fmt::format("cannot write '{}' to {}: {}", text, path,
                                                std::generic_category().message(errno)));
}

bool has_word(const std::string& text, std::string_view wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

std::unexpected<Error> unavailable(std::string why) {
  return failure(ErrorCode::unavailable, std::move(why));
}

/// Where cgroup v2 is mounted; none: nowhere.
std::optional<std::string> mount_point(const std::string& mounts) {
  std::istringstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    if (words >> device >> point >> type && type == "cgroup2") return point;
  }
  return std::nullopt;
}

/// This process's group below the mount point; none: cgroup v2 does not know it.
std::optional<std::string> own_path(const std::string& membership) {
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> take_over_control_group(const ControlGroupPlaces& places) {
  const auto point = mount_point(read_text(places.mounts));
  const auto path = own_path(read_text(places.membership));
  if (!point || !path) return unavailable("there is no cgroup v2 here");
  std::string group = *path == "/" ? *point : *point + *path;
  const std::string controllers = read_text(group + "/cgroup.controllers");
  for (const std::string_view wanted : {"memory", "pids"}) {
    if (!has_word(controllers, wanted)) {
      return unavailable(fmt::format("{} has no {} controller", group, wanted));
    }
  }
  const std::string self = fmt::format("{}", ::getpid());
  std::istringstream procs(read_text(group + "/cgroup.procs"));
  for (std::string pid; procs >> pid;) {
    if (pid != self) return unavailable(fmt::format("{} is not fogctl's alone", group));
  }
  const std::string own = group + "/fogctl";
  if (::mkdir(own.c_str(), 0755) != 0 && errno != EEXIST) {
    return unavailable(
        fmt::format("cannot make {}: {}", own, std::generic_category().message(errno)));
  }
  auto moved = write_text(own + "/cgroup.procs", self);
  if (moved) {
    const bool has_cpu = has_word(controllers, "cpu");
    moved = write_text(group + "/cgroup.subtree_control",
                       has_cpu ? "+memory +pids +cpu" : "+memory +pids");
    if (!moved) [[maybe_unused]]
      const auto back = write_text(group + "/cgroup.procs", self);
  }
  if (moved) return group;
  ::rmdir(own.c_str());
  return unavailable(moved.error().message);
}

Result<void> ControlGroup::limit(const RunLimits& limits) {
  const auto bound = [](std::uint64_t value) {
    return value == 0 ? std::string("max") : std::to_string(value);
  };
  kills_ = read("memory.events", "oom_kill");
  cpu_micros_ = read("cpu.stat", "usage_usec");
  if (auto done = write_text(folder_ + "/memory.max", bound(limits.memory)); !done) return done;
  // Else what goes over it only becomes slow. There is no such file where there is no swap.
  [[maybe_unused]] const auto swap =
      write_text(folder_ + "/memory.swap.max", limits.memory == 0 ? "max" : "0");
  [[maybe_unused]] const auto together = write_text(folder_ + "/memory.oom.group", "1");
  return write_text(folder_ + "/pids.max", bound(limits.processes));
}

int ControlGroup::procs() {
  if (!procs_.is_open()) {
    procs_ = FileDescriptor(::open((folder_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  }
  return procs_.get();
}

void ControlGroup::kill() const {
  [[maybe_unused]] const auto done = write_text(folder_ + "/cgroup.kill", "1");
}

bool ControlGroup::ran_out_of_memory() const {
  return read("memory.events", "oom_kill") > kills_;
}

Duration ControlGroup::cpu_time() const {
  return std::chrono::microseconds(read("cpu.stat", "usage_usec") - cpu_micros_);
}

void ControlGroup::remove() const {
  ::rmdir(folder_.c_str());
}

std::uint64_t ControlGroup::read(const char* file, const char* key) const {
  std::istringstream words(read_text(fmt::format("{}/{}", folder_, file)));
  std::uint64_t value = 0;
  for (std::string word; words >> word >> value;) {
    if (word == key) return value;
  }
  return 0;
}

}  // namespace fogctl
