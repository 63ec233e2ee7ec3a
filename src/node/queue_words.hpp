// What the queue says, in the Scheduler's words. Any thread.
#pragma once

#include "node/queue_lane.hpp"
#include "scheduling/backlog.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {

[[nodiscard]] QueueBacklog backlog_of(const QueueLoad& load);
[[nodiscard]] QueueOrder queue_order(const Policy& policy);
[[nodiscard]] EnqueueAnswer enqueue_answer(const LaneAnswer& answer);

}  // namespace fogctl
