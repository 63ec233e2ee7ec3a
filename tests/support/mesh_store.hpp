// Where the tasks of a MeshWorld's queue lie: of one node's, or of one that several nodes share.
// Transitions are those of queue/task_queue.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace fogctl::support {

class MeshWorld;

class MeshStore {
 public:
  struct Stored {
    TaskPtr task;
    Instant arrival;
    std::string origin;            // the holder that enqueued it
    std::set<std::string> askers;  // others that asked for it
    std::string holder;            // of the lease, while there is one
    bool is_away = false;
    bool is_leased = false;
    bool is_delayed = false;  // its run failed, and it is tried again later
    std::uint32_t number = 0;
  };
  /// What a holder hears of.
  struct Ears {
    std::function<void(const TaskResult& result)> on_reply;
    std::function<void(const std::string& uid)> on_cancelled;  // it holds that as away
  };

  explicit MeshStore(MeshWorld& world) : world_(world) {}

  void join(const std::string& holder, Ears ears);
  void set_workers(const std::string& holder, std::size_t workers);
  /// It is gone; `in_order`: what it held is queued again, else its lease runs out.
  void leave(const std::string& holder, bool in_order);
  /// False: its lease had run out, and others put back what it held.
  [[nodiscard]] bool extend(const std::string& holder);

  [[nodiscard]] EnqueueAnswer enqueue(const std::string& holder, const EnqueueTask& task);
  [[nodiscard]] WithdrawAnswer withdraw(const std::string& holder, const std::string& uid);
  void finish(const std::string& holder, const FinishAway& end);
  /// Its run failed: it is leased again, but not before this.
  void retry(const std::string& holder, const Stored& run, Instant not_before);
  /// Nothing is leased to be run meanwhile.
  void pause(bool is_paused) { is_paused_ = is_paused; }
  /// Unrun.
  void give_back(const std::string& holder, const Stored& run);
  /// What this holder leased to run is held as away from now on.
  void hold_away(const std::string& uid);
  void take_back(const std::string& holder, const TakeBack& back);
  /// The first that came; none: nothing is queued.
  [[nodiscard]] std::optional<Stored> lease(const std::string& holder, bool away);
  void end_run(const std::string& holder, const Stored& run, const TaskResult& result);
  void cancel(const std::string& uid);
  void sweep_cancelled();

  void go_away() { is_up_ = false; }
  /// `has_lost`: without some of what it had.
  void come_back(bool has_lost);
  [[nodiscard]] bool is_up() const { return is_up_; }
  [[nodiscard]] std::uint64_t losses() const { return losses_; }  // how often it had lost some

  [[nodiscard]] QueueBacklog load() const;
  [[nodiscard]] std::size_t queued() const { return ready_.size() + delayed_.size(); }
  /// It is queued or delayed: no one holds it.
  [[nodiscard]] bool waits(const std::string& uid) const;
  [[nodiscard]] std::size_t held_away() const;
  [[nodiscard]] std::vector<TakeBack> held_away_by(const std::string& holder) const;
  void put_back_all(const std::string& holder, bool leased_too);

 private:
  using Kind = EnqueueAnswer::Kind;
  struct Holder {
    Ears ears;
    Instant expiry;
    std::size_t workers = 0;
    bool is_there = true;   // else it died
    bool has_lost = false;  // what it held, and has not been told so
  };

  [[nodiscard]] EnqueueAnswer meet_again(Stored& stored, const std::string& holder,
                                         const EnqueueTask& task) const;
  void hold(Stored& stored, const std::string& holder, bool away);
  void put_back(Stored& stored);
  void end_delays();
  void forget_turn(const Stored& stored);
  [[nodiscard]] Stored* held_by(const std::string& holder, const Stored& run);
  void hold_again(const Stored& was);
  void keep(const Task& task, const TaskResult& result);
  void end(const std::string& uid, const Task& task, const TaskResult& result,
           const std::string& reply_to);

  MeshWorld& world_;
  bool is_up_ = true;
  std::uint64_t losses_ = 0;
  std::map<std::string, Stored> store_;
  std::set<std::pair<Instant, std::string>> ready_;
  std::set<std::pair<Instant, std::string>> delayed_;  // until when
  bool is_paused_ = false;
  std::map<std::string, std::pair<TaskPtr, TaskResult>> kept_;
  std::set<std::string> cancelled_;  // given up while they were held
  std::map<std::string, Holder> holders_;
  std::uint32_t last_number_ = 0;
  std::vector<std::pair<Instant, Stored>> were_away_;  // until then; a loss may undo their ends
};

}  // namespace fogctl::support
