#include "net/dialer.hpp"

#include <fmt/format.h>

#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/name_lookup.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

using asio::ip::tcp;

/// Through it other threads reach an io_context for as long as that lives.
class Door : public asio::execution_context::service {
 public:
  using key_type = Door;
  inline static asio::execution_context::id id;  // NOLINT(readability-identifier-naming): asio's

  explicit Door(asio::execution_context& io)
      : service(io), state_(std::make_shared<State>(static_cast<asio::io_context*>(&io))) {}

  /// To be called on any thread, also once there is no io_context any more.
  [[nodiscard]] auto poster() const {
    return [state = state_](auto task) {
      const std::scoped_lock lock(state->mutex);
      if (state->io != nullptr) asio::post(*state->io, std::move(task));
    };
  }

 private:
  struct State {
    explicit State(asio::io_context* context) : io(context) {}
    std::mutex mutex;
    asio::io_context* io;  // null once it ends
  };

  void shutdown() override {
    const std::scoped_lock lock(state_->mutex);
    state_->io = nullptr;
  }

  std::shared_ptr<State> state_;
};

/// One attempt; kept alive by the handlers that it waits for.
struct Attempt : std::enable_shared_from_this<Attempt> {
  Attempt(asio::io_context& context, HostPort to, Duration budget,
          std::function<void(Result<tcp::socket>)> callback)
      : io(context),
        socket(io),
        timer(io),
        address(std::move(to)),
        end(clock.now() + budget),
        done(std::move(callback)) {}

  void start() {
    give_up_after(end - clock.now(), "no name server answered in time");
    const auto post = asio::use_service<Door>(io).poster();
    look_up(address.host, [post, attempt = weak_from_this()](const HostAddresses& found) {
      post([attempt, found] {
        if (const auto self = attempt.lock()) self->on_found(found);
      });
    });
  }

  void on_found(const HostAddresses& found) {
    if (!done) return;
    if (!found) return fail(found.error().code, found.error().message);
    std::vector<tcp::endpoint> all;
    for (const std::string& one : *found) {
      all.emplace_back(asio::ip::make_address(one), address.port);
    }
    connect_any(std::move(all));
  }

  void connect_any(std::vector<tcp::endpoint> all) {
    endpoints = std::move(all);
    connect_next();
  }

  void connect_next() {
    const auto untried = static_cast<std::int64_t>(endpoints.size() - tried);
    const tcp::endpoint& endpoint = endpoints[tried++];
    give_up_after((end - clock.now()) / untried, "no answer in time");
    socket = tcp::socket(io);
    socket.async_connect(endpoint,
                         [self = shared_from_this(), turn = tried](asio::error_code error) {
                           if (turn != self->tried) return;
                           if (error)
                             return self->on_failed(ErrorCode::unavailable, error.message());
                           self->finish(std::move(self->socket));
                         });
  }

  void give_up_after(Duration length, const char* why) {
    timer.expires_after(timer_length(length));
    timer.async_wait([self = shared_from_this(), turn = tried, why](asio::error_code error) {
      if (!error && turn == self->tried) self->on_failed(ErrorCode::timed_out, why);
    });
  }

  void on_failed(ErrorCode code, const std::string& why) {
    if (!done) return;
    if (tried < endpoints.size()) return connect_next();
    fail(code, why);
  }

  void fail(ErrorCode code, const std::string& why) {
    finish(failure(code, fmt::format("cannot connect to {}: {}", to_string(address), why)));
  }

  void finish(Result<tcp::socket> outcome) {
    if (!done) return;
    auto callback = std::exchange(done, nullptr);
    timer.cancel();
    asio::error_code ignored;
    if (!outcome) socket.close(ignored);
    callback(std::move(outcome));
  }

  asio::io_context& io;
  tcp::socket socket;
  asio::steady_timer timer;
  HostPort address;
  const SystemClock clock;
  Instant end;
  std::vector<tcp::endpoint> endpoints;
  std::size_t tried = 0;  // of them
  std::function<void(Result<tcp::socket>)> done;
};

}  // namespace

void dial(asio::io_context& io, const HostPort& address, Duration budget,
          std::function<void(Result<tcp::socket>)> done) {
  std::make_shared<Attempt>(io, address, budget, std::move(done))->start();
}

void dial_any(asio::io_context& io, const HostPort& address, std::vector<tcp::endpoint> endpoints,
              Duration budget, std::function<void(Result<tcp::socket>)> done) {
  std::make_shared<Attempt>(io, address, budget, std::move(done))
      ->connect_any(std::move(endpoints));
}

}  // namespace fogctl
