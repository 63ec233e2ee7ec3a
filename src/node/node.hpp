// A running node: a fog node, or the cloud. Owns the sockets and the threads, feeds the Scheduler
// with what happens and performs what it decides. run() is the network thread; everything here is
// that thread's, the posting callbacks and on_handlers_changed apart.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/spin.hpp"
#include "base/time.hpp"
#include "json/json.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/listener.hpp"
#include "node/cloud_link.hpp"
#include "node/connections.hpp"
#include "node/decision_report.hpp"
#include "node/guests.hpp"
#include "node/mesh.hpp"
#include "node/queue_lane.hpp"
#include "node/trace_recorder.hpp"
#include "queue/task_queue.hpp"
#include "scheduling/scheduler.hpp"
#include "wire/messages.hpp"
#include "work/crew.hpp"
#include "work/handlers.hpp"

namespace fogctl {

struct NodeOptions {
  bool is_cloud = false;
  std::string id;  // 32 hex digits, new at each start; the queue's holder
  std::string name;
  const Policy* policy = nullptr;
  std::optional<HostPort> listen;  // none: 0.0.0.0, the first idle port from 10000
  std::vector<HostPort> clouds;    // tried in order; none: no cloud
  MeshOptions mesh;                // of a fog node
  bool hands_to_neighbours = true;
  Duration sharing_interval = std::chrono::seconds(1);
  double overdue_factor = 10;
  Duration overdue_min = std::chrono::seconds(60);
  std::size_t workers = 1;
  ConnectionOptions connection;
  std::size_t open_files = 1024;  // that this process may have
  Duration lease = std::chrono::seconds(5);
  Duration watchdog = std::chrono::seconds(10);
  std::uint32_t max_attempts = 3;
  Duration retry_delay = std::chrono::milliseconds(500);
  Duration patience = std::chrono::seconds(2);
  Duration drain_timeout = std::chrono::seconds(10);
  TraceRecorder* recorder = nullptr;  // outlives the node; null: nothing is written down
  const Policy* shadow = nullptr;     // decides beside the policy, and acts on nothing
};

class Node {
 public:
  Node(NodeOptions options, TaskQueue& queue, const Handlers& handlers, const Clock& clock);

  /// Takes the address; nothing is accepted before run(). Error: in_use, naming the port.
  [[nodiscard]] Result<void> listen();
  [[nodiscard]] std::string address() const { return listener_.address(); }

  /// Takes the first lease: from then on the queue knows this node and its workers run. Error: why
  /// the queue refuses it; the node must not be run then.
  [[nodiscard]] Result<void> start();

  /// Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once.
  /// False: a task still ran at the drain time-out, or the queue or a peer still kept it waiting;
  /// the process must end without waiting for them.
  [[nodiscard]] bool run();

  /// The table of what this node can run was replaced: others are told. Any thread.
  void on_handlers_changed();

 private:
  void on_accepted(asio::ip::tcp::socket socket);
  PeerId adopt(asio::ip::tcp::socket socket);
  [[nodiscard]] Connections::Events connection_events();
  void on_object(PeerId peer, std::string_view text);
  void on_message(PeerId peer, wire::TaskMessage message);
  void on_message(PeerId peer, wire::BadTask bad);
  void on_message(PeerId peer, const wire::ResultMessage& message) {
    on_link_result(peer, message);
  }
  void on_message(PeerId peer, const wire::NodesQuery& query);
  void on_message(PeerId peer, const wire::KindsQuery& query);
  void on_message(PeerId peer, const wire::Progress& progress) { on_link_progress(peer, progress); }
  void on_message(PeerId peer, const wire::ExplainQuery& query);
  void on_message(PeerId peer, wire::PlanQuery query);
  void on_message(PeerId peer, const wire::Cancel& cancel);
  void on_message(PeerId peer, const wire::Started& started);
  void on_message(PeerId peer, const wire::CancelCopy& cancel);
  void on_message(PeerId peer, const wire::Steal& steal);
  void on_message(PeerId peer, const wire::StealRefused& refused);
  void on_message(PeerId peer, wire::QueueQuery query);
  /// What concerns the mesh alone; a cloud is in none.
  template <typename Other>
  void on_message(PeerId peer, const Other& message) {
    if constexpr (requires { mesh_.on_message(peer, message); }) {
      if (!options_.is_cloud) mesh_.on_message(peer, message);
    }
  }
  void on_link_result(PeerId link, const wire::ResultMessage& message);
  void on_link_progress(PeerId link, const wire::Progress& progress);
  void on_progress(const std::vector<TaskProgress>& news);
  void on_results(const std::vector<TaskResult>& results);
  void on_enqueued(const std::vector<LaneAnswer>& answers);
  void on_cancelled(const std::vector<std::string>& uids);
  void on_begun(const Task& task);
  void on_withdrawn(const std::vector<LaneWithdrawal>& answers);
  void on_unrunnable(const Lease& lease, bool has_others);
  void ask_queue(LaneCall call);
  void check_held_away();
  void hand_over();
  void rescue();
  void take_queued();
  void on_taken(const Result<std::vector<Lease>>& taken, bool is_last);

