// What one node decides next: where each task goes, what is still unanswered, what happens when a
// neighbour, the cloud or the queue goes away and comes back. Sans I/O: events go in with the time,
// actions come out. Belongs to one thread; the node and the simulator run the same code.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/string_hash.hpp"
#include "placement/placement.hpp"
#include "scheduling/actions.hpp"
#include "scheduling/backlog.hpp"
#include "scheduling/decision_log.hpp"
#include "scheduling/decision_view.hpp"
#include "scheduling/decision_watch.hpp"
#include "scheduling/handed_on.hpp"
#include "scheduling/kinds.hpp"
#include "scheduling/local_work.hpp"
#include "scheduling/neighbours.hpp"
#include "scheduling/open_task.hpp"
#include "scheduling/predictions.hpp"
#include "scheduling/queue_answers.hpp"
#include "scheduling/scheduler_options.hpp"
#include "scheduling/steal_requests.hpp"
#include "task/estimates.hpp"

namespace fogctl {

class Scheduler {
 public:
  Scheduler(SchedulerOptions options, Random random);

  /// A task came. A task without uid gets one.
  void on_task(Task task, Origin origin, Instant now, Actions& out);
  /// Once for each EnqueueTask, in their order.
  void on_enqueued(const std::string& uid, const EnqueueAnswer& answer, Instant now, Actions& out);
  /// A worker of this node's queue finished it.
  void on_result(const TaskResult& result, Instant now, Actions& out);
  /// The peer answered the task that went over `link` as `id`. False: no such task waits (any
  /// more).
  bool on_link_result(PeerId link, std::int64_t id, TaskResult result, Instant now, Actions& out);
  /// Its answer cannot be read: a run that began and brought nothing.
  bool on_link_junk(PeerId link, std::int64_t id, Instant now, Actions& out);

  /// A worker of this node's queue has begun it. Only for a policy that ties_copies.
  void on_started(const std::string& uid, Instant now, Actions& out);
  /// Once for each Withdraw, in their order.
  void on_withdrawn(const std::string& uid, const WithdrawAnswer& answer, Instant now,
                    Actions& out);
  /// The peer has begun the copy that went over `link` as `id`.
  void on_copy_started(PeerId link, std::int64_t id, Instant now, Actions& out);
  /// The peer does not need the task any more that came from it; others may wait for it still.
  void on_copy_cancelled(PeerId link, const std::string& uid, Instant now, Actions& out);

  /// The neighbour has a free worker, and asks for a task that waits here.
  void on_steal(PeerId link, const StealRequest& request, Instant now, Actions& out);
  /// It has none for this node, and is not to be asked again before `retry_after`.
  void on_steal_refused(PeerId link, std::int64_t request, Duration retry_after, Instant now);

  /// So much of the task is done, says a worker of this node's queue, or the peer that has it.
  void on_progress(const std::string& uid, double share, Actions& out);
  void on_link_progress(PeerId link, std::int64_t id, double share, Instant now, Actions& out);

  /// A neighbour is there: it has said who it is, and was answered.
  void on_peer_up(PeerId link, NeighbourIdentity who, Instant now, Actions& out);
  /// How many tasks that were with it were placed again.
  std::size_t on_peer_lost(PeerId link, Instant now, Actions& out);
  /// The peer takes no task over this link from now on, and closes it.
  void on_peer_leaves(PeerId link, Instant now);
  void on_state(PeerId link, const NodeState& state, Instant now, Actions& out);
  void on_peer_delay(PeerId link, Duration round_trip);
  /// Something comes from there, if only a part of a long message.
  void on_peer_heard(PeerId link, Instant now);
  /// This node closes the link, since the peer does not read; on_peer_lost follows.
  void on_peer_unread(PeerId link);
  /// So much is to be sent over the link yet: each time that something was handed on over it, and
  /// while it is_full(), each time that there is less. The cloud's link is one too.
  void on_unsent(PeerId link, std::size_t bytes, Instant now, Actions& out);
  [[nodiscard]] bool is_full(PeerId link);
  /// The peer said which tasks it can run; the cloud's link is one too. A neighbour that says
  /// nothing before its first state, and a cloud until it says something, can run first_kinds().
  void on_kinds(PeerId link, TaskKinds kinds, Instant now, Actions& out);
  /// What this node itself can run, from now on. Before the first call: first_kinds().
  void on_own_kinds(TaskKinds kinds, Instant now, Actions& out);

