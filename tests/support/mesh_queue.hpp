// The task queue of one node in a MeshWorld, the lane to it and its workers: answers come later and
// in order, as those of node/queue_lane; transitions are those of queue/task_queue.hpp.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace fogctl::support {

class MeshWorld;

class MeshQueue {
 public:
  using Told = std::function<void(Scheduler&, Instant, Actions&)>;

  /// `tell` lets the node's Scheduler know.
  MeshQueue(MeshWorld& world, std::size_t node, std::size_t workers,
            std::function<void(const Told&)> tell);

  void submit(const EnqueueTask& action);
  void submit(const Withdraw& action);
  void submit(const FinishAway& action);
  void submit(const TakeBack& action);
  void cancel(const std::string& uid);
  void ask_load();  // and again after each interval

  void go_away() { is_up_ = false; }
  void come_back(bool has_lost);
  /// Others put back what this node held; it hears of it.
  void lose_lease();
  void set_workers(std::size_t workers);

  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] std::size_t held_away() const;
  [[nodiscard]] std::size_t waiting() const { return ready_.size(); }
  /// What the Scheduler was told: the queue holds the task as away, and is there.
  [[nodiscard]] bool is_known_away(const std::string& uid) const {
    return told_away_.contains(uid);
  }
  /// ... that the queue has the task to be run.
  [[nodiscard]] bool is_known_queued(const std::string& uid) const {
    return told_queued_.contains(uid);
  }
  [[nodiscard]] bool is_known_up() const { return is_known_up_; }

 private:
  using Kind = EnqueueAnswer::Kind;
  struct Stored {
    TaskPtr task;
    Instant arrival;
    bool is_away = false;
    bool is_leased = false;
    std::uint32_t number = 0;
  };
  struct Settle {  // ends a task that was away, or takes it back
    std::string uid;
    std::uint32_t number = 0;
    bool is_finish = false;
    TaskResult result;
  };

  void wake_lane();
  void work();
  void note(bool is_there);
  void deliver(Told what);
  void answer(const EnqueueTask& task);
  void answer(const Withdraw& action);
  [[nodiscard]] EnqueueAnswer enqueue(const EnqueueTask& task);
  [[nodiscard]] WithdrawAnswer withdraw(const std::string& uid);
  [[nodiscard]] EnqueueAnswer meet_again(const Stored& stored, const EnqueueTask& task) const;
  void settle(const Settle& what);
  void settle_all();
  void put_back(Stored& stored);
  void keep(const Task& task, const TaskResult& result);
  void give_up(const std::string& uid);
  void end(const std::string& uid, const TaskResult& result);
  void start_workers();
  void end_run(const std::string& uid, std::uint32_t number, const TaskResult& result);

  MeshWorld& world_;
  std::size_t node_;
  std::function<void(const Told&)> tell_;

  bool is_up_ = true;
  std::map<std::string, Stored> store_;
  std::set<std::pair<Instant, std::string>> ready_;
  std::map<std::string, std::pair<TaskPtr, TaskResult>> kept_;
  std::set<std::string> cancelled_;  // given up while they were held
  std::uint32_t last_number_ = 0;
  std::size_t workers_;
  std::size_t running_ = 0;
  std::vector<std::function<void()>> unfinished_;  // runs whose end the queue was not there for

  std::deque<std::variant<EnqueueTask, Withdraw>> calls_;
  std::vector<Settle> settles_;
  bool lane_is_awake_ = false;
  bool lane_is_up_ = true;
  bool has_lost_ = false;  // since the lane last saw it
  std::deque<Told> deliveries_;
  std::set<std::string> told_away_;
  std::set<std::string> told_queued_;
  bool is_known_up_ = true;
};

}  // namespace fogctl::support
