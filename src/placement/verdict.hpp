// What became of each place that was thought of for a task, in a policy's own terms: for people who
// ask why. Pure. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "placement/placement.hpp"

namespace fogctl {

enum class PlaceVerdict : std::uint8_t {
  // Of a candidate.
  chosen,
  copied,         // a neighbour where a copy of it waits, too
  in_time,        // it would start there in time too
  late,           // it would not, by the policy's reckoning
  has_handed_on,  // the node has handed the task on before
  no_hops_left,   // a neighbour, and the task may be handed on no more
  // Of a place that was none: the policy did not see it.
  cannot_run,    // it has no handler for the task
  came_from,     // who waits for the result there
  tried,         // it had the task, and brought no result
  has_copy,      // it has a copy of the task
  too_long,      // the task's message is longer than what it reads
  takes_none,    // it says that it takes no task now, or has not said how busy it is
  silent,        // what it last said is too old
  no_link,       // the cloud is away
  link_full,     // much is to be sent to it yet
  no_worker,     // no worker serves this node's queue
  queue_away,    // this node's queue does not answer
  queue_paused,  // ... or begins nothing
  queue_full,    // ... or has no room
  stopping,      // this node
};

/// As it stands in messages: "in_time".
[[nodiscard]] std::string_view to_string(PlaceVerdict verdict);
/// What it means, for people.
[[nodiscard]] std::string_view explanation_of(PlaceVerdict verdict);

struct Judgement {
  PlaceVerdict verdict = PlaceVerdict::late;
  Duration headroom{};  // as the policy reckons it
};
/// What the policy holds of a candidate that it did not choose.
[[nodiscard]] Judgement judge(const Policy& policy, const Task& task, const ClusterView& view,
                              const Candidate& candidate);

}  // namespace fogctl