  /// The link to the cloud is up. An original one is given only what it knows: see protocol.md
  /// part 2. `max_message`: of a task that it takes, in bytes.
  void on_cloud_up(bool is_original, std::size_t max_message, Instant now, Actions& out);
  void on_cloud_down(Instant now, Actions& out);
  void on_cloud_delay(Duration round_trip);

  void on_load(const QueueBacklog& load, Instant now, Actions& out);
  /// The queue is away, or back. `lost`: it came back with less than it had, perhaps.
  void on_queue_down();
  void on_queue_up(bool lost, Instant now, Actions& out);
  /// What it holds as away for this node, asked for after it came back with less. False: ask again.
  [[nodiscard]] bool on_held_away(const std::vector<TakeBack>& held, Actions& out);
  /// It answers, and has forgotten this node; where it is down, it will be when it is back.
  void on_queue_lost(Instant now, Actions& out);

  /// To be called when `next_tick` comes.
  void on_tick(Instant now, Actions& out);
  [[nodiscard]] std::optional<Instant> next_tick() const;

  /// The task is given up, says somebody who waits for it, or the queue. True: who waits for it
  /// here is told. The queue is to be asked to give it up in any case: other nodes may have asked
  /// for it there, and where this is false its result comes from there.
  bool on_cancel(const std::string& uid, Actions& out);
  /// A neighbour ends only what came from it: the same uid may be another task here.
  [[nodiscard]] bool may_cancel(PeerId peer, const std::string& uid);

  /// This node will stop: its neighbours are told that it takes no more tasks.
  void on_drain(Instant now, Actions& out);
  /// ... and what has not begun of the tasks of neighbours need not wait until then.
  void return_to_senders(Instant now, Actions& out);
  /// Queued tasks may go elsewhere now.
  [[nodiscard]] bool has_elsewhere(Instant now);
  /// ... and should: the workers that they wait for are gone.
  [[nodiscard]] bool has_stranded_tasks(Instant now);
  /// False: nobody takes it: it stays in the queue, or waits here where this node does not stop.
  [[nodiscard]] bool on_taken(const TakenTask& taken, Instant now, Actions& out);
  /// This node stops. What waits for a place is refused, and where the queue ends with this process
  /// (`queue_survives` is false), all that is unanswered.
  void on_stop(bool queue_survives, Actions& out);

  [[nodiscard]] std::size_t unanswered() const { return entries_.size() - unwanted_; }
  [[nodiscard]] std::size_t away() const { return handed_on_.size() - copies_; }
  /// Copies with neighbours, of tasks that are here.
  [[nodiscard]] std::size_t copies() const { return copies_; }
  /// Whether a task's beginning here matters elsewhere: on_started is of use.
  [[nodiscard]] bool has_copies() const { return copies_ + taken_copies_ > 0; }
  [[nodiscard]] const std::vector<Neighbour>& neighbours() const { return neighbours_.all(); }
  /// What this node would tell a neighbour now.
  [[nodiscard]] NodeState own_state() const;
  /// What it can run, with what that takes.
  [[nodiscard]] TaskKinds own_kinds() const;
  /// What the peer can run, as far as it is known; null: it has not said.
  [[nodiscard]] const TaskKinds* kinds_of(PeerId link) const { return kinds_.of(link); }
  /// The class of a task that does not say; light where nobody knows the name.
  [[nodiscard]] TaskClass class_of(std::string_view name) const;
  [[nodiscard]] std::size_t repeated_results() const { return repeated_results_; }

  /// Why the task went where it went: the decisions about it that are remembered, oldest first.
  [[nodiscard]] std::vector<DecisionView> decisions_about(std::string_view uid, Instant now) const;
  /// Where a task such as this would go now, had it come from a client. Nothing changes.
  [[nodiscard]] DecisionView plan(Task task, Instant now);
  [[nodiscard]] const Predictions& predictions() const { return predictions_; }
  [[nodiscard]] const ShadowCounts& shadow_counts() const { return shadow_counts_; }
  /// The neighbour at a link, also of late: its id and its name for people. Null: not known.
  [[nodiscard]] const NeighbourIdentity* who_is(PeerId link) const;

 private:
  using Entry = OpenTask;
  using Where = OpenTask::Where;
  using Copy = OpenTask::Copy;
  using Entries = std::unordered_map<std::string, Entry, StringHash, std::equal_to<>>;

