#include "queue/kept_results.hpp"

#include "queue/record.hpp"

namespace fogctl {

void KeptResults::keep(const std::string& uid, const TaskResult& result, std::uint64_t digest,
                       Instant now, const QueueLimits& limits) {
  drop(uid);
  const Kept kept{result, digest, now + limits.result_ttl, next_order_++, record_size(result)};
  bytes_ += kept.bytes;
  by_age_.emplace(std::pair(kept.expiry, kept.order), uid);
  kept_.emplace(uid, kept);
  while (!by_age_.empty() &&
         (bytes_ > limits.max_result_bytes || by_age_.begin()->first.first < now)) {
    drop(std::string(by_age_.begin()->second));
  }
}

const KeptResults::Kept* KeptResults::find(const std::string& uid, Instant now) const {
  const auto found = kept_.find(uid);
  return found == kept_.end() || found->second.expiry < now ? nullptr : &found->second;
}

void KeptResults::drop(const std::string& uid) {
  const auto found = kept_.find(uid);
  if (found == kept_.end()) return;
  bytes_ -= found->second.bytes;
  by_age_.erase({found->second.expiry, found->second.order});
  kept_.erase(found);
}

}  // namespace fogctl
