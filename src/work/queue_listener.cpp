#include "work/queue_listener.hpp"

#include <utility>

#include "base/log.hpp"

namespace fogctl {
namespace {

constexpr std::chrono::seconds longest_silence(1);
constexpr std::chrono::milliseconds pause_after_error(100);

}  // namespace

QueueListener::QueueListener(TaskQueue& queue, Events events)
    : queue_(queue), events_(std::move(events)) {}

void QueueListener::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
}

void QueueListener::stop() {
  thread_.request_stop();
  queue_.interrupt();
  if (thread_.joinable()) thread_.join();
}

void QueueListener::listen(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto news = queue_.wait(longest_silence);
    if (!news) {
      log(LogLevel::debug, "waiting for the queue: {}", news.error().message);
      std::unique_lock lock(mutex_);
      stopped_.wait_for(lock, stop, pause_after_error, [] { return false; });
      continue;
    }
    if (!news->progress.empty() && events_.on_progress) {
      events_.on_progress(std::move(news->progress));
    }
    if (!news->replies.empty() && events_.on_replies) events_.on_replies(std::move(news->replies));
    if (!news->cancelled.empty()) events_.on_cancelled(std::move(news->cancelled));
    // Also after a silence: a word that was lost with a connection must not leave work lying.
    if (events_.on_work) events_.on_work(news->work);
  }
}

}  // namespace fogctl
