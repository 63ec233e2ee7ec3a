#include "work/crew.hpp"

#include <utility>

#include "base/log.hpp"

namespace fogctl {

Crew::Crew(TaskQueue& queue, const Handlers& handlers, const Clock& clock, CrewOptions options,
           CrewEvents events)
    : queue_(queue),
      clock_(clock),
      options_(std::move(options)),
      pool_(queue, handlers, clock, options_.pool,
            {events.on_results, std::move(events.on_begun), std::move(events.on_unrunnable)}),
      keeper_(queue, pool_, clock, {options_.lease, options_.watchdog},
              {std::move(events.on_lost), events.on_progress}),
      listener_(queue,
                {.on_replies = std::move(events.on_results),
                 .on_progress = std::move(events.on_progress),
                 .on_cancelled =
                     [this, told = std::move(events.on_cancelled)](std::vector<std::string> uids) {
                       pool_.cancel(uids);
                       if (told) told(std::move(uids));
                     },
                 .on_work = [this](bool is_news) { pool_.wake(is_news); }}) {}

Result<void> Crew::start() {
  if (auto kept = keeper_.start(); !kept) return kept;  // before anything is held
  listener_.start();                                    // before the first reply can come
  pool_.start();
  return {};
}

void Crew::stop_leasing(Instant deadline) {
  queue_.end_by(deadline + leaving_time);
  pool_.stop_leasing();
}

bool Crew::drain(Instant deadline) {
  return pool_.drain(deadline);
}

void Crew::leave() {
  queue_.end_by(clock_.now() + leaving_time);
  listener_.stop();
  keeper_.stop();  // not before the last task is told: the lease must hold until then
  if (const auto left = queue_.leave(clock_.now()); !left) {
    log(LogLevel::warning, "what is held comes back when the lease runs out: {}",
        left.error().message);
  }
}

}  // namespace fogctl
