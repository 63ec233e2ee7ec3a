#include "work/watchdog.hpp"

#include <numeric>
#include <utility>

namespace fogctl {

std::size_t leasable(const QueueLoad& load) {
  if (load.is_paused) return 0;  // what is delayed is not among the queued
  return std::accumulate(load.queued.begin(), load.queued.end(), std::size_t{0});
}

bool Watchdog::wants_load(const PoolPulse& pulse, Instant now) {
  if (now < look_at_) return false;
  look_at_ = now + patience_ / 10;
  const bool is_quiet = pulse.leased == leased_ && pulse.free > 0 && !pulse.is_draining;
  if (is_quiet || stage_ == Stage::alarm) return true;
  leased_ = pulse.leased;
  (void)calm_down();
  return false;
}

WatchdogStep Watchdog::look(const std::optional<QueueLoad>& load, const PoolPulse& pulse,
                            Instant now) {
  const bool has_moved = std::exchange(leased_, pulse.leased) != pulse.leased;
  if (has_moved || (load && leasable(*load) == 0)) return calm_down();
  if (!load || pulse.free == 0 || pulse.is_draining) {
    still_since_.reset();  // this cannot be told now; an alarm stays until it is known to be over
    return WatchdogStep::none;
  }
  if (!still_since_) still_since_ = now;
  if (now - *still_since_ < patience_ * (stage_ == Stage::calm ? 1 : 2)) return WatchdogStep::none;
  if (stage_ == Stage::calm) {
    stage_ = Stage::reconnected;
    return WatchdogStep::reconnect;
  }
  if (stage_ == Stage::alarm) return WatchdogStep::none;
  stage_ = Stage::alarm;
  return WatchdogStep::give_alarm;
}

WatchdogStep Watchdog::calm_down() {
  still_since_.reset();
  const bool was_alarm = stage_ == Stage::alarm;
  stage_ = Stage::calm;
  return was_alarm ? WatchdogStep::end_alarm : WatchdogStep::none;
}

Duration Watchdog::still_for(Instant now) const {
  return still_since_ ? now - *still_since_ : Duration::zero();
}

}  // namespace fogctl
