// THE ALGORITHM's vocabulary: where could a task run, and which place a policy chooses. Pure:
// values in, values out; no clock, no I/O, no log, no randomness but the draw that is passed in.
// Ties break by node id: equal inputs, equal answer. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "task/task.hpp"

namespace fogctl {

enum class Site : std::uint8_t { here, neighbour, cloud };
/// As it stands in messages.
[[nodiscard]] std::string_view to_string(Site site);

/// How long a task waits before it starts, and how far from that it may be.
struct WaitEstimate {
  Duration mean{};
  Duration deviation{};  // standard
};

/// What a node says of its waits, for tasks of different urgency: the shorter the slack, the fewer
/// are served before it. One for each of `wait_slacks`.
inline constexpr std::array<Duration, 9> wait_slacks = {
    std::chrono::milliseconds(0),   std::chrono::milliseconds(10),
    std::chrono::milliseconds(20),  std::chrono::milliseconds(40),
    std::chrono::milliseconds(80),  std::chrono::milliseconds(160),
    std::chrono::milliseconds(320), std::chrono::milliseconds(640),
    std::chrono::milliseconds(1280)};
using WaitProfile = std::array<WaitEstimate, wait_slacks.size()>;

/// A place where the task could run, and what is known of it. The texts are the caller's and
/// outlive the decision.
struct Candidate {
  Site site = Site::here;
  std::string_view node;      // id; of an original neighbour its address; empty for the cloud
  std::string_view address;   // as it would stand in offloading_fog
  bool is_original = false;   // a neighbour of the original system: knows addresses, no ids
  bool takes_copies = false;  // a neighbour that ties them, too
  Duration expected_wait{};   // before the task would start there, the link apart
  Duration link_delay{};      // a round trip
  Duration report_age{};      // since the node said so
  WaitEstimate start_wait{};  // of this task, in start-by order; only for who reads_start_wait
  std::size_t workers = 0;    // of a neighbour; 0: it has not said
};

/// The node has handed the task on before: there it must not go again (protocol.md parts 2 and 3).
[[nodiscard]] bool has_handed_on(const Candidate& neighbour, const Task& task);

/// What a node knows at one instant. A place that cannot be had is absent.
struct ClusterView {
  std::optional<Candidate> local;     // absent: no live worker, or the queue is away
  std::vector<Candidate> neighbours;  // sorted by node
  std::optional<Candidate> cloud;
  std::size_t copies = 0;  // that the task has already; their neighbours are absent
  Duration slack{};        // until the task is to start; negative: it is late
  bool fog_on = true;      // false: neighbours are not asked at all (the original's "fog off")
};

struct Placement {
  Site site = Site::here;
  std::string_view node;  // as the candidate named it
  Duration expected_wait{};
};

/// The policy may send the task to a neighbour: it has hand-overs left.
[[nodiscard]] inline bool may_hand_on(const Task& task, const ClusterView& view) {
  return view.fog_on && task.offload_times < task.max_offload;
}

/// Where to run it; none: nowhere now. Behind a first one that is here there may be neighbours: the
/// task waits there as well, as a copy, and runs where a worker has it first. `reason` explains it
/// to people; it is kept, so it names a constant.
struct Plan {
  std::vector<Placement> placements;
  std::string_view reason;
  Duration again_after{};  // then it is looked at again, if it has not begun; zero: never
};

/// What an operator may tune; constant while a node runs.
struct Tuning {};

enum class ServingOrder { start_by, fifo };

/// What is left of the time within which the task is to start if it goes to that candidate, as a
/// policy reckons it; negative: it would be late by so much. Saturates.
using Headroom = Duration (*)(const Task& task, const ClusterView& view,
                              const Candidate& candidate);
/// Slack, less the way and the mean wait.
[[nodiscard]] inline Duration mean_headroom(const Task& /*task*/, const ClusterView& view,
                                            const Candidate& candidate) {
  return subtract_saturating(view.slack,
                             add_saturating(candidate.start_wait.mean, candidate.link_delay));
}

struct Policy {
  std::string_view name;
  std::string_view summary;
  Plan (*place)(const Task& task, const ClusterView& view, const Tuning& tuning,
                std::uint64_t draw);
  ServingOrder order;
  bool reads_start_wait = false;      // else the candidates' start_wait is not worked out
  Headroom headroom = mean_headroom;  // by which it judges candidates, as people are told
  /// Its plans have copies; a task that does not begin here in time goes to the cloud at the last
  /// moment. Else nobody has to tell when a task begins.
  bool ties_copies = false;
  /// A node with a free worker asks neighbours for tasks that wait there, and is asked.
  bool steals = false;
};

/// Every policy, the oldest first: what --policy, its help and the tests read.
[[nodiscard]] std::span<const Policy> policies();
/// The one that brings the most tasks in time.
inline constexpr std::string_view default_policy = "in-time";
[[nodiscard]] const Policy* find_policy(std::string_view name);

}  // namespace fogctl
