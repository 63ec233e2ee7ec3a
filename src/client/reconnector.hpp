// Which of the nodes that a client knows it is connected to next: tries each in turn, at once or
// after a back-off. What is done with the connection, and whether to try again, is the caller's.
// Belongs to the thread that runs its io_context; must live as long as that runs handlers.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "client/outstanding.hpp"
#include "net/address.hpp"

namespace fogctl {

inline constexpr Duration first_back_off = std::chrono::milliseconds(100);
inline constexpr Duration longest_back_off = std::chrono::seconds(2);
/// Twice as long as the one before, from the first to the longest; zero: there was none before.
[[nodiscard]] Duration back_off_after(Duration back_off);

/// What a node said of when to send again, up to a minute; else the back-off.
[[nodiscard]] Duration believed_pause(std::optional<Duration> said, Duration back_off);

class Reconnector {
 public:
  struct Connected {
    NodeIndex node = no_node;
    asio::ip::tcp::socket socket;
  };
  /// Error: why each node could not be connected to.
  using Done = std::function<void(Result<Connected> connected)>;

  /// At least one node.
  Reconnector(asio::io_context& io, std::vector<HostPort> nodes, Random random);

  // One attempt at a time; `done` is called once, unless stop() comes before.
  /// Tries each of these nodes once, until one is connected to within `budget`.
  void try_each(std::vector<NodeIndex> order, Duration budget, Done done);
  /// Waits, longer from time to time, half of it by chance; then tries every node, `first` first.
  void try_later(NodeIndex first, Done done);
  /// The next back-off is the shortest one again.
  void forget_back_off() { back_off_ = Duration::zero(); }
  void stop();

  [[nodiscard]] bool is_busy() const { return static_cast<bool>(done_); }
  [[nodiscard]] const std::vector<HostPort>& nodes() const { return nodes_; }
  /// Every node once, `first` first and the others as they follow.
  [[nodiscard]] std::vector<NodeIndex> order_from(NodeIndex first) const;

 private:
  void dial_next();
  void finish(Result<Connected> connected);

  asio::io_context& io_;
  std::vector<HostPort> nodes_;
  Random random_;
  asio::steady_timer timer_;
  Duration back_off_{};

  // The attempt under way:
  std::vector<NodeIndex> order_;
  std::size_t next_ = 0;
  Duration budget_{};
  std::string failures_;
  Done done_;
};

}  // namespace fogctl
