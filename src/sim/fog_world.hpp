// The world of a simulated fog: nodes, links, the cloud, endpoints, and the events between them.
// For run_fog alone. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "placement/placement.hpp"
#include "sim/event_queue.hpp"
#include "sim/fog_node.hpp"
#include "sim/slab.hpp"
#include "sim/tally.hpp"

namespace fogctl::sim {

class FogWorld {
 public:
  FogWorld(const Scenario& scenario, const Trace& trace, const Policy& policy, std::uint64_t seed);
  Tally run();

 private:
  static constexpr std::uint32_t no_node = ~std::uint32_t{0};
  enum class Kind : std::uint8_t {
    finish,             // number: a worker
    client_task,        // number: a task that comes to the node, or waited for it to thaw
    hedge,              // number: a task; has its endpoint heard that it was accepted?
    accepted,           // ... its endpoint hears that the node has accepted it
    given_up,           // ... the node hears that its endpoint gives it up
    answer,             // number: a message, from the node to the endpoint
    task,               // number: a message that arrives, like the six below
    result,             // ... the answer to a task handed on
    cloud_result,       // ... likewise, from the cloud
    state,              // ... how busy a neighbour is
    copy_started,       // ... a neighbour has begun a copy
    copy_cancelled,     // ... a neighbour needs a copy no more
    steal,              // ... a neighbour asks for a task
    steal_refused,      // ... a neighbour has none
    closed,             // ... the neighbour closed the link
    tick,               // the Scheduler's
    resume,             // of workers that were stopped
    redial,             // number: a link that is down
    misfortune,         // number: in the trace's events
    end_of_misfortune,  // ... likewise
  };
  struct Event {
    Kind kind;
    std::uint32_t node = 0;
    std::uint32_t number = 0;
  };
  struct Link {
    TracedLink ends;
    std::uint32_t life = 0;    // counts its connections
    std::array<bool, 2> up{};  // as each end sees it
    Instant cut_until;
  };
  struct Message {
    PeerId link = 0;
    std::int64_t id = 0;
    TaskPtr task;
    TaskResult result;
    std::shared_ptr<const NodeState> state;
    std::uint32_t cloud_life = 0;
    StealRequest request;
    Duration retry_after{};
  };
  /// What is known of a task beside its trace.
  struct Fate {
    std::uint32_t home = 0;         // the node that its endpoint talks to
    std::uint32_t other = no_node;  // ... and the one that got it too, since home did not answer
    bool is_accepted = false;       // by one of them, as the endpoint heard
    bool is_given_up = false;       // ... by the other: home was told so
    bool is_answered = false;
    bool has_run = false;  // a run of it has finished
  };

  // What happens: fog_world.cpp.
  void handle(const Event& event, Instant now);
  void deliver(const Event& event, Instant now);
  [[nodiscard]] bool must_wait(const Event& event, Instant now);
  [[nodiscard]] bool still_matters(const Event& event);
  [[nodiscard]] bool is_measured(const TracedTask& task) const;

  // What endpoints do: fog_world_endpoints.cpp.
  void arrive(std::uint32_t task, Instant now);
  void give(std::uint32_t node, std::uint32_t task, Instant now);
  void hedge(std::uint32_t task, Instant now);
  void note_accepted(std::uint32_t node, std::uint32_t task, Instant now);
  void give_up(std::uint32_t node, std::uint32_t task, Instant now);
  void answer_client(std::uint32_t node, const TaskResult& result, Instant now);
  void leave_dead(std::uint32_t node, Instant now);
  [[nodiscard]] Duration way_of(const Fate& fate, std::uint32_t node) const;
  [[nodiscard]] std::uint32_t living_node_for(std::uint32_t task) const;
  [[nodiscard]] std::uint32_t other_node_for(std::uint32_t task) const;

  // A node's doings: fog_world_nodes.cpp.
  void start(std::uint32_t node, Instant now);
  /// Lets the node's Scheduler know something, and does what it wants.
  template <typename What>
  void tell(std::uint32_t node, Instant now, What what) {
    what(*nodes_[node].scheduler);
    perform_all(node, now);
  }
  void perform_all(std::uint32_t node, Instant now);
  void perform(std::uint32_t node, const EnqueueTask& action, Instant now);
  void perform(std::uint32_t node, const HandOn& action, Instant now);
  void perform(std::uint32_t node, ReturnResult& action, Instant now);
  void perform(std::uint32_t node, const TakeBack& action, Instant now);
  void perform(std::uint32_t node, const ShareState& action, Instant now);
  void perform(std::uint32_t node, const CloseLink& action, Instant now);
  void perform(std::uint32_t node, const TellAccepted& action, Instant now);
  void perform(std::uint32_t, const GiveUp&, Instant) {}
  void perform(std::uint32_t, const FinishAway&, Instant) {}
  // Every simulated node can run all of them.
  void perform(std::uint32_t, const ShareKinds&, Instant) {}
  void perform(std::uint32_t, const TellProgress&, Instant) {}
  void perform(std::uint32_t node, const TellStarted& action, Instant now);
  void perform(std::uint32_t node, const CancelCopy& action, Instant now);
  void perform(std::uint32_t node, const Withdraw& action, Instant now);
  void perform(std::uint32_t node, const StealTask& action, Instant now);
  void perform(std::uint32_t node, const RefuseSteal& action, Instant now);
  void wait(std::uint32_t node, std::uint32_t task, Instant start_by, Instant arrival);
  void arm_tick(std::uint32_t node);
  void serve(std::uint32_t node, Instant now);
  void finish(std::uint32_t node, std::uint32_t worker, Instant now);
  void note_run(std::uint32_t task, Duration length);

  // Links, and what befalls nodes: fog_world_links.cpp.
  [[nodiscard]] PeerId id_of(const Link& link) const;
  /// The link, while `node` sees it as up under this id; else null.
  [[nodiscard]] Link* link_at(std::uint32_t node, PeerId id);
  [[nodiscard]] static std::uint32_t other_end(const Link& link, std::uint32_t node);
  void send(std::uint32_t from, Kind kind, Message message, Instant now);
  void open(Link& link, Instant now);
  void lose(std::uint32_t node, Link& link, Instant now);
  void redial(std::uint32_t number, Instant now);
  void befall(std::uint32_t number, Instant now);
  void recover(const TimedEvent& event, Instant now);
  void stop(std::uint32_t node, const TimedEvent& event, Instant now);
  void die(std::uint32_t node, Instant now);
  void rise(std::uint32_t node, Instant now);
  void cut(const TimedEvent& event, Instant now);

  const Scenario& scenario_;
  const Trace& trace_;
  const Policy& policy_;
  const bool hedges_;
  Random random_;
  std::vector<FogNode> nodes_;
  std::vector<std::string> names_;
  std::vector<Link> links_;
  std::vector<Fate> fates_;
  EventQueue<Event> events_;
  Slab<Message> messages_;
  Actions actions_;
  std::uint32_t next_arrival_ = 0;
  std::uint32_t cloud_life_ = 0;
  int cloud_away_ = 0;
  std::uint64_t unanswered_ = 0;  // of those that have arrived
  Tally tally_;
};

}  // namespace fogctl::sim
