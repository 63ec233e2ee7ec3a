// A small world around one Scheduler: a queue that fails, loses answers and comes back with less,
// workers, a cloud whose link breaks, clients that send again. Every step is drawn from a seed.
// What must hold is checked after each step; `broken` says what did not.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl::support {

struct WorldOptions {
  bool loses_answers = false;  // an enqueue may take effect although it says unavailable
};

class SchedulerWorld {
 public:
  SchedulerWorld(std::uint64_t seed, const WorldOptions& options);

  /// One random event.
  void step();
  /// No more faults: goes on until every task is answered, or it seems that some never will be.
  void settle();
  /// The node stops, and its queue with it.
  void stop();

  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] std::size_t sent() const { return answers_.size(); }
  [[nodiscard]] std::size_t unanswered_origins() const;
  [[nodiscard]] std::size_t held_away() const;  // by the queue
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  /// The wait that a new task is told, once nothing is left: 0, if the backlog was kept right.
  [[nodiscard]] double wait_of_new_task();

 private:
  struct Stored {
    TaskPtr task;
    Instant arrival;
    bool is_away = false;
    std::uint32_t number = 0;
  };
  struct Op {  // what the node's queue lane has to do
    enum class Kind { enqueue, finish, give_back } kind = Kind::enqueue;
    std::string uid;
    std::uint32_t number = 0;
    TaskPtr task;
    Instant arrival{};
    bool away = false;
    static bool settles(const Op& op) { return op.kind != Kind::enqueue; }
  };
  using Kind = EnqueueAnswer::Kind;

  bool chance(unsigned percent) { return random_.below(100) < percent; }
  void fail(const std::string& what);
  void client_sends();
  void queue_works();
  void queue_restarts();
  void lease_runs_out();
  void load_is_asked();
  void worker_runs();
  void cloud_answers();
  void cloud_changes();
  void late_answer();
  void time_passes(Duration length);
  void deliver_one();

  void note(bool is_there);
  [[nodiscard]] EnqueueAnswer enqueue(const Op& op);
  void settle_op(const Op& op);
  void keep(const Stored& stored);
  void perform(Actions actions);
  void perform(const EnqueueTask& action);
  void perform(const HandOn& action);
  void perform(const ReturnResult& action);
  void perform(const FinishAway& action);
  void perform(const TellAccepted&) {}
  void perform(const GiveUp&) {}
  void perform(const TakeBack& action);
  template <typename Other>
  void perform(const Other&) {}  // of neighbours: this world has none

  Random random_;
  WorldOptions options_;
  Scheduler scheduler_;
  Instant now_{std::chrono::seconds(1)};
  bool is_calm_ = false;  // no more faults
  std::string broken_;

  std::map<std::string, int> answers_;                    // by origin's task_id
  std::deque<std::function<void(Actions&)>> deliveries_;  // what the lane tells, in order
  std::deque<Op> lane_;
  std::vector<Op> unsettled_;
  bool lane_is_up_ = true;
  bool scheduler_knows_up_ = true;
  bool restarted_ = false;  // since the lane last saw the store

  bool store_is_up_ = true;
  std::map<std::string, Stored> store_;
  std::map<std::string, Stored> kept_;  // done, for clients that chose the uid
  std::uint32_t last_number_ = 0;
  std::size_t workers_ = 1;

  bool link_is_up_ = false;
  bool cloud_is_original_ = false;  // as the scheduler was told
  bool cloud_loses_tasks_ = false;  // ... and it is one
  std::map<std::int64_t, std::string> with_cloud_;
  std::vector<std::int64_t> late_;  // ids whose link broke
  std::set<std::int64_t> cloud_ids_;
  std::set<std::string> told_away_;  // uids for which the scheduler heard that they are held
};

}  // namespace fogctl::support
