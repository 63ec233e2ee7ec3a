#include "sim/ideal.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "sim/event_queue.hpp"
#include "sim/job_queue.hpp"

namespace fogctl::sim {
namespace {

class IdealRun {
 public:
  IdealRun(const Scenario& scenario, const Trace& trace)
      : scenario_(scenario), trace_(trace), queue_(QueueOrder::start_by) {
    workers_.resize(std::size_t{scenario.nodes} * scenario.workers);
    nodes_.resize(scenario.nodes);
    for (const TimedEvent& event : trace.events) {
      if (event.kind != TimedEvent::Kind::join) continue;
      for (const std::uint32_t node : event.nodes) ++nodes_[node].dead;
    }
    for (std::uint32_t i = static_cast<std::uint32_t>(workers_.size()); i > 0; --i) release(i - 1);
    places_.resize(trace.tasks.size());
    for (std::uint32_t i = 0; i < trace.events.size(); ++i) {
      events_.push(start_of_time + trace.events[i].at, {Kind::misfortune, i});
    }
  }

  Tally run() {
    std::uint32_t next = 0;
    const auto& tasks = trace_.tasks;
    while (next < tasks.size() || !events_.empty()) {
      ++tally_.events;
      if (next < tasks.size() && (events_.empty() || tasks[next].arrival < events_.front().at)) {
        arrive(next, tasks[next].arrival);
        ++next;
      } else {
        const auto item = events_.pop();
        handle(item.event, item.at);
      }
    }
    tally_.all_tasks = tasks.size();
    return std::move(tally_);
  }

 private:
  enum class Kind : std::uint8_t { finish, escape, misfortune, end_of_misfortune };
  struct Event {
    Kind kind;
    std::uint32_t number;  // of the worker, task or event
  };
  struct Worker {
    bool is_busy = false;
    bool is_idle_listed = false;
    std::uint32_t task = 0;
    Instant started;
    Instant finish_at;
  };
  struct Node {
    Instant stopped_until;
    int dead = 0;
  };

  [[nodiscard]] Duration requirement(std::uint32_t task) const {
    return trace_.tasks[task].requirement;
  }
  Node& node_of(std::uint32_t worker) { return nodes_[worker / scenario_.workers]; }
  double speed_of(std::uint32_t worker) const {
    return scenario_.speeds[worker / scenario_.workers];
  }

  void release(std::uint32_t worker) {
    if (workers_[worker].is_idle_listed) return;
    workers_[worker].is_idle_listed = true;
    idle_[-speed_of(worker)].push_back(worker);
  }

  /// The fastest that may begin something now.
  std::optional<std::uint32_t> take_idle(Instant now) {
    for (auto& [speed, workers] : idle_) {
      while (!workers.empty()) {
        const std::uint32_t worker = workers.back();
        workers.pop_back();
        workers_[worker].is_idle_listed = false;
        const Node& node = node_of(worker);
        if (node.dead == 0 && node.stopped_until <= now) return worker;  // else back at its end
      }
    }
    return std::nullopt;
  }

  void arrive(std::uint32_t task, Instant now) {
    wait(task, now);
    serve(now);
  }

  void wait(std::uint32_t task, Instant now) {
    const Instant arrival = trace_.tasks[task].arrival;
    const Instant start_by = arrival + requirement(task);
    places_[task] = queue_.push({task, start_by, arrival});
    const auto& round_trip = scenario_.cloud_round_trip;
    if (round_trip && start_by - *round_trip >= now) {
      events_.push(start_by - *round_trip, {Kind::escape, task});
    }
  }

  void serve(Instant now) {
    while (queue_.size() > 0) {
      const auto worker = take_idle(now);
      if (!worker) return;
      begin(*worker, queue_.pop(now)->job, now);
    }
  }

