// What came of the measured tasks of a run, as sums that can be added up over seeds. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/trace.hpp"

namespace fogctl::sim {

/// How many waits were how long, within 1.6 %; whole numbers only, so equal on every machine.
class WaitHistogram {
 public:
  void add(Duration wait);
  void add(const WaitHistogram& other);
  /// The wait that the `share` of all does not exceed; zero where there is none.
  [[nodiscard]] Duration quantile(double share) const;

 private:
  std::vector<std::uint64_t> counts_;
};

enum class RanAt : std::uint8_t { local, neighbour, cloud };

struct ClassTally {
  std::uint64_t tasks = 0;
  std::uint64_t in_time = 0;
};

struct Tally {
  std::array<ClassTally, task_class_count> classes{};
  WaitHistogram waits;                 // response - execution
  std::array<std::uint64_t, 3> ran{};  // by RanAt
  std::uint64_t lost = 0;              // without a result, or with an error
  std::uint64_t messages = 0;          // between nodes, and with the cloud; of the whole run
  std::uint64_t all_tasks = 0;         // of the whole run
  Duration executed{};                 // likewise; what was cut off counts until then
  Duration wasted{};                   // ... of runs whose result was not the first
  std::uint64_t events = 0;            // likewise: what the simulator did

  void add_answer(const TracedTask& task, Duration requirement, Duration wait, RanAt where);
  void add_lost(const TracedTask& task);
  void add(const Tally& other);
  [[nodiscard]] ClassTally all() const;
};

}  // namespace fogctl::sim
