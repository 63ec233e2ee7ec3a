// What the lease keeper asks the pool of its runs: which have begun, and how far they are.
#include "work/worker_pool.hpp"

namespace fogctl {

std::vector<LeaseRef> WorkerPool::take_begun(Instant since) {
  const Lock lock(mutex_);
  std::vector<LeaseRef> begun;
  for (Slot& slot : slots_) {
    if (slot.told || !slot.running || slot.since > since) continue;
    slot.told = true;
    begun.push_back(*slot.running);
  }
  return begun;
}

std::vector<TaskProgress> WorkerPool::take_progress() {
  const Lock lock(mutex_);
  std::vector<TaskProgress> news;
  for (Slot& slot : slots_) {
    const double share = slot.share;
    if (!slot.running || share == slot.told_share) continue;
    slot.told_share = share;
    news.push_back(
        {slot.running->uid, share, slot.reply_to.empty() ? options_.holder : slot.reply_to});
  }
  return news;
}

}  // namespace fogctl