  /// Asks the policy, and remembers what it said.
  [[nodiscard]] Plan decide(Entry& entry, Instant now);
  void remember(Entry& entry, const Plan& plan, std::uint64_t draw, Instant now);
  [[nodiscard]] bool works_out_start_waits() const {
    return options_.policy->reads_start_wait ||
           (options_.shadow != nullptr && options_.shadow->reads_start_wait);
  }
  [[nodiscard]] std::optional<Choice> ask_shadow(const Task& task, const Choice& live,
                                                 std::uint64_t draw);
  [[nodiscard]] Choice choice_of(const Plan& plan);
  void fill(Decision& decision, Entry& entry, const Plan& plan, Instant now);
  [[nodiscard]] bool sees_the_same(const Task& task, Instant now);
  void remember_places(DecisionLog& log, const Task& task, Instant now);
  void note_copies(Decision& decision, const Plan& plan, Instant now);
  void note_copy(const Entry& entry, PeerId link, DecidedCopy::Fate fate);
  void note_departed(const Neighbour& neighbour);
  void note_ending(const Entry& entry, const TaskResult& result);
  void judge_prediction(const Entry& entry, const TaskResult& result, Instant now);
  void judge_copy(const Entry& entry, std::int64_t id, Instant now);
  void place(Entry& entry, Instant now, Actions& out);
  [[nodiscard]] bool is_anothers_task(const Entry& entry) const;
  [[nodiscard]] bool is_promised(const Entry& entry) const;
  [[nodiscard]] bool is_left_to_sender(const Entry& entry);
  void park(Entry& entry, std::string_view why, Instant now, Actions& out);
  [[nodiscard]] bool has_place(const Entry& entry, Instant now);
  [[nodiscard]] Unsent& unsent_over(PeerId link);
  [[nodiscard]] Plan plan_with_room(const Entry& entry, Instant now);
  [[nodiscard]] bool accept_for_full_link(Entry& entry, Instant now, Actions& out);
  void place_over(PeerId link, Instant now, Actions& out);
  void place_parked(Instant now, Actions& out, std::optional<PeerId> heard_of = {});
  [[nodiscard]] Placement here() const;
  void place_here(Entry& entry, const Placement& placement, Actions& out);
  void ask_for_result(Entry& entry, Actions& out);
  void follow(Entry& entry, const Plan& plan, Instant now, Actions& out);
  void send_away(Entry& entry, const Placement& placement, Instant now, Actions& out);
  void send_away(Entry& entry, PeerId link, const Placement& placement, Instant now, Actions& out);
  void hand_on(Entry& entry, Instant now, Actions& out);
  void add_hop(Entry& entry, const Neighbour& to);
  void undo_hop(Entry& entry);
  [[nodiscard]] Duration patience_with(Duration expected, bool is_original) const;
  void on_queued(Entry& entry, Instant now, Actions& out);
  void keep_outside(Entry& entry, Instant now, Actions& out);
  void enqueue_again(Actions& out);
  [[nodiscard]] bool leave_to_others(Entry& entry, Actions& out);
  [[nodiscard]] bool may_wait_for(const Entry& entry, const Origin& origin);
  void turn_away(const Entry& entry, Origin origin, Actions& out);
  [[nodiscard]] bool turn_neighbours_away(Entry& entry, Actions& out);
  void on_away(Entry& entry, std::uint32_t lease_number, Instant now, Actions& out);
  [[nodiscard]] bool is_for_forgotten_task(const std::string& uid, const EnqueueAnswer& answer,
                                           Actions& out);
  void ask_for_stray(Stray stray, Actions& out);
  void ask_for_strays(Actions& out);
  void end_stray(const Late& late, const std::string& uid, std::uint32_t lease_number,
                 Actions& out) const;
  void stay_here(Entry& entry);
  [[nodiscard]] Entry* answered_over(PeerId link, std::int64_t id, Instant now);
  void place_again(Entry& entry, Instant now, Actions& out);
  void place_after_crash(Entry& entry, Instant now, Actions& out);
  [[nodiscard]] bool place_elsewhere(Entry& entry, Instant now, Actions& out);
  void attach(Entry& entry, const Task& task, Origin origin, Actions& out);
  void note_answered(const Origin& origin);
  [[nodiscard]] TaskResult error_result(const Task& task, TaskError error) const;
  void tell_accepted(Entry& entry, Actions& out);
  void on_overloaded(Entry& entry, std::string why, Instant now, Actions& out);
  void share(Instant now, Actions& out);
  void share_if_changed(Instant now, Actions& out);
  void share_kinds(std::vector<PeerId> links, Actions& out);
  void share_times_if_changed(Instant now, Actions& out);
  [[nodiscard]] std::vector<PeerId> fogctl_links() const;
  [[nodiscard]] bool is_original_at(PeerId link);
  void tend_links(Instant now, Actions& out);
  void refuse(Entry& entry, TaskErrorCode code, std::string message, Actions& out);
  void refuse_parked(Entry& entry, Actions& out);
  static void finish_away(const Entry& entry, const TaskResult& result, Actions& out,
                          std::uint32_t dead_after = 0);
  static void finish_unless_asked(const Entry& entry, const TaskResult& result, Actions& out);
  void answer(Entry& entry, const TaskResult& result, Actions& out, bool is_forwarded = false);
  void forget(Entry& entry, Actions& out);
  void set_where(Entry& entry, Where where);
  // Copies: scheduler_copies.cpp.
  void send_copies(Entry& entry, Instant now, Actions& out);
  void cancel_copies(Entry& entry, Actions& out, std::int64_t but_for = 0);
  void give_up_copies(Entry& entry, Actions& out);
  void note_copy_gone(const Copy& copy);
  void remove_copy(Entry& entry, std::int64_t id);
  [[nodiscard]] static bool is_copy_of(const Entry& entry, std::int64_t id);
  void on_copy_result(Entry& entry, std::int64_t id, TaskResult result, Actions& out);
  void withdraw(Entry& entry, Actions& out);
  void settle_withdrawal(const std::string& uid, const WithdrawAnswer& answer, Instant now,
                         Actions& out);
  void after_withdrawal(Entry& entry, Instant now, Actions& out);
  void leave_to_copy(Entry& entry, std::int64_t id);
  [[nodiscard]] static Instant start_of_copy(const Entry& entry, Instant now);
  void take_copy(Entry& entry, Instant now, Actions& out);
  void refuse_copy(const Task& task, Origin origin, Actions& out);
  void make_own(Entry& entry);
  void drop(Entry& entry, Actions& out);
  [[nodiscard]] static bool is_enqueue_undone(Entry& entry, Actions& out);
  void end_unwanted(Entry& entry, Actions& out);
  void count_taken_copy(Entry& entry, bool is_one);
  void drop_copies_from(PeerId link, Actions& out);
  void set_escape(Entry& entry, Instant now);
  void set_escapes(Instant now);
  void set_wake(Entry& entry);
  void stop_wake(Entry& entry);
  void wake_due(Instant now, Actions& out);
  void add_copies(Entry& entry, const Plan& plan, Instant now);
  void look_again(Entry& entry, Instant now, Actions& out);
  [[nodiscard]] static Duration slack_of_others(const Entry& entry, Instant now);
  void escape(Entry& entry, Instant now, Actions& out);
  [[nodiscard]] std::optional<Instant> escape_time(const Entry& entry) const;
  // Stealing: scheduler_stealing.cpp.
  [[nodiscard]] bool steals() const {
    return options_.policy->steals && options_.hands_to_neighbours;
  }
  [[nodiscard]] std::size_t free_workers() const;
  [[nodiscard]] Neighbour* neighbour_to_ask(Instant now);
  void ask_for_tasks(Instant now, Actions& out);
  void give_up_requests(Instant now);
  [[nodiscard]] bool is_asked_for(const Origin& origin, Instant now);
  void place_stolen(Entry& entry, Instant now, Actions& out);
  [[nodiscard]] bool may_be_given(const Entry& entry, const Neighbour& to) const;
  [[nodiscard]] Entry* task_for(const Neighbour& to, std::size_t workers, Instant now) const;
  void refuse_steal(const StealPromise& promise, Instant now, Actions& out);
  [[nodiscard]] std::int64_t keep_promise(Entry& entry, Instant now);
  void note_steal(Entry& entry, const Placement& to, std::string_view why, Instant now);
  void enqueue(Entry& entry, bool away, Actions& out);
  Task& editable(Entry& entry);
  [[nodiscard]] bool is_here_to_be_had() const {
    return queue_up_ && backlog_.workers() > 0 && !backlog_.is_paused();
  }
  void note_cloud_way(Duration took, const TaskResult& result);
  [[nodiscard]] bool cloud_takes(const Task& task) const;
  [[nodiscard]] bool link_takes(PeerId link, const Task& task);
  [[nodiscard]] bool runs_here(const Task& task) const;
  [[nodiscard]] bool is_in_reach(const Task& task) const;
  [[nodiscard]] bool may_hear_of_kinds() const;
  [[nodiscard]] bool is_unplaceable(const Task& task) const;
  [[nodiscard]] Plan ask_policy(const Task& task, const ClusterView& view,
                                std::uint64_t draw) const;
  [[nodiscard]] Duration expected_run(const Task& task, PeerId link) const;
  [[nodiscard]] static std::optional<PlaceVerdict> why_avoided(const Entry& entry, PeerId link);
  [[nodiscard]] std::optional<PlaceVerdict> why_not_here(const Entry& entry, bool can_run) const;
  enum class FullLinks { left_out, counted };
  [[nodiscard]] const ClusterView& view_for(const Entry& entry, Instant now,
                                            FullLinks full = FullLinks::left_out);
  [[nodiscard]] Entry* entry_of(std::string_view uid);

