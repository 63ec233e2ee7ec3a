#include "support/fake_sentinel.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.hpp"

namespace fogctl {

FakeSentinel::FakeSentinel() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  auto* any = reinterpret_cast<sockaddr*>(&at);
  FOGCTL_CHECK(listener_ >= 0 && ::bind(listener_, any, size) == 0);
  FOGCTL_CHECK(::listen(listener_, 8) == 0 && ::getsockname(listener_, any, &size) == 0);
  port_ = ntohs(at.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

FakeSentinel::~FakeSentinel() {
  thread_.request_stop();
  ::shutdown(listener_, SHUT_RDWR);  // ends the accept
  thread_.join();
  ::close(listener_);
}

void FakeSentinel::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    converse(client);
    ::close(client);
  }
}

// Each command comes alone, and whole.
void FakeSentinel::converse(int client) {
  std::array<char, 512> buffer{};
  while (true) {
    const auto n = ::recv(client, buffer.data(), buffer.size(), 0);
    if (n <= 0) return;
    std::string answer = "+PONG\r\n";
    const std::string_view command(buffer.data(), static_cast<std::size_t>(n));
    if (command.find("SENTINEL") != std::string_view::npos) {
      ++times_asked_;
      const std::string port = std::to_string(master_);
      answer = master_ == 0 ? "*-1\r\n"
                            : "*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(port.size()) + "\r\n" +
                                  port + "\r\n";
    }
    if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  }
}

}  // namespace fogctl
