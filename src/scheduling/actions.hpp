// What the Scheduler wants done: plain values that the node performs on sockets and the queue, and
// the simulator as events. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "placement/placement.hpp"
#include "task/kinds.hpp"
#include "task/task.hpp"

namespace fogctl {

/// A connection or link, as its owner numbers them.
using PeerId = std::uint64_t;
/// Stands for the link to the cloud; connections are numbered from 1.
inline constexpr PeerId cloud_link = 0;

/// Who waits for a task's result, and under which id.
struct Origin {
  PeerId peer = 0;
  std::string task_id;        // JSON text, as it came
  bool extended = false;      // the peer reads protocol.md part 3
  bool has_uid = false;       // its task carried a task_uid
  bool wants_accept = false;  // is to be told once the task is in the queue
  std::int64_t steal = 0;     // this node's request that it answers; 0: none
  bool is_neighbour = false;  // the peer is, or was then: it has the task in its own queue
};
/// The peer of nobody: a task that was found in the queue.
inline constexpr PeerId nobody = ~PeerId{0};

/// Add the task to the queue: to be run here, or held as away before it is handed on.
struct EnqueueTask {
  TaskPtr task;
  Instant arrival;
  Instant start_by;
  bool away = false;
};

/// Hand the task on under an id of this process's own.
struct HandOn {
  PeerId link = 0;  // a neighbour's, or cloud_link
  TaskPtr task;
  std::int64_t id = 0;
  std::int64_t steal = 0;  // the neighbour's request that it answers; 0: none
};

/// A node with free workers asks for a task that waits elsewhere.
struct StealRequest {
  std::int64_t number = 0;  // the node's own, > 0
  std::size_t workers = 1;  // that are free
};

/// Ask a neighbour so.
struct StealTask {
  PeerId link = 0;
  StealRequest request;
};

/// The neighbour asked, and gets none.
struct RefuseSteal {
  PeerId link = 0;
  std::int64_t request = 0;
  Duration retry_after{};
};

/// Give the result to one that waits for it.
struct ReturnResult {
  Origin origin;
  TaskPtr task;  // as it was placed: what a result copies
  TaskResult result;
  bool is_forwarded = false;  // a link's answer: it passes as it came, but for the id
};

/// Tell one that waits for it that the task is in the queue, and where it will run.
struct TellAccepted {
  Origin origin;
  TaskPtr task;  // as it was placed
};

/// Tell one that waits for it how much of the task is done.
struct TellProgress {
  Origin origin;
  std::string uid;
  double share = 0;  // from 0 to 1
};

/// Tell a peer that a task which was handed to it is given up.
struct GiveUp {
  PeerId link = 0;
  std::string uid;
};

/// Tell the peer that a worker has begun the copy that came from it.
struct TellStarted {
  Origin origin;
};

/// Tell a neighbour that a copy is not needed any more; it answers nothing to that.
struct CancelCopy {
  PeerId link = 0;
  std::string uid;
};

/// Hold this queued task as away, unless a worker has it: the queue does either in one step.
struct Withdraw {
  std::string uid;
};

/// The answer of a task that was away came: end it in the queue.
struct FinishAway {
  TaskPtr task;
  std::uint32_t lease_number = 0;
  TaskResult result;
  std::string reply_to;       // the node that had queued it, where the queue said so
  bool unless_asked = false;  // where other nodes asked for it, it goes back into the queue instead
  std::uint32_t dead_after = 0;  // runs, where it failed for good: it is kept in the dead set
};

/// A task that was away comes back into this node's queue.
struct TakeBack {
  std::string uid;
  std::uint32_t lease_number = 0;
};

/// What a node tells its neighbours of itself.
struct NodeState {
  std::optional<Duration> expected_wait;  // of a task that comes now; none: it takes no task
  std::size_t workers = 0;                // that serve its queue
  std::size_t queued = 0;
  std::size_t running = 0;
  std::uint64_t sequence = 0;
  std::optional<WaitProfile> waits = {};  // of tasks that come now, by their urgency
  Duration sharing_interval = std::chrono::seconds(1);
  bool takes_copies = false;
  bool steals = false;  // it may be asked for tasks that wait there
};

/// Tell these neighbours how busy this node is.
struct ShareState {
  std::vector<PeerId> links;
  NodeState state;
};

/// Tell these neighbours which tasks this node can run.
struct ShareKinds {
  std::vector<PeerId> links;
  TaskKinds kinds;
};

/// Close the link to a neighbour; what it still had comes back by on_peer_lost.
struct CloseLink {
  enum class Why {
    silent,     // the peer was not heard of
    duplicate,  // there is another link to the same node
    surplus,    // there are enough neighbours
  };
  PeerId link = 0;
  Why why = Why::silent;
};

using Action = std::variant<EnqueueTask, HandOn, ReturnResult, TellAccepted, GiveUp, FinishAway,
                            TakeBack, ShareState, CloseLink, ShareKinds, TellProgress, TellStarted,
                            CancelCopy, Withdraw, StealTask, RefuseSteal>;
using Actions = std::vector<Action>;

}  // namespace fogctl
