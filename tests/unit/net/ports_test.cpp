#include "net/ports.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

namespace fogctl {
namespace {

struct Options {
  bool reuse = false;
  bool listen = false;
};

/// A socket of the test's own, bound to a port that the kernel chose (or `port`).
class TestSocket {
 public:
  TestSocket(const std::string& host, Options options, std::uint16_t port = 0) {
    const bool is_v6 = host.find(':') != std::string::npos;
    fd_ = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = options.reuse ? 1 : 0;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in6 ip6{};
    sockaddr_in ip4{};
    ip6.sin6_family = AF_INET6;
    ip4.sin_family = AF_INET;
    ip6.sin6_port = ip4.sin_port = htons(port);
    ::inet_pton(is_v6 ? AF_INET6 : AF_INET, host.c_str(),
                is_v6 ? static_cast<void*>(&ip6.sin6_addr) : &ip4.sin_addr);
    const auto* address =
        is_v6 ? reinterpret_cast<sockaddr*>(&ip6) : reinterpret_cast<sockaddr*>(&ip4);
    REQUIRE(::bind(fd_, address, is_v6 ? sizeof ip6 : sizeof ip4) == 0);
    if (options.listen) REQUIRE(::listen(fd_, 4) == 0);
  }
  explicit TestSocket(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  ~TestSocket() { close(); }
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};  // the port is at the same place in both families' addresses
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
    std::memcpy(&address, &storage, sizeof address);
    return ntohs(address.sin_port);
  }

 private:
  int fd_ = -1;
};

/// Leaves a connection of 127.0.0.1 behind: `server_port` of its listener's side, which ended it.
struct Connection {
  TestSocket listener;
  TestSocket client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int accepted = -1;

  explicit Connection(bool reuse, const std::string& host = "127.0.0.1")
      : listener(host, {.reuse = reuse, .listen = true}) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* to = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::connect(client.fd(), to, sizeof address) == 0);
    accepted = ::accept(listener.fd(), nullptr, nullptr);
    REQUIRE(accepted >= 0);
  }
  /// The server's side closes first, so TIME_WAIT is on its port.
  void end() {
    char byte = 0;
    ::close(accepted);
    CHECK(::read(client.fd(), &byte, 1) == 0);
    client.close();
    listener.close();
  }
};

bool idle(const std::string& host, std::uint16_t port) {
  const auto answer = is_port_idle(host, port);
  REQUIRE(answer);
  return *answer;
}

TEST_CASE("a port that somebody holds is not idle, listening or not, with SO_REUSEADDR or not") {
  for (const bool reuse : {false, true}) {
    for (const bool listen : {false, true}) {
      for (const char* host : {"127.0.0.1", "0.0.0.0", "::"}) {
        CAPTURE(reuse);
        CAPTURE(listen);
        CAPTURE(host);
        TestSocket holder(host, {.reuse = reuse, .listen = listen});
        const std::uint16_t port = holder.port();
        CHECK_FALSE(idle("0.0.0.0", port));
        CHECK_FALSE(idle("127.0.0.1", port));
        holder.close();
        CHECK(idle("0.0.0.0", port));
      }
    }
  }
}

TEST_CASE("a port bound on another address is idle, unless every address is wanted") {
  const TestSocket holder("127.0.0.1", {.reuse = true, .listen = true});
  CHECK(idle("127.0.0.2", holder.port()));
  CHECK_FALSE(idle("127.0.0.1", holder.port()));
  CHECK_FALSE(idle("0.0.0.0", holder.port()));
  CHECK_FALSE(idle("::", holder.port()));
}

TEST_CASE("a port in TIME_WAIT is idle") {
  Connection connection(true);
  const std::uint16_t port = connection.listener.port();
  connection.end();
  CHECK(idle("127.0.0.1", port));
  CHECK(idle("0.0.0.0", port));
  CHECK(idle("::", port));
  const TestSocket server("0.0.0.0", {.reuse = true, .listen = true}, port);  // so it is
  CHECK_FALSE(idle("127.0.0.1", port));
}

TEST_CASE("TIME_WAIT on a port does not hide who is about to listen on it") {
  Connection connection(true);
  const std::uint16_t port = connection.listener.port();
  connection.end();
  const TestSocket holder("0.0.0.0", {.reuse = true}, port);
  CHECK_FALSE(idle("127.0.0.1", port));
  CHECK_FALSE(idle("0.0.0.0", port));
}

TEST_CASE("beside TIME_WAIT, who listens on another address does not count") {
  Connection connection(true);
  const std::uint16_t port = connection.listener.port();
  connection.end();
  const TestSocket holder("127.0.0.2", {.reuse = true, .listen = true}, port);
  CHECK(idle("127.0.0.1", port));
  CHECK_FALSE(idle("127.0.0.2", port));
  CHECK_FALSE(idle("0.0.0.0", port));
}

TEST_CASE("a server that closed its listener and still talks keeps its port") {
  Connection connection(true);
  const std::uint16_t port = connection.listener.port();
  connection.listener.close();
  CHECK_FALSE(idle("127.0.0.1", port));
  CHECK_FALSE(idle("0.0.0.0", port));
  CHECK(idle("127.0.0.2", port));
  connection.end();
  CHECK(idle("0.0.0.0", port));
}

TEST_CASE("TIME_WAIT where nobody can bind is not idle") {
  Connection connection(false);
  const std::uint16_t port = connection.listener.port();
  connection.end();
  CHECK_FALSE(idle("127.0.0.1", port));
}

TEST_CASE("the lowest idle ports are found, past those that are taken") {
  const TestSocket first("0.0.0.0", {.listen = true}, 0);
  const auto from = first.port();
  const PortRange range{from, static_cast<std::uint16_t>(from + 20)};
  const auto ports = find_idle_ports("0.0.0.0", range, 2);
  REQUIRE(ports);
  REQUIRE(ports->size() == 2);
  CHECK((*ports)[0] > from);
  CHECK((*ports)[1] > (*ports)[0]);
}

TEST_CASE("too few idle ports are an error that says how many there are") {
  const TestSocket holder("0.0.0.0", {.listen = true});
  const auto none = find_idle_ports("0.0.0.0", {holder.port(), holder.port()}, 1);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  CHECK(none.error().message.starts_with("none of 1 idle TCP ports on 0.0.0.0"));
  CHECK(find_idle_ports("0.0.0.0", {65535, 65535}, 2).error().message.starts_with("only 1 of 2"));
}

TEST_CASE("a host that this machine is not is an error that names it") {
  for (const char* host : {"192.0.2.1", "no.such.host.invalid", "1.2.3.4.5"}) {
    CAPTURE(host);
    const auto answer = is_port_idle(host, 10000);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::invalid);
    CHECK(answer.error().message.find(host) != std::string::npos);
  }
}

}  // namespace
}  // namespace fogctl
