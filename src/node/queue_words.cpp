#include "node/queue_words.hpp"

#include "base/check.hpp"

namespace fogctl {

QueueBacklog backlog_of(const QueueLoad& load) {
  QueueBacklog backlog;
  for (std::size_t i = 0; i < task_class_count; ++i) {
    backlog.tasks[i] = load.queued[i] + load.leased[i];
    backlog.running += load.leased[i];
  }
  backlog.workers = load.workers;
  backlog.is_paused = load.is_paused;
  return backlog;
}

QueueOrder queue_order(const Policy& policy) {
  return policy.order == ServingOrder::fifo ? QueueOrder::fifo : QueueOrder::start_by;
}

EnqueueAnswer enqueue_answer(const LaneAnswer& answer) {
  using Kind = EnqueueAnswer::Kind;
  const Result<EnqueueOutcome>& outcome = answer.outcome;
  if (!outcome) {
    const Kind kind = may_recover(outcome.error()) ? Kind::unavailable : Kind::failed;
    return {kind, 0, {}, outcome.error().message};
  }
  switch (outcome->status) {
    case EnqueueStatus::accepted:
      return {Kind::queued, 0, {}, {}};
    case EnqueueStatus::duplicate:
      return {Kind::queued, 0, {}, {}, true};
    case EnqueueStatus::leased:  // at once, by this node's own workers, unless it was to be away
      return {answer.is_away ? Kind::away : Kind::queued, outcome->number, {}, {}};
    case EnqueueStatus::done:
      return {Kind::done, 0, outcome->result, {}};
    case EnqueueStatus::conflict:
      return {Kind::conflict, 0, {}, {}};
    case EnqueueStatus::overloaded:
      return {Kind::overloaded, 0, {}, {}};
    case EnqueueStatus::no_room:
      return {Kind::no_room, 0, {}, outcome->why};
  }
  FOGCTL_CHECK(false);
}

}  // namespace fogctl
