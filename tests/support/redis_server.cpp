#include "support/redis_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/check.hpp"
#include "base/time.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl {
namespace {

constexpr auto patience = std::chrono::seconds(20);

}  // namespace

RedisServer::RedisServer(std::string appendfsync) : appendfsync_(std::move(appendfsync)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "fogctl-redis-XXXXXX").string();
  FOGCTL_CHECK(::mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  socket_ = directory_ + "/redis.sock";
  start();
}

RedisServer::~RedisServer() {
  resume();
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisServer::start() {
  FOGCTL_CHECK(pid_ < 0);
  const std::string log = directory_ + "/redis.log";
  pid_ = ::fork();
  FOGCTL_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_.c_str(),
             "--dir", directory_.c_str(), "--appendonly", "yes", "--appendfsync",
             appendfsync_.c_str(), "--save", "", "--logfile", log.c_str(), nullptr);
    ::_exit(127);
  }
  const SystemClock clock;
  const Instant deadline = clock.now() + patience;
  while (!RedisConnection::open(address(), {})) {
    if (clock.now() > deadline || ::waitpid(pid_, nullptr, WNOHANG) != 0) {
      std::fprintf(stderr, "cannot start redis-server: see %s\n", log.c_str());
      std::abort();
    }
    ::poll(nullptr, 0, 1);
  }
}

void RedisServer::stop() {
  end(SIGTERM);
}

void RedisServer::kill() {
  end(SIGKILL);
}

void RedisServer::pause() {
  ::kill(pid_, SIGSTOP);
}

void RedisServer::resume() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}

RedisAddress RedisServer::address() const {
  RedisAddress address;
  address.socket_path = socket_;
  return address;
}

void RedisServer::end(int signal) {
  if (pid_ < 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

RedisServer& shared_redis_server() {
  static RedisServer server("no");
  return server;
}

}  // namespace fogctl
