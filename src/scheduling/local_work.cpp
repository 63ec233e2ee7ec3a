#include "scheduling/local_work.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/check.hpp"

namespace fogctl {
namespace {

/// What runs longer than was expected will not end at once: of what it was expected to take so much
/// is to come, or of what it has taken where nothing was expected.
constexpr double least_residual = .3;
/// So many tasks ahead are assigned to workers one by one, further ones spread evenly. Still more
/// are not looked at: a decision's time is bounded, and who has that many before it is late.
constexpr std::size_t most_assigned = 64;
constexpr std::size_t looked_at_a_worker = 32;
constexpr std::size_t most_looked_at = 256;

}  // namespace

/// When each worker becomes free, in seconds from now, while tasks are given to them in turn.
class LocalWork::Schedule {
 public:
  Schedule(const LocalWork& work, const ExecutionMoments& moments, Instant now)
      : free_at_(work.free_at_),
        moments_(moments),
        workers_(static_cast<double>(work.workers_)),
        looked_at_(std::clamp(looked_at_a_worker * work.workers_, most_assigned, most_looked_at)) {
    free_at_.assign(work.workers_, 0.0);
    for (std::size_t i = 0; i < work.running_.size() && i < work.workers_; ++i) {
      const Running& running = work.running_[i];
      const Moments& of_class = moments.of(running.weight);
      const double taken = to_seconds(now - running.started);
      const double least = least_residual * (of_class.mean > 0 ? of_class.mean : taken);
      free_at_[i] = std::max(of_class.mean - taken, least);
      variance_ += of_class.variance;
    }
    std::ranges::make_heap(free_at_, std::greater{});
  }

  void assign(TaskClass weight) {
    const Moments& of_class = moments_.of(weight);
    variance_ += of_class.variance;
    if (++assigned_ > most_assigned) {
      beyond_ += of_class.mean / workers_;
      return;
    }
    occupy_first(of_class.mean);
  }

  [[nodiscard]] bool is_full() const { return assigned_ >= looked_at_; }

  [[nodiscard]] WaitEstimate wait() const {
    const double mean = free_at_.front() + beyond_;
    if (mean <= 0) return {};
    return {from_seconds(mean), from_seconds(std::sqrt(variance_) / workers_)};
  }

 private:
  /// Whoever is free first is so `seconds` later: sinks in the heap, in half the time of a pop and
  /// a push.
  void occupy_first(double seconds) {
    const double until = free_at_.front() + seconds;
    std::size_t at = 0;
    for (std::size_t next = 1; next < free_at_.size(); next = 2 * at + 1) {
      if (next + 1 < free_at_.size() && free_at_[next + 1] < free_at_[next]) ++next;
      if (until <= free_at_[next]) break;
      free_at_[at] = free_at_[next];
      at = next;
    }
    free_at_[at] = until;
  }

  std::vector<double>& free_at_;
  const ExecutionMoments& moments_;
  double workers_;
  std::size_t looked_at_;
  double variance_ = 0;
  double beyond_ = 0;
  std::size_t assigned_ = 0;
};

void LocalWork::set_workers(std::size_t workers, Instant now) {
  workers_ = workers;
  begin(now);
}

LocalWork::Ticket LocalWork::add(TaskClass weight, Instant start_by, Instant now, OpenTask* task) {
  const Ticket ticket{start_by, ++last_};
  queue_.emplace(ticket, Waiting{weight, task});
  begin(now);
  return ticket;
}

void LocalWork::remove(const Ticket& ticket, Instant now) {
  const auto running = std::ranges::find(running_, ticket, &Running::ticket);
  if (running != running_.end()) {
    *running = running_.back();
    running_.pop_back();
    begin(now);
  } else {
    FOGCTL_CHECK(queue_.erase(ticket) == 1);
  }
}

/// Those that are late already are served last.
LocalWork::Queue::const_iterator LocalWork::first_served(Instant now) const {
  const auto first = queue_.lower_bound({now, 0});
  return first == queue_.end() ? queue_.begin() : first;
}

/// Free workers take what is served next.
void LocalWork::begin(Instant now) {
  while (running_.size() < workers_ && !queue_.empty()) {
    const auto next = first_served(now);
    running_.push_back({next->first, next->second.weight, now});
    queue_.erase(next);
  }
}

WaitEstimate LocalWork::wait(Duration slack, const ExecutionMoments& moments, Instant now) const {
  FOGCTL_CHECK(workers_ > 0);
  if (running_.size() < workers_) return {};
  Schedule schedule(*this, moments, now);
  const bool is_late = slack < Duration::zero();
  auto next = is_late ? queue_.begin() : queue_.lower_bound({now, 0});
  for (; next != queue_.end() && !schedule.is_full(); ++next) {
    if (!is_late && next->first.first > now + slack) break;
    schedule.assign(next->second.weight);
  }
  return schedule.wait();
}

WaitProfile LocalWork::profile(const ExecutionMoments& moments, Instant now) const {
  FOGCTL_CHECK(workers_ > 0);
  WaitProfile profile;
  Schedule schedule(*this, moments, now);
  auto next = queue_.lower_bound({now, 0});
  for (std::size_t i = 0; i < wait_slacks.size(); ++i) {
    for (; next != queue_.end() && !schedule.is_full(); ++next) {
      if (next->first.first > now + wait_slacks[i]) break;
      schedule.assign(next->second.weight);
    }
    profile[i] = schedule.wait();
  }
  return profile;
}

void LocalWork::each_waiting(
    const ExecutionMoments& moments, Instant now,
    const std::function<bool(OpenTask& task, Duration wait)>& visit) const {
  Schedule schedule(*this, moments, now);
  const auto first = queue_.lower_bound({now, 0});
  const auto look = [&](auto from, auto to) {
    for (; from != to && !schedule.is_full(); ++from) {
      if (!visit(*from->second.task, schedule.wait().mean)) return false;
      schedule.assign(from->second.weight);
    }
    return true;
  };
  if (look(first, queue_.end())) look(queue_.begin(), first);
}

}  // namespace fogctl