  SchedulerOptions options_;
  Random random_;
  Tuning tuning_;
  TaskEstimates estimates_;
  Backlog backlog_;
  Kinds kinds_;
  TaskKinds told_kinds_;  // to the neighbours, last
  Instant kinds_at_;      // when that was looked at last
  LocalWork work_;        // kept for a policy that reads_start_wait
  ExecutionMoments moments_;
  Instant now_;  // of the event that is being looked at
  std::optional<Candidate> cloud_;
  Unsent cloud_unsent_;
  std::optional<Duration> cloud_way_;  // there and back, by what its answers took
  Duration cloud_delay_{};             // the last one, also of a cloud that was away since
  bool cloud_is_original_ = true;
  std::size_t cloud_max_message_ = 0;
  bool has_met_cloud_ = false;
  bool cloud_told_kinds_ = false;
  bool queue_up_ = true;
  bool queue_lost_ = false;   // since it was last up
  bool has_outside_ = false;  // it did not take again what it had lost
  Instant offered_at_;        // when it was asked to
  Instant workers_seen_at_;

  Neighbours neighbours_;
  // Members only to keep their memory.
  ClusterView view_;
  struct ViewLink {
    PeerId link = 0;
    const Kinds::Places::Link* there = nullptr;
  };
  std::vector<ViewLink> view_links_;  // of its neighbours
  struct LeftOut {
    Site site = Site::here;
    PeerId link = 0;
    PlaceVerdict why = PlaceVerdict::cannot_run;
  };
  std::vector<LeftOut> left_out_;  // places that are not in it
  std::vector<SeenPlace> places_;
  struct SeenNeighbour {
    PeerId link = 0;
    Duration wait{};
    Duration deviation{};
    Duration link_delay{};
    Instant state_at;
    std::optional<Duration> run;
    bool operator==(const SeenNeighbour&) const = default;
  };
  std::vector<SeenNeighbour> seen_;  // the neighbours, as they were last remembered
  bool is_seen_kept_ = false;
  bool draining_ = false;
  NodeState shared_;  // last
  Instant shared_at_;
  Instant ticked_at_;
  Instant tended_at_;  // when links were last looked at

  Entries entries_;
  std::unordered_map<std::string, Late> late_;  // by uid
  /// Answered, while a call that failed may have left them in the queue: it is asked again once it
  /// is back, and ends them, or gives those without outcome to its workers.
  std::vector<Stray> strays_;
  struct Parked {
    Instant deadline;  // max: none
    Instant arrival;
    std::string uid;
    auto operator<=>(const Parked&) const = default;
  };
  std::set<Parked> parked_;
  HandedOn handed_on_;
  std::size_t copies_ = 0;        // of handed_on_
  std::size_t taken_copies_ = 0;  // of entries_
  std::size_t unwanted_ = 0;      // of entries_: copies that run although nobody waits for them
  std::set<std::pair<Instant, std::string>> wakes_;  // when, uid
  std::size_t repeated_results_ = 0;

  StealRequests requests_;
  std::vector<StealPromise> promised_;

  DecisionLog decisions_;
  Predictions predictions_;
  ShadowCounts shadow_counts_;
  std::deque<std::pair<PeerId, NeighbourIdentity>> departed_;  // the last of them
};

}  // namespace fogctl
