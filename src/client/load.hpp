// The tasks that a client sends, as a person writes them on the command line, and the times at
// which a load sends them. Pure: text and instants in, values out. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "task/task.hpp"

namespace fogctl {

/// So many tasks in every period, evenly spread.
struct Rate {
  double count = 0;
  Duration period = std::chrono::seconds(1);
  bool operator==(const Rate&) const = default;
};

/// The most that one name may ask for, in tasks per second.
inline constexpr double highest_rate = 10e6;

struct LoadEntry {
  std::string name;
  Rate rate;
  bool operator==(const LoadEntry&) const = default;
};

/// "light=200/min,echo=1000/s": a rate per /s, /min or /h for each task name, no name twice.
/// Error: invalid, quoting the part that is wrong.
[[nodiscard]] Result<std::vector<LoadEntry>> parse_load(std::string_view text);

/// The original client's: 0.2, 2 and 5 s.
[[nodiscard]] Duration default_requirement(TaskClass weight);

/// Longest waiting times: one for all, or some by task name or class.
struct Requirements {
  std::optional<Duration> all;
  std::vector<std::pair<std::string, Duration>> by_name;

  /// By the task's name, else its class, else `all`, else the class's default.
  [[nodiscard]] Duration of(std::string_view name, TaskClass weight) const;
};

/// "0.5", "500ms" or "light=0.1,heavy=3". Error: invalid, quoting the part that is wrong.
[[nodiscard]] Result<Requirements> parse_requirements(std::string_view text);

/// When a load sends what: the k-th task (from 0) of each rate is due at start + k × period /
/// count, computed anew for each so that nothing drifts, as long as that is before the end.
class Schedule {
 public:
  Schedule(std::span<const Rate> rates, Instant start, Duration length);

  /// When the next task is due; none when all were taken.
  [[nodiscard]] std::optional<Instant> next_due() const;
  /// Takes the next task if it is due at `now`: the index of its rate. The earliest first, of
  /// equal ones that with the smallest index.
  std::optional<std::size_t> take(Instant now);
  /// How many tasks were not taken.
  [[nodiscard]] std::uint64_t remaining() const;
  [[nodiscard]] Instant end() const { return end_; }

 private:
  struct Ticker {
    Rate rate;
    std::uint64_t taken = 0;
    Instant due;
  };
  [[nodiscard]] std::size_t earliest() const;

  std::vector<Ticker> tickers_;
  Instant start_;
  Instant end_;
};

}  // namespace fogctl
