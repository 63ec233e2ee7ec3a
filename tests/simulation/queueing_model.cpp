#include "simulation/queueing_model.hpp"

#include <algorithm>

#include "sim/event_queue.hpp"
#include "sim/job_queue.hpp"

namespace fogctl::support {
namespace {

using sim::JobQueue;

constexpr double second = 1e9;  // ns
constexpr Instant start{std::chrono::seconds(1)};

class Model {
 public:
  Model(const QueueingSystem& system, std::uint64_t seed)
      : system_(system),
        random_(seed),
        draw_service_(system.service, std::chrono::seconds(1)),
        stations_(system.stations),
        board_(system.stations),
        tasks_(system.tasks) {}

  QueueingRun run() {
    const double rate =
        system_.load * static_cast<double>(system_.stations * system_.servers) / second;
    Instant arrival = start;
    if (system_.dispatch == Dispatch::stale_board) events_.push(start, {true, 0, 0});
    for (std::uint32_t task = 0; task < tasks_.size(); ++task) {
      arrival += Duration(static_cast<std::int64_t>(sim::draw_exponential(random_) / rate));
      while (!events_.empty() && events_.front().at <= arrival) handle(events_.pop());
      tasks_[task].arrival = arrival;
      tasks_[task].service = draw_service_(random_);
      dispatch(task, arrival);
    }
    const bool has_board = system_.dispatch == Dispatch::stale_board;
    while (events_.size() > (has_board ? 1U : 0U)) handle(events_.pop());
    return observed();
  }

 private:
  struct Station {
    JobQueue queue{QueueOrder::fifo};
    std::size_t busy = 0;
    Instant free_at = start;  // of one server: when all that it has is done
    [[nodiscard]] std::size_t jobs() const { return queue.size() + busy; }
  };
  struct Task {
    Instant arrival;
    Duration service{};
    Instant started;
    bool is_lost = false;
    std::vector<std::pair<std::size_t, JobQueue::Place>> copies;
  };
  struct Event {
    bool is_board;
    std::uint32_t station;
    std::uint32_t task;
  };
  using Item = sim::EventQueue<Event>::Item;

  void handle(const Item& item) {
    if (item.event.is_board) {
      for (std::size_t i = 0; i < stations_.size(); ++i) board_[i] = stations_[i].jobs();
      events_.push(item.at + system_.board_every, item.event);
      return;
    }
    --stations_[item.event.station].busy;
    serve(item.event.station, item.at);
  }

  std::vector<std::size_t> drawn() {
    std::vector<std::size_t> some;
    for (std::size_t i = 0; i < system_.choices; ++i) {
      some.push_back(random_.below(stations_.size()));
    }
    return some;
  }

  void dispatch(std::uint32_t task, Instant now) {
    const auto join = [&](std::size_t station) {
      tasks_[task].copies.emplace_back(station, stations_[station].queue.push({task, now, now}));
    };
    const auto some = drawn();
    const auto jobs = [&](std::size_t station) { return stations_[station].jobs(); };
    switch (system_.dispatch) {
      case Dispatch::one_of_drawn:
        join(*std::ranges::min_element(some, {}, jobs));
        break;
      case Dispatch::stale_board: {
        const std::size_t least = *std::ranges::min_element(board_);
        std::vector<std::size_t> shortest;
        for (std::size_t i = 0; i < board_.size(); ++i) {
          if (board_[i] == least) shortest.push_back(i);
        }
        join(shortest[random_.below(shortest.size())]);
        break;
      }
      case Dispatch::tied_copies:
        for (const std::size_t station : some) join(station);
        break;
      case Dispatch::least_work: {
        const std::size_t least = *std::ranges::min_element(
            some, {}, [&](std::size_t i) { return std::max(now, stations_[i].free_at); });
        Station& chosen = stations_[least];
        chosen.free_at = std::max(now, chosen.free_at) + tasks_[task].service;
        join(least);
        break;
      }
    }
    const auto copies = tasks_[task].copies;  // the start of one takes the others away
    for (const auto& [station, place] : copies) serve(station, now);
  }

  void serve(std::size_t number, Instant now) {
    Station& station = stations_[number];
    while (station.busy < system_.servers) {
      const auto next = station.queue.pop(now);
      if (!next) return;
      Task& task = tasks_[next->job];
      if (system_.patience && now - task.arrival > *system_.patience) {
        task.is_lost = true;
        continue;
      }
      for (const auto& [other, place] : task.copies) {
        if (task.copies.size() > 1) (void)stations_[other].queue.remove(place);
      }
      task.copies.clear();
      task.started = now;
      ++station.busy;
      events_.push(now + task.service, {false, static_cast<std::uint32_t>(number), next->job});
    }
  }

  QueueingRun observed() {
    QueueingRun run;
    const std::size_t first = tasks_.size() / 5;
    const auto count = static_cast<double>(tasks_.size() - first);
    for (std::size_t i = first; i < tasks_.size(); ++i) {
      const Task& task = tasks_[i];
      if (task.is_lost) {
        run.lost += 1 / count;
        continue;
      }
      const double wait = to_seconds(task.started - task.arrival);
      run.wait += wait / count;
      run.response += (wait + to_seconds(task.service)) / count;
      run.delayed += (wait > 0 ? 1 : 0) / count;
      run.long_wait += (wait > 1 ? 1 : 0) / count;
    }
    for (std::size_t i = 0; system_.keeps_starts && i < tasks_.size(); ++i) {
      run.starts.push_back(tasks_[i].started);
    }
    return run;
  }

  const QueueingSystem& system_;
  Random random_;
  sim::ExecutionDraw draw_service_;
  std::vector<Station> stations_;
  std::vector<std::size_t> board_;  // jobs, as it was last written
  std::vector<Task> tasks_;
  sim::EventQueue<Event> events_;
};

}  // namespace

QueueingRun run_queueing(const QueueingSystem& system, std::uint64_t seed) {
  return Model(system, seed).run();
}

}  // namespace fogctl::support
