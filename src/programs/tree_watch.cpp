#include "programs/tree_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fogctl {
namespace {

constexpr Duration shortest_pause = std::chrono::milliseconds(50);
/// A look takes the processes one by one: what they share counts twice when one begins or ends
/// meanwhile. Too much memory is believed when the next look finds it, too, so soon.
constexpr Duration until_sure = std::chrono::milliseconds(5);
constexpr int pause_per_look = 20;  // looking takes at most a twentieth of a core

std::string bytes_for_people(std::uint64_t bytes) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  return bytes % mebibyte == 0 ? fmt::format("{} MiB", bytes / mebibyte)
                               : fmt::format("{} bytes", bytes);
}

}  // namespace

std::string over_memory(std::uint64_t bytes) {
  return fmt::format("it used more than {} of memory", bytes_for_people(bytes));
}

std::string over_cpu_time(Duration limit) {
  return fmt::format("it used more than {} of CPU time", format_duration(limit));
}

TreeWatch::TreeWatch(const RunLimits& limits, std::uint64_t wrappers, pid_t ancestor,
                     const ControlGroup* group, Instant now)
    : limits_(limits),
      wrappers_(wrappers),
      ancestor_(ancestor),
      group_(group),
      due_(now + shortest_pause) {}

std::optional<Instant> TreeWatch::due() const {
  const bool has_time = limits_.cpu_time > Duration::zero();
  const bool has_size = group_ == nullptr && (limits_.memory > 0 || limits_.processes > 0);
  return has_time || has_size ? std::optional(due_) : std::nullopt;
}

std::optional<std::string> TreeWatch::look(const Clock& clock) {
  const Instant began = clock.now();
  auto limit = look_at_all();
  const Instant now = clock.now();
  const Duration shortest = is_suspect_ ? until_sure : shortest_pause;
  due_ = now + std::max<Duration>(shortest, (now - began) * (is_suspect_ ? 1 : pause_per_look));
  return limit;
}

std::optional<std::string> TreeWatch::look_at_all() {
  if (group_ == nullptr) return look_at_tree();
  return group_->cpu_time() > limits_.cpu_time ? std::optional(over_cpu_time(limits_.cpu_time))
                                               : std::nullopt;
}

std::optional<std::string> TreeWatch::look_at_tree() {
  const auto tree = descendants_of(ancestor_, all_processes());
  std::uint64_t living = 0;
  Duration cpu_time{};
  for (const ProcessEntry& process : tree) {
    cpu_time += process.cpu_time;
    living += process.is_dead ? 0 : 1;
  }
  if (limits_.processes > 0 && living > limits_.processes + wrappers_) {
    return fmt::format("it ran more than {} processes", limits_.processes);
  }
  if (limits_.cpu_time > Duration::zero() && cpu_time > limits_.cpu_time) {
    return over_cpu_time(limits_.cpu_time);
  }
  const bool was_suspect = std::exchange(is_suspect_, holds_too_much(tree));
  return was_suspect && is_suspect_ ? std::optional(over_memory(limits_.memory)) : std::nullopt;
}

bool TreeWatch::holds_too_much(const std::vector<ProcessEntry>& tree) const {
  if (limits_.memory == 0) return false;
  std::uint64_t resident = 0;
  for (const ProcessEntry& process : tree) resident += process.resident;
  if (resident <= limits_.memory) return false;
  // What processes share was counted for each: the exact figure costs more, so it comes second.
  std::uint64_t held = 0;
  for (const ProcessEntry& process : tree) held += proportional_memory(process);
  return held > limits_.memory;
}

}  // namespace fogctl
