#include "sim/trace.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace fogctl::sim {
namespace {

/// Tasks go on coming for so long after the last that is measured.
constexpr Duration tail = std::chrono::seconds(2);

/// Streams that do not depend on one another: a change of one leaves the others as they are.
Random stream(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number = 0) {
  Random mixer(seed);
  const std::uint64_t first = mixer.next() ^ (purpose * 0x9e3779b97f4a7c15ULL);
  Random second(first + number * 0xd1342543de82ef95ULL);
  return Random(second.next());
}
enum Purpose : std::uint64_t { arrivals = 1, lengths, topology, misfortune, phase };

/// When the tasks of one node come: a Poisson stream whose rate changes.
class ArrivalStream {
 public:
  ArrivalStream(const Scenario& scenario, std::uint32_t node, double rate, Random random)
      : scenario_(scenario), node_(node), mean_gap_(1e9 / rate), random_(random) {
    if (scenario.on_off) {
      const Duration period = scenario.on_off->on + scenario.on_off->off;
      shift_ = Duration(random_.below(static_cast<std::uint64_t>(period.count())));
    }
  }

  /// Since the start; each later than the one before.
  Duration next() {
    double left = draw_exponential(random_) * mean_gap_;  // of the rate's integral
    while (true) {
      const auto [factor, until] = phase_at(now_);
      const double length = static_cast<double>((until - now_).count());
      if (factor > 0 && left < length * factor) {
        now_ += Duration(static_cast<std::int64_t>(left / factor));
        return now_;
      }
      left -= length * factor;
      now_ = until;
    }
  }

 private:
  struct Phase {
    double factor;
    Duration until;
  };
  Phase phase_at(Duration now) const {
    if (const auto& flash = scenario_.flash; flash && node_ < flash->nodes) {
      if (now < flash->from) return {1, flash->from};
      if (now < flash->to) return {flash->factor, flash->to};
    }
    if (const auto& on_off = scenario_.on_off) {
      const Duration period = on_off->on + on_off->off;
      const Duration at = (now + shift_) % period;
      if (at < on_off->on) return {on_off->factor, now + (on_off->on - at)};
      return {0, now + (period - at)};
    }
    return {1, now + std::chrono::hours(24 * 365)};
  }

