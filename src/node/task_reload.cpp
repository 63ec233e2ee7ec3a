#include "node/task_reload.hpp"

#include <csignal>
#include <utility>

namespace fogctl {

TaskReload::TaskReload(std::function<void()> reread)
    : reread_(std::move(reread)), signals_(io_, SIGHUP) {
  wait();
  thread_ = std::jthread([this] { io_.run(); });
}

TaskReload::~TaskReload() {
  io_.stop();
}

void TaskReload::wait() {
  signals_.async_wait([this](asio::error_code error, int) {
    if (error) return;
    reread_();
    wait();
  });
}

}  // namespace fogctl
