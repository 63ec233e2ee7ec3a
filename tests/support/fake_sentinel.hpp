// What a sentinel is to its clients: it answers PING, and names a master, which a test changes at
// will. Serves on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace fogctl {

class FakeSentinel {
 public:
  FakeSentinel();
  ~FakeSentinel();
  FakeSentinel(const FakeSentinel&) = delete;
  FakeSentinel& operator=(const FakeSentinel&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The port of a master on 127.0.0.1; 0: it knows none.
  void name_master(std::uint16_t port) { master_ = port; }
  [[nodiscard]] int times_asked() const { return times_asked_; }

 private:
  void serve(const std::stop_token& stop);
  void converse(int client);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> master_{0};
  std::atomic<int> times_asked_{0};
  std::jthread thread_;
};

}  // namespace fogctl
