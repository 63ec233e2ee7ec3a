#include "node/task_reload.hpp"

#include <csignal>
#include <utility>

namespace fogctl {

TaskReload::TaskReload(std::function<void()> reread)
    : reread_(std::move(reread)), signals_(io_, SIGHUP) {
  wait();
  thread_ = std::jthread([this] {
    io_.run();
    ended_.set_value();
  });
}

TaskReload::~TaskReload() {
  io_.stop();
}

bool TaskReload::end(Duration patience) {
  io_.stop();
  return end_.wait_for(patience) == std::future_status::ready;
}

void TaskReload::wait() {
  signals_.async_wait([this](asio::error_code error, int) {
    if (error) return;
    reread_();
    wait();
  });
}

}  // namespace fogctl
