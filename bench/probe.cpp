// The measuring end of the benchmarks: a plain TCP echo server, and a client that sends task
// messages to it or to a fog node, so that both are measured with the same bytes by the same code.
//
//   fogctl_bench echo                              serves; prints "listening on 127.0.0.1:PORT"
//   fogctl_bench latency HOST:PORT COUNT           one at a time; prints p50 and p99 in µs
//   fogctl_bench throughput HOST:PORT COUNT WINDOW [PER_WRITE]
//       WINDOW in flight, PER_WRITE objects (1, as endpoints send) in each write; prints objects/s
//   fogctl_bench ping HOST:PORT COUNT              Redis PING, likewise
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/time.hpp"

namespace {

using fogctl::Duration;
using fogctl::Instant;

constexpr std::size_t buffer_size = std::size_t{256} << 10;
const fogctl::SystemClock system_clock;

[[noreturn]] void die(const std::string& what) {
  fmt::print(stderr, "fogctl_bench: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) die("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t read_some(int fd, std::span<char> buffer) {
  const auto got = ::read(fd, buffer.data(), buffer.size());
  if (got <= 0) die("the peer closed the connection");
  return static_cast<std::size_t>(got);
}

void echo_connection(int fd) {
  std::vector<char> buffer(buffer_size);
  while (true) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) break;
    write_all(fd, {buffer.data(), static_cast<std::size_t>(got)});
  }
  ::close(fd);
}

void serve_echo() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0) die("bind");
  if (::listen(listener, 16) != 0) die("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  fmt::print("listening on 127.0.0.1:{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  while (true) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) die("accept");
    set_no_delay(fd);
    std::thread(echo_connection, fd).detach();
  }
}

int connect_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.data() + colon + 1)));
  const std::string host(text.substr(0, colon));
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  set_no_delay(fd);
  return fd;
}

/// An original client's task (387 bytes there), for the handler that only answers.
std::string task_text(std::size_t id) {
  return fmt::format(
      R"({{"message_type": "task", "task_id": {}, "task_type": "light", "task_name": "echo", )"
      R"("content": 1, "cloud_processing": false, "offload_times": 0, "offloading_fog": [], )"
      R"("max_offload": 4, "time_requirement": 0.2, "estimated_queuing_time": 0, )"
      R"("queuing_time": 0, "estimated_execution_time": 0, "execution_time": 0, )"
      R"("distribution_time": 0, "sending_time": 1795412135.5189703, "process_by": "f"}})"
      "\n",
      id);
}

/// A fog node greets first; an echo server does not.
void skip_greeting(int fd) {
  std::array<char, 4096> buffer;
  pollfd ready{fd, POLLIN, 0};
  while (::poll(&ready, 1, 200) > 0) read_some(fd, buffer);
}

void print_percentiles(std::vector<Duration>& times) {
  std::ranges::sort(times);
  const auto at = [&](double share) {
    const auto i = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
    return fogctl::to_seconds(times[i]) * 1e6;
  };
  fmt::print("{:.1f} {:.1f}\n", at(0.5), at(0.99));
}

void measure_round_trips(int fd, std::size_t count, std::string_view message) {
  std::array<char, 4096> buffer;
  std::vector<Duration> times;
  for (std::size_t i = 0; i < count; ++i) {
    const Instant begin = system_clock.now();
    write_all(fd, message);
    while (buffer[read_some(fd, buffer) - 1] != '\n') continue;
    times.push_back(system_clock.now() - begin);
  }
  print_percentiles(times);
}

void measure_throughput(int fd, std::size_t count, std::size_t window, std::size_t most_per_write) {
  std::vector<std::size_t> ends = {0};
  std::string tasks;
  for (std::size_t id = 1; id <= std::max(window, most_per_write) * 2; ++id) {
    tasks += task_text(id);
    ends.push_back(tasks.size());
  }
  std::vector<char> buffer(buffer_size);
  std::size_t sent = 0;
  std::size_t answered = 0;
  std::size_t next = 0;
  const Instant begin = system_clock.now();
  while (answered < count) {
    const std::size_t room = std::min(window - (sent - answered), count - sent);
    if (room >= most_per_write || (room > 0 && room == count - sent)) {
      const std::size_t some = std::min({room, most_per_write, ends.size() - 1 - next});
      write_all(fd, std::string_view(tasks).substr(ends[next], ends[next + some] - ends[next]));
      sent += some;
      next = (next + some) % (ends.size() - 1);
      continue;
    }
    const std::size_t got = read_some(fd, buffer);
    answered += static_cast<std::size_t>(
        std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got), '\n'));
  }
  const double seconds = fogctl::to_seconds(system_clock.now() - begin);
  fmt::print("{:.0f}\n", static_cast<double>(count) / seconds);
}

std::size_t number(const char* text) {
  return static_cast<std::size_t>(std::strtoull(text, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "echo") {
    serve_echo();
  } else if (mode == "latency" && argc == 4) {
    const int fd = connect_tcp(argv[2]);
    skip_greeting(fd);
    measure_round_trips(fd, number(argv[3]), task_text(1));
  } else if (mode == "throughput" && argc >= 5) {
    const int fd = connect_tcp(argv[2]);
    skip_greeting(fd);
    measure_throughput(fd, number(argv[3]), number(argv[4]), argc > 5 ? number(argv[5]) : 1);
  } else if (mode == "ping" && argc == 4) {
    measure_round_trips(connect_tcp(argv[2]), number(argv[3]), "PING\r\n");
  } else {
    fmt::print(stderr, "usage: fogctl_bench echo|latency|throughput|ping …\n");
    return 2;
  }
}
