// Stands between a client and a server on this machine, and loses an answer when it is told to: the
// server acted, and the client sees its connection break. It can also let answers drip, or make its
// own. A thread of its own passes on what comes.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <thread>

namespace fogctl {

class LossyRelay {
 public:
  /// To a server's unix socket. One that cannot listen ends the test program.
  explicit LossyRelay(std::string socket_path);
  ~LossyRelay();
  LossyRelay(const LossyRelay&) = delete;
  LossyRelay& operator=(const LossyRelay&) = delete;

  /// Where it listens, at 127.0.0.1.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The answer after so many is lost, and its connection with it.
  void lose_answer(int after = 0) { left_ = after + 1; }
  [[nodiscard]] bool has_lost() const { return left_ == 0; }
  /// From now on answers pass one byte each 20 ms. Other connections wait meanwhile.
  void drip() { drips_ = true; }
  /// From now on it answers what comes itself, and at once, with this; null: the server does again.
  void answer_with(const char* bytes) { own_answer_ = bytes; }
  [[nodiscard]] int own_answers() const { return own_answers_; }

 private:
  void run();
  [[nodiscard]] bool pass_on_answer(int to, std::span<const char> bytes);

  std::string socket_path_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe
  std::uint16_t port_ = 0;
  std::atomic<int> left_{0};  // answers, of which the last is lost; 0: none is
  std::atomic<bool> drips_{false};
  std::atomic<const char*> own_answer_{nullptr};
  std::atomic<int> own_answers_{0};
  std::jthread thread_;
};

}  // namespace fogctl