  void begin(std::uint32_t number, std::uint32_t task, Instant now) {
    Worker& worker = workers_[number];
    const double length =
        static_cast<double>(trace_.tasks[task].execution.count()) / speed_of(number);
    places_[task] = {};
    worker.is_busy = true;
    worker.task = task;
    worker.started = now;
    worker.finish_at = now + Duration(static_cast<std::int64_t>(length));
    tally_.executed += worker.finish_at - now;
    note(task, now - trace_.tasks[task].arrival, RanAt::local);
    events_.push(worker.finish_at, {Kind::finish, number});
  }

  void note(std::uint32_t task, Duration wait, RanAt where) {
    const TracedTask& traced = trace_.tasks[task];
    const Duration since = traced.arrival - start_of_time;
    if (since < scenario_.measured_from || since >= scenario_.measured_to) return;
    tally_.add_answer(traced, requirement(task), wait, where);
  }

  void handle(const Event& event, Instant now) {
    switch (event.kind) {
      case Kind::finish: {
        Worker& worker = workers_[event.number];
        if (!worker.is_busy || worker.finish_at != now) return;  // it was stopped meanwhile
        worker.is_busy = false;
        release(event.number);
        return serve(now);
      }
      case Kind::escape:
        return escape(event.number, now);
      case Kind::misfortune:
        return befall(trace_.events[event.number], event.number, now);
      case Kind::end_of_misfortune:
        return recover(trace_.events[event.number], now);
    }
  }

  void escape(std::uint32_t task, Instant now) {
    const bool waits = places_[task].ticket != 0;
    if (!waits || cloud_away_ > 0 || !queue_.remove(places_[task])) return;
    places_[task] = {};
    tally_.messages += 2;
    const Instant arrival = trace_.tasks[task].arrival;
    note(task, now + *scenario_.cloud_round_trip - arrival, RanAt::cloud);
  }

  /// What runs goes on afterwards. A node that dies has what it runs finished by itself: counting
  /// it as waiting again would judge a task twice, and no more than its workers' tasks matter.
  void befall(const TimedEvent& event, std::uint32_t number, Instant now) {
    events_.push(now + event.length, {Kind::end_of_misfortune, number});
    cloud_away_ += event.kind == TimedEvent::Kind::cloud_away;
    const bool stops =
        event.kind == TimedEvent::Kind::stall || event.kind == TimedEvent::Kind::freeze;
    for (const std::uint32_t node : event.nodes) {
      nodes_[node].dead += event.kind == TimedEvent::Kind::die;
      if (stops) stop(node, now + event.length, now);
    }
  }

  void stop(std::uint32_t node, Instant until, Instant now) {
    const Duration more = until - std::max(now, nodes_[node].stopped_until);
    if (more <= Duration::zero()) return;
    nodes_[node].stopped_until = until;
    for (std::uint32_t i = 0; i < scenario_.workers; ++i) {
      Worker& worker = workers_[node * scenario_.workers + i];
      if (!worker.is_busy) continue;
      worker.finish_at += more;
      events_.push(worker.finish_at, {Kind::finish, node * scenario_.workers + i});
    }
  }

  void recover(const TimedEvent& event, Instant now) {
    cloud_away_ -= event.kind == TimedEvent::Kind::cloud_away;
    for (const std::uint32_t node : event.nodes) {
      nodes_[node].dead -=
          event.kind == TimedEvent::Kind::die || event.kind == TimedEvent::Kind::join;
      for (std::uint32_t i = 0; i < scenario_.workers; ++i) {
        const std::uint32_t worker = node * scenario_.workers + i;
        if (!workers_[worker].is_busy) release(worker);
      }
    }
    serve(now);
  }

  const Scenario& scenario_;
  const Trace& trace_;
  JobQueue queue_;
  EventQueue<Event> events_;
  std::vector<Worker> workers_;
  std::vector<Node> nodes_;
  std::map<double, std::vector<std::uint32_t>> idle_;  // by speed, the fastest first
  std::vector<JobQueue::Place> places_;                // by task; ticket 0: it does not wait
  int cloud_away_ = 0;
  Tally tally_;
};

}  // namespace

Tally run_ideal(const Scenario& scenario, const Trace& trace) {
  return IdealRun(scenario, trace).run();
}

}  // namespace fogctl::sim
