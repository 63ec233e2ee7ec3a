#include "support/lossy_relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace fogctl {
namespace {

struct Pair {
  int client = -1;
  int server = -1;
};

int connect_to(const std::string& socket_path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  FOGCTL_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

bool send_all(int to, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

LossyRelay::LossyRelay(std::string socket_path) : socket_path_(std::move(socket_path)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  FOGCTL_CHECK(::bind(listener_, any, length) == 0 && ::listen(listener_, 16) == 0);
  FOGCTL_CHECK(::getsockname(listener_, any, &length) == 0 && ::pipe(stop_) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { run(); });
}

LossyRelay::~LossyRelay() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
}

bool LossyRelay::pass_on_answer(int to, std::span<const char> bytes) {
  if (left_ > 0 && --left_ == 0) return false;
  if (!drips_) return send_all(to, bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!send_all(to, bytes.subspan(i, 1))) return false;
    pollfd stop{stop_[0], POLLIN, 0};
    if (::poll(&stop, 1, 20) > 0) return false;
  }
  return true;
}

void LossyRelay::run() {
  std::vector<Pair> pairs;
  const auto pass_on = [&](int from, int to, bool is_answer) {
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(from, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    if (const char* own = is_answer ? nullptr : own_answer_.load()) {
      ++own_answers_;
      return send_all(from, std::string_view(own));
    }
    const auto whole = std::span(bytes).first(static_cast<std::size_t>(got));
    return is_answer ? pass_on_answer(to, whole) : send_all(to, whole);
  };
  while (true) {
    std::vector<pollfd> polled = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      polled.push_back({pair.client, POLLIN, 0});
      polled.push_back({pair.server, POLLIN, 0});
    }
    FOGCTL_CHECK(::poll(polled.data(), polled.size(), -1) > 0);
    if (polled[0].revents != 0) break;
    std::vector<Pair> open;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Pair& pair = pairs[i];
      bool is_open = true;
      if (polled[2 * i + 2].revents != 0) is_open = pass_on(pair.client, pair.server, false);
      if (polled[2 * i + 3].revents != 0) is_open &= pass_on(pair.server, pair.client, true);
      if (is_open) {
        open.push_back(pair);
      } else {
        ::close(pair.client);
        ::close(pair.server);
      }
    }
    pairs = std::move(open);
    if (polled[1].revents != 0) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client >= 0) pairs.push_back({client, connect_to(socket_path_)});
    }
  }
  for (const Pair& pair : pairs) {
    ::close(pair.client);
    ::close(pair.server);
  }
}

}  // namespace fogctl
