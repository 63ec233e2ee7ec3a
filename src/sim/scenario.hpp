// What is simulated: nodes, links, tasks, and what happens to them. Plain values; any thread.
// Instants of the time line count from the start of the simulation, of which the warm-up is a part.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "sim/draws.hpp"
#include "task/task.hpp"

namespace fogctl::sim {

struct ClassMix {
  double share = 0;  // of the tasks
  Duration execution{};
  Duration requirement{};
  bool exclusive = false;
};

/// Arrivals come `factor` times as often for `on`, not at all for `off`, and so on; each node
/// begins somewhere in that of its own.
struct OnOff {
  Duration on{};
  Duration off{};
  double factor = 1;
};

/// The first `nodes` get `factor` times as many tasks between two instants.
struct Flash {
  std::size_t nodes = 0;
  double factor = 1;
  Duration from{};
  Duration to{};
};

/// Each node stops for `length`, `rate` times a second on average.
struct Stalls {
  double rate = 0;
  Duration length{};
  bool whole_node = false;  // it hears and says nothing either
};

struct TimedEvent {
  enum class Kind : std::uint8_t {
    die,         // the host is gone without a word; its endpoints go elsewhere
    stall,       // its workers stop
    freeze,      // all of it stops
    cut,         // nothing passes between these nodes and the others
    cloud_away,  // of all nodes
    join,        // they are not there before; `length` is 0
  };
  Kind kind = Kind::die;
  Duration at{};
  Duration length{};
  std::vector<std::uint32_t> nodes;
};

struct TracedTask {
  Instant arrival;
  Duration execution{};  // at speed 1
  std::uint32_t node = 0;
  TaskClass weight = TaskClass::light;
  bool cloud_processing = false;
  bool exclusive = false;
  int max_offload = Task{}.max_offload;
  Duration requirement{};
};

struct Scenario {
  std::string name;
  std::string about;
  std::vector<double> loads = {.9};  // offered work / capacity of the fog
  std::uint32_t nodes = 1;
  std::uint32_t workers = 4;   // of each node
  std::uint32_t known = 32;    // neighbours of each node at most
  std::vector<double> speeds;  // of each node
  std::vector<double> shares;  // of the tasks, of each node; sum 1
  std::array<ClassMix, task_class_count> classes{{
      {.6, std::chrono::milliseconds(10), std::chrono::milliseconds(30)},
      {.3, std::chrono::milliseconds(50), std::chrono::milliseconds(150)},
      {.1, std::chrono::milliseconds(250), std::chrono::milliseconds(1000)},
  }};
  ExecutionShape shape;
  std::optional<OnOff> on_off;
  std::optional<Flash> flash;
  Duration shortest_link = std::chrono::milliseconds(1);  // one way
  Duration longest_link = std::chrono::milliseconds(5);
  std::optional<Duration> cloud_round_trip = std::chrono::milliseconds(50);
  Duration sharing_interval = std::chrono::seconds(1);
  bool shares_on_change = false;  // and not by the interval alone
  /// An endpoint that has not heard after this share of the requirement that its task was accepted
  /// sends it to another node too, where the policy ties copies; 0: never.
  double hedge = .3;
  Duration measured_from = std::chrono::seconds(5);
  Duration measured_to = std::chrono::seconds(65);
  std::optional<Stalls> stalls;
  std::vector<TimedEvent> events;
  /// Tasks that came in truth, by arrival, in place of drawn ones. A node that is not there is
  /// counted from the first again.
  std::shared_ptr<const std::vector<TracedTask>> recorded = nullptr;

  /// Of the tasks, at speed 1.
  [[nodiscard]] Duration mean_execution() const;
  /// Workers, each counted by its speed.
  [[nodiscard]] double capacity() const;
};

}  // namespace fogctl::sim