  const Scenario& scenario_;
  std::uint32_t node_;
  double mean_gap_;  // ns
  Random random_;
  Duration shift_{};
  Duration now_{};
};

TaskClass draw_class(const Scenario& scenario, Random& random) {
  double left = random.unit();
  for (const TaskClass weight : {TaskClass::light, TaskClass::medium}) {
    left -= scenario.classes[index_of(weight)].share;
    if (left < 0) return weight;
  }
  return TaskClass::heavy;
}

/// Of all nodes, a second.
double rate_of(const Scenario& scenario, double load) {
  return load * scenario.capacity() / to_seconds(scenario.mean_execution());
}

std::vector<TracedTask> draw_tasks(const Scenario& scenario, double load, std::uint64_t seed) {
  const double rate = rate_of(scenario, load);
  const Duration end = scenario.measured_to + tail;
  std::vector<ExecutionDraw> executions;
  executions.reserve(scenario.classes.size());
  for (const ClassMix& mix : scenario.classes) {
    executions.emplace_back(scenario.shape, std::max(Duration(1), mix.execution));
  }
  std::vector<TracedTask> tasks;
  tasks.reserve(static_cast<std::size_t>(rate * to_seconds(end) * 1.05) + 64);
  for (std::uint32_t node = 0; node < scenario.nodes; ++node) {
    if (scenario.shares[node] <= 0) continue;
    ArrivalStream times(scenario, node, rate * scenario.shares[node], stream(seed, arrivals, node));
    Random random = stream(seed, lengths, node);
    for (Duration at = times.next(); at < end; at = times.next()) {
      const TaskClass weight = draw_class(scenario, random);
      const Duration execution = executions[index_of(weight)](random);
      TracedTask task{start_of_time + at, execution, node, weight};
      task.requirement = scenario.classes[index_of(weight)].requirement;
      task.exclusive = scenario.classes[index_of(weight)].exclusive;
      tasks.push_back(task);
    }
  }
  std::ranges::sort(tasks, [](const TracedTask& a, const TracedTask& b) {
    return std::pair(a.arrival, a.node) < std::pair(b.arrival, b.node);
  });
  return tasks;
}

std::vector<TracedTask> recorded_tasks(const Scenario& scenario) {
  std::vector<TracedTask> tasks = *scenario.recorded;
  for (TracedTask& task : tasks) task.node %= scenario.nodes;
  return tasks;
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

/// Everybody knows everybody, or the union of random rings: each ring is two more that a node
/// knows.
std::vector<TracedLink> draw_links(const Scenario& scenario, Random random) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  if (scenario.nodes <= scenario.known + 1) {
    for (std::uint32_t a = 0; a < scenario.nodes; ++a) {
      for (std::uint32_t b = a + 1; b < scenario.nodes; ++b) pairs.emplace(a, b);
    }
  } else {
    for (std::uint32_t ring = 0; ring < scenario.known / 2; ++ring) {
      const auto order = shuffled(scenario.nodes, random);
      for (std::size_t i = 0; i < order.size(); ++i) {
        pairs.insert(std::minmax(order[i], order[(i + 1) % order.size()]));
      }
    }
  }
  const auto spread = static_cast<double>((scenario.longest_link - scenario.shortest_link).count());
  std::vector<TracedLink> links;
  for (const auto& [a, b] : pairs) {
    const auto more = static_cast<std::int64_t>(random.unit() * spread);
    links.push_back({a, b, scenario.shortest_link + Duration(more)});
  }
  return links;
}

std::vector<TimedEvent> draw_events(const Scenario& scenario, std::uint64_t seed) {
  std::vector<TimedEvent> events = scenario.events;
  for (std::uint32_t node = 0; scenario.stalls && node < scenario.nodes; ++node) {
    Random random = stream(seed, misfortune, node);
    const double mean_gap = 1e9 / scenario.stalls->rate;
    Duration at{};
    while (true) {
      at += Duration(static_cast<std::int64_t>(draw_exponential(random) * mean_gap));
      if (at >= scenario.measured_to) break;
      const auto kind =
          scenario.stalls->whole_node ? TimedEvent::Kind::freeze : TimedEvent::Kind::stall;
      events.push_back({kind, at, scenario.stalls->length, {node}});
      at += scenario.stalls->length;
    }
  }
  std::ranges::stable_sort(events, {}, &TimedEvent::at);
  return events;
}

}  // namespace

Duration Scenario::mean_execution() const {
  double mean = 0;
  for (const ClassMix& mix : classes)
    mean += mix.share * static_cast<double>(mix.execution.count());
  return Duration(static_cast<std::int64_t>(mean));
}

double Scenario::capacity() const {
  return std::accumulate(speeds.begin(), speeds.end(), 0.0) * workers;
}

double expected_tasks(const Scenario& scenario, double load) {
  if (scenario.recorded) return static_cast<double>(scenario.recorded->size());
  double tasks = rate_of(scenario, load) * to_seconds(scenario.measured_to + tail);
  if (const auto& on_off = scenario.on_off) {
    tasks *= on_off->factor * to_seconds(on_off->on) / to_seconds(on_off->on + on_off->off);
  }
  if (const auto& flash = scenario.flash) {
    double share = 0;
    for (std::size_t node = 0; node < flash->nodes; ++node) share += scenario.shares[node];
    const Duration length = std::min(flash->to, scenario.measured_to + tail) -
                            std::min(flash->from, scenario.measured_to + tail);
    tasks += rate_of(scenario, load) * share * (flash->factor - 1) * to_seconds(length);
  }
  return tasks;
}

Trace draw_trace(const Scenario& scenario, double load, std::uint64_t seed) {
  Trace trace;
  trace.tasks = scenario.recorded ? recorded_tasks(scenario) : draw_tasks(scenario, load, seed);
  trace.links = draw_links(scenario, stream(seed, topology));
  Random random = stream(seed, phase);
  const auto interval = static_cast<std::uint64_t>(scenario.sharing_interval.count());
  for (std::uint32_t node = 0; node < scenario.nodes; ++node) {
    trace.phases.push_back(Duration(random.below(interval)));
  }
  trace.events = draw_events(scenario, seed);
  return trace;
}

}  // namespace fogctl::sim
