// A MeshWorld's node's way to its task queue, and its workers: answers come later and in order, as
// those of node/queue_lane.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "scheduling/scheduler.hpp"
#include "support/mesh_store.hpp"

namespace fogctl::support {

class MeshWorld;

class MeshQueue {
 public:
  using Told = std::function<void(Scheduler&, Instant, Actions&)>;

  struct Place {
    std::size_t node = 0;
    std::string holder;  // the node's id
    std::shared_ptr<MeshStore> store;
    std::function<bool(const Task& task)> can_run;
  };
  /// `tell` lets the node's Scheduler know.
  MeshQueue(MeshWorld& world, Place place, std::size_t workers,
            std::function<void(const Told&)> tell);

  void submit(const EnqueueTask& action);
  void submit(const Withdraw& action);
  void submit(const FinishAway& action);
  void submit(const TakeBack& action);
  void cancel(const std::string& uid);
  void ask_load();  // and again after each interval

  void pause(bool is_paused);
  void go_away() { store_->go_away(); }
  void come_back(bool has_lost);
  /// No run begins, and where no others serve the queue, what is queued goes elsewhere.
  void drain();
  void leave(bool in_order) { store_->leave(holder_, in_order); }
  void set_workers(std::size_t workers);

  [[nodiscard]] bool is_quiet() const;
  /// The Scheduler was given tasks that it had not asked for.
  [[nodiscard]] bool has_found_tasks() const { return has_found_tasks_; }
  [[nodiscard]] std::size_t held_away() const { return store_->held_away(); }
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
  using Settle = std::variant<FinishAway, TakeBack>;
  struct AskForHeld {};

  void wake_lane();
  void work();
  [[nodiscard]] bool is_repeated();
  void note(bool is_there);
  void deliver(Told what);
  void answer(const EnqueueTask& task);
  void answer(const Withdraw& action);
  void answer(const AskForHeld& ask);
  void settle_all();
  void hand_over();
  void start_workers();
  void pass_on(const MeshStore::Stored& run);
  void give_back(const MeshStore::Stored& run);
  void retry(const MeshStore::Stored& run, Instant not_before);
  void end_run(const MeshStore::Stored& run, const TaskResult& result);
  void end_unfinished();

  MeshWorld& world_;
  std::size_t node_;
  std::function<void(const Told&)> tell_;

  std::string holder_;
  std::shared_ptr<MeshStore> store_;
  std::function<bool(const Task& task)> can_run_;
  std::size_t workers_;
  bool is_draining_ = false;
  bool has_found_tasks_ = false;
  std::size_t running_ = 0;
  std::vector<std::function<void()>> unfinished_;  // runs whose end the queue was not there for

  std::deque<std::variant<EnqueueTask, Withdraw, AskForHeld>> calls_;
  std::vector<Settle> settles_;
  bool lane_is_awake_ = false;
  bool lane_is_up_ = true;
  bool knows_held_ = true;    // what the store holds as away for this node
  std::uint64_t losses_ = 0;  // of the store, when the lane last saw it
  std::deque<Told> deliveries_;
  std::set<std::string> told_away_;
  std::set<std::string> told_queued_;
  bool is_known_up_ = true;
};

}  // namespace fogctl::support
