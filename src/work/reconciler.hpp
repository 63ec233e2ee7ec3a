// After the queue came back with less than it had, it may believe that this process holds tasks
// which it finished or gave back, that having been forgotten. Nobody would ever run them: the lease
// is renewed. This finds them. Belongs to one thread.
//
// A lease that the pool does not know may also be one whose answer is on its way: so it takes two
// looks, apart. Where that is not enough, the task runs twice and the queue refuses one result.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {

class Reconciler {
 public:
  Reconciler(TaskQueue& queue, const WorkerPool& pool) : queue_(queue), pool_(pool) {}

  /// To be called often. What is to be given back, the queue being wrong about it; nearly always
  /// nothing. Error: the queue did not answer, and is asked again by the next call.
  [[nodiscard]] Result<std::vector<LeaseRef>> tend(Instant now);

 private:
  enum class Stage { at_rest, first_look, second_look };

  TaskQueue& queue_;
  const WorkerPool& pool_;
  std::string incarnation_;
  Stage stage_ = Stage::at_rest;
  Instant look_at_;
  std::vector<LeaseRef> suspects_;  // of the first look
};

}  // namespace fogctl