  void perform();
  void perform_all();
  void perform(EnqueueTask& action, LaneWork& work);
  void perform(HandOn& action, LaneWork& work);
  void perform(ShareState& action, LaneWork&) { mesh_.perform(action); }
  void perform(CloseLink& action, LaneWork&) { mesh_.perform(action); }
  void perform(ShareKinds& action, LaneWork&) { mesh_.perform(action); }
  void perform(TellProgress& action, LaneWork& work);
  void perform(TellStarted& action, LaneWork& work);
  void perform(CancelCopy& action, LaneWork& work);
  void perform(Withdraw& action, LaneWork& work);
  void perform(StealTask& action, LaneWork& work);
  void perform(RefuseSteal& action, LaneWork& work);
  void perform(ReturnResult& action, LaneWork& work);
  void perform(TellAccepted& action, LaneWork& work);
  void perform(GiveUp& action, LaneWork& work);
  void perform(FinishAway& action, LaneWork& work);
  void perform(TakeBack& action, LaneWork& work);
  [[nodiscard]] bool has_room_for(const ReturnResult& action);
  [[nodiscard]] bool is_choked(PeerId peer);
  void tell_unsent();
  void tell_unsent(PeerId link);
  void on_written(PeerId link);
  void slow_down(PeerId peer);
  void refuse(PeerId peer, const wire::TaskMessage& message, TaskError error);

  [[nodiscard]] wire::NodeIdentity identity() const;
  [[nodiscard]] DecisionNames decision_names() const;
  [[nodiscard]] std::function<void(const Task& task)> begin_event();
  void begin_record();
  [[nodiscard]] LaneEvents lane_events();
  [[nodiscard]] CloudLink::Events cloud_events();
  [[nodiscard]] CrewOptions crew_options() const;
  void serve();
  void tick();
  void look_around(Instant now);
  void arm_tick();
  void wait_for_signal();
  void drain();
  void leave_by(Instant deadline, bool is_apart);
  void leave_behind_at(Instant end);
  void end_at(Instant end);
  void say_goodbye(bool is_drained);

  const NodeOptions options_;
  TaskQueue& queue_;
  const Handlers& handlers_;
  const Clock& clock_;

  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer tick_timer_;
  asio::steady_timer ending_timer_;
  Instant tick_at_ = Instant::max();  // when it is due
  Instant look_at_;
  Listener listener_;
  Connections connections_;
  Guests guests_;

  Scheduler scheduler_;
  Actions actions_;
  Actions performed_;  // being performed; a member only to keep its memory
  bool is_performing_ = false;
  bool knows_held_ = true;  // what the queue believes to be away from here, since it restarted
  bool is_checking_held_ = false;
  bool is_queue_broken_ = false;                    // away, and does not come back by itself
  const wire::ResultMessage* forwarded_ = nullptr;  // a link's answer that is being returned
  std::atomic<bool> has_copies_ = false;            // so that what begins here matters elsewhere
  Mesh mesh_;

  std::set<std::string> unrunnable_;  // tasks that were met, of which the log has spoken
  std::set<std::string, std::less<>> exclusive_;  // tasks that are so by their task file
  json::Object scratch_;
  std::string buffer_;
  std::vector<PeerId> sent_over_;  // links, in this batch
  std::string stamp_;              // distribution_time of the tasks of this read

  Crew crew_;
  QueueLane lane_;
  std::optional<CloudLink> cloud_;

  SpinWait spin_;
  std::size_t unconfirmed_ = 0;  // tasks that the queue was given and has not answered
  Instant submitted_at_;         // when the last task went to the queue

  bool is_draining_ = false;
  bool may_hand_over_ = false;    // this node's workers lease no more
  bool is_handing_over_ = false;  // the queue was asked for tasks to hand on
  std::size_t withdrawing_ = 0;   // Withdraws that the queue has not answered
  bool has_handed_over_ = false;  // it has no more, or nobody takes them
  bool is_drained_ = false;
  bool is_goodbye_ = false;  // ends when the last connection is closed
  Instant ends_at_;          // whatever any thread waits for
  std::promise<void> nothing_away_;
  bool said_nothing_away_ = false;
  std::jthread drainer_;
};

}  // namespace fogctl
