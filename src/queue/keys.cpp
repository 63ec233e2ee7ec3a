#include "queue/keys.hpp"

#include <fmt/format.h>

namespace fogctl {

QueueKeys::QueueKeys(std::string_view queue)
    : prefix(fmt::format("{{{}}}:", queue)),
      tasks(prefix + "tasks"),
      ready(prefix + "ready"),
      oldest(prefix + "oldest"),
      delayed(prefix + "delayed"),
      cancelled(prefix + "cancelled"),
      counts(prefix + "counts"),
      attempts(prefix + "attempts"),
      holders(prefix + "holders"),
      lives(prefix + "lives"),
      workers(prefix + "workers"),
      lost(prefix + "lost"),
      askers(prefix + "askers"),
      results(prefix + "results"),
      results_age(prefix + "results_age"),
      dead(prefix + "dead"),
      dead_age(prefix + "dead_age"),
      wake(prefix + "wake"),
      probe(prefix + "probe") {}

std::string QueueKeys::held(std::string_view holder) const {
  return fmt::format("{}held:{}", prefix, holder);
}

std::string QueueKeys::lost_tasks(std::string_view holder, std::string_view life) const {
  return fmt::format("{}lost:{}:{}", prefix, holder, life);
}

std::string QueueKeys::replies(std::string_view holder) const {
  return fmt::format("{}replies:{}", prefix, holder);
}

}  // namespace fogctl
