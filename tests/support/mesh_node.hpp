// One node of fogctl in a MeshWorld: the real Scheduler, and around it what node/node.cpp and
// node/mesh.cpp do with its actions. Each thing that it does is held against what must hold.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "scheduling/scheduler.hpp"
#include "support/mesh_message.hpp"
#include "support/mesh_queue.hpp"

namespace fogctl::support {

class MeshWorld;

class MeshNode final : public MeshPeer {
 public:
  MeshNode(MeshWorld& world, std::size_t number, std::size_t workers)
      : world_(world), number_(number), workers_(workers) {}

  void start() override;
  void end() override;
  void on_opened(const MeshOpened& opened) override;
  void on_message(PeerId peer, const MeshMessage& message) override;
  void on_closed(PeerId peer) override;
  [[nodiscard]] bool is_quiet() const override;

  void on_task(Task task, Origin origin);
  void on_cancel(const std::string& uid);
  /// The peer needs the tasks of this uid no more, which it sent under these ids.
  void on_given_up(PeerId peer, const std::string& uid, const std::set<std::string>& task_ids);
  void on_cloud(bool is_up, bool is_original);
  void on_cloud_result(std::int64_t id, TaskResult result);
  /// What it can run from its next start on; empty: as a node that was not told.
  void set_kinds(TaskKinds kinds) { next_kinds_ = std::move(kinds); }
  /// It can run these from now on.
  void learn_kinds(const TaskKinds& kinds);
  [[nodiscard]] bool can_run(const Task& task) const;
  void drain();
  void stop();

  [[nodiscard]] Scheduler& scheduler() { return *scheduler_; }
  [[nodiscard]] MeshQueue& queue() { return *queue_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::size_t workers() const { return workers_; }
  void set_workers(std::size_t workers);
  /// What does not hold although all is quiet; empty: nothing.
  [[nodiscard]] std::string left_over() const;

 private:
  struct Link {
    std::size_t other = 0;
    bool is_opened_here = false;
    bool is_up = false;  // the peer has said who it is
    std::string id;      // of the peer, or its address where it is an original one
    bool is_original = false;
    bool has_told_kinds = false;
    TaskKinds kinds;
  };

  void add_waiting(const Origin& origin);
  void tell(const MeshQueue::Told& what);
  void arm_tick();
  void tick(Instant due);
  void check();
  void refuse(const Task& task, Origin origin);
  void on_ready(PeerId peer, const MeshMessage& message);
  void perform(const EnqueueTask& action);
  void perform(const HandOn& action);
  void perform(const ReturnResult& action);
  void perform(const FinishAway& action);
  void perform(const TellAccepted& action);
  void perform(const GiveUp& action);
  void perform(const TakeBack& action);
  void perform(const ShareState& action);
  void perform(const CloseLink& action);
  void perform(const ShareKinds& action);
  void perform(const TellProgress&) {}
  void perform(const TellStarted& action);
  void perform(const CancelCopy& action);
  void perform(const Withdraw& action);
  void perform(const StealTask& action);
  void perform(const RefuseSteal& action);
  void forget_copy(PeerId peer, const std::string& uid);
  void check_handed_on(const HandOn& action);
  void write_slowly(PeerId link, std::size_t bytes);
  void hear_kinds(PeerId peer, const TaskKinds& kinds);

  MeshWorld& world_;
  std::size_t number_;
  std::size_t workers_;
  std::string id_;
  std::optional<Scheduler> scheduler_;
  std::optional<MeshQueue> queue_;
  std::map<PeerId, Link> links_;
  std::map<PeerId, std::size_t> unsent_;             // bytes; also for the cloud
  std::map<PeerId, std::set<std::string>> waiting_;  // task_ids that were not answered yet
  std::size_t all_waiting_ = 0;
  std::map<PeerId, std::map<std::string, std::string>> copies_;            // taken: task_id by uid
  std::map<PeerId, std::map<std::string, std::set<std::string>>> handed_;  // by uid: all ids
  std::set<std::int64_t> ids_;                                             // given out
  std::set<std::pair<PeerId, std::int64_t>> asked_;  // steal requests that wait for an answer
  TaskKinds kinds_;                                  // what it can run, in this life
  TaskKinds next_kinds_;
  std::set<std::string> enqueued_;                     // uids
  std::set<std::pair<PeerId, std::string>> accepted_;  // peers were told so, of these task_ids
  std::optional<Instant> tick_at_;
  bool cloud_is_up_ = false;
  bool cloud_has_told_ = false;  // what it can run
  bool is_draining_ = false;
  bool is_stopping_ = false;
  bool shares_queue_ = false;
};

}  // namespace fogctl::support
