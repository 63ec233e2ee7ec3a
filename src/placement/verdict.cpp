#include "placement/verdict.hpp"

namespace fogctl {
namespace {

struct Words {
  std::string_view name;
  std::string_view explanation;
};

Words words_of(PlaceVerdict verdict) {
  switch (verdict) {
    case PlaceVerdict::chosen:
      return {"chosen", "chosen"};
    case PlaceVerdict::copied:
      return {"copied", "a copy of it waits there too"};
    case PlaceVerdict::in_time:
      return {"in_time", "it would start there in time too"};
    case PlaceVerdict::late:
      return {"late", "it would be late there"};
    case PlaceVerdict::has_handed_on:
      return {"has_handed_on", "has handed the task on before"};
    case PlaceVerdict::no_hops_left:
      return {"no_hops_left", "the task may be handed on no more"};
    case PlaceVerdict::cannot_run:
      return {"cannot_run", "cannot run it"};
    case PlaceVerdict::came_from:
      return {"came_from", "the task came from there"};
    case PlaceVerdict::tried:
      return {"tried", "had the task before, and brought no result"};
    case PlaceVerdict::has_copy:
      return {"has_copy", "has a copy of the task"};
    case PlaceVerdict::too_long:
      return {"too_long", "the task is longer than what it reads"};
    case PlaceVerdict::takes_none:
      return {"takes_none", "takes no task now"};
    case PlaceVerdict::silent:
      return {"silent", "what it last said is too old"};
    case PlaceVerdict::no_link:
      return {"no_link", "the link is down"};
    case PlaceVerdict::link_full:
      return {"link_full", "much is to be sent there yet"};
    case PlaceVerdict::no_worker:
      return {"no_worker", "no worker serves the queue"};
    case PlaceVerdict::queue_away:
      return {"queue_away", "the queue does not answer"};
    case PlaceVerdict::queue_paused:
      return {"queue_paused", "the queue is paused"};
    case PlaceVerdict::queue_full:
      return {"queue_full", "the queue is full"};
    case PlaceVerdict::stopping:
      return {"stopping", "the node is stopping"};
  }
  return {};
}

}  // namespace

std::string_view to_string(PlaceVerdict verdict) {
  return words_of(verdict).name;
}

std::string_view explanation_of(PlaceVerdict verdict) {
  return words_of(verdict).explanation;
}

Judgement judge(const Policy& policy, const Task& task, const ClusterView& view,
                const Candidate& candidate) {
  const Duration left = policy.headroom(task, view, candidate);
  if (candidate.site == Site::neighbour) {
    if (has_handed_on(candidate, task)) return {PlaceVerdict::has_handed_on, left};
    if (!may_hand_on(task, view)) return {PlaceVerdict::no_hops_left, left};
  }
  return {left < Duration::zero() ? PlaceVerdict::late : PlaceVerdict::in_time, left};
}

}  // namespace fogctl
