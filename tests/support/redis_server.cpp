#include "support/redis_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

RedisServer::RedisServer(std::string appendfsync, std::vector<std::string> arguments)
    : appendfsync_(std::move(appendfsync)), arguments_(std::move(arguments)) {
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

void RedisServer::launch(const std::vector<std::string>& more) {
  FOGCTL_CHECK(pid_ < 0);
  std::vector<std::string> words = {"redis-server",
                                    "--port",
                                    "0",
                                    "--unixsocket",
                                    socket_,
                                    "--dir",
                                    directory_,
                                    "--appendonly",
                                    "yes",
                                    "--appendfsync",
                                    appendfsync_,
                                    "--save",
                                    "",
                                    "--logfile",
                                    directory_ + "/redis.log"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  FOGCTL_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::execvp("redis-server", argv.data());
  ::_exit(127);
}

void RedisServer::start() {
  launch();
  const SystemClock clock;
  const Instant deadline = clock.now() + patience;
  while (!RedisConnection::open(address(), {})) {
    if (clock.now() > deadline || ::waitpid(pid_, nullptr, WNOHANG) != 0) {
      std::fprintf(stderr, "cannot start redis-server: see %s\n", directory_.c_str());
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

RedisReply ask_redis(const RedisAddress& address, std::initializer_list<std::string_view> command) {
  const auto connection = RedisConnection::open(address, {});
  FOGCTL_CHECK(connection.has_value());
  auto reply = (*connection)->call(command);
  FOGCTL_CHECK(reply.has_value());
  return *reply;
}

std::uint16_t idle_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  auto* any = reinterpret_cast<sockaddr*>(&at);
  FOGCTL_CHECK(fd >= 0 && ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0);
  ::close(fd);
  return ntohs(at.sin_port);
}

RedisServer& shared_redis_server() {
  static RedisServer server("no");
  return server;
}

}  // namespace fogctl
