// What a task is expected to take, learned from those that finished: by its class, as the original
// system has it, and by its name. Belongs to one thread. The formula is the original's
// (protocol.md, "The original placement rule"): 0 before any; the newest if it is the first; 0.7
// new + 0.3 previous for the second; from then on 0.5, 0.3 and 0.2 of the newest three.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/string_hash.hpp"
#include "task/task.hpp"

namespace fogctl {

using ClassDurations = std::array<Duration, task_class_count>;

/// The formula, over one sequence of finished tasks.
class Estimate {
 public:
  void add(Duration execution_time);
  [[nodiscard]] Duration value() const { return value_; }
  /// How many finished tasks it is made from.
  [[nodiscard]] std::uint64_t runs() const { return runs_; }

 private:
  Duration value_{};
  Duration newest_{};
  Duration previous_{};
  std::uint64_t runs_ = 0;
};

class ExecutionEstimates {
 public:
  /// Learn from a task that ran for `execution_time`.
  void add(TaskClass weight, Duration execution_time);
  [[nodiscard]] Duration of(TaskClass weight) const { return values_[index_of(weight)]; }
  [[nodiscard]] const ClassDurations& all() const { return values_; }
  /// How many finished tasks of the class were seen.
  [[nodiscard]] std::uint64_t seen(TaskClass weight) const {
    return estimates_[index_of(weight)].runs();
  }

 private:
  std::array<Estimate, task_class_count> estimates_{};
  ClassDurations values_{};
};

/// By name, and by class for names that were not seen. Remembers `most_names` names: one more takes
/// the place of the one that finished longest ago.
class TaskEstimates {
 public:
  static constexpr std::size_t most_names = 1000;

  void add(const Task& task, Duration execution_time);
  /// Of its name; of its class where no task of the name finished.
  [[nodiscard]] Duration of(const Task& task) const;
  [[nodiscard]] const ExecutionEstimates& classes() const { return classes_; }
  /// Null: no task of the name finished.
  [[nodiscard]] const Estimate* find(std::string_view name) const;

 private:
  struct Named {
    Estimate estimate;
    std::uint64_t added = 0;  // the number of the last addition
  };
  void forget_oldest();

  ExecutionEstimates classes_;
  std::unordered_map<std::string, Named, StringHash, std::equal_to<>> names_;
  std::uint64_t additions_ = 0;
};

}  // namespace fogctl
