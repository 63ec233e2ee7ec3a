// Everything that chance decides about a run, drawn once for each seed and load and the same for
// all policies: the tasks, the links, and what befalls the nodes. Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/scenario.hpp"

namespace fogctl::sim {

/// Where the simulation's time starts, so that no instant of a run is the meaningless zero.
inline constexpr Instant start_of_time{std::chrono::seconds(1000)};

struct TracedLink {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  Duration delay{};  // one way
};

struct Trace {
  std::vector<TracedTask> tasks;   // by arrival
  std::vector<TracedLink> links;   // every node knows every other, or as many as it may
  std::vector<Duration> phases;    // of each node: when it first shares its state
  std::vector<TimedEvent> events;  // the scenario's, and stalls
};

/// How many tasks it has, on average.
[[nodiscard]] double expected_tasks(const Scenario& scenario, double load);
[[nodiscard]] Trace draw_trace(const Scenario& scenario, double load, std::uint64_t seed);

}  // namespace fogctl::sim
