#include "net/dialer.hpp"

#include <fmt/format.h>

#include <asio/connect.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
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
  Attempt(asio::io_context& context, HostPort to, std::function<void(Result<tcp::socket>)> callback)
      : io(context), socket(io), timer(io), address(std::move(to)), done(std::move(callback)) {}

  void start(Duration budget) {
    timer.expires_after(timer_length(budget));
    timer.async_wait([self = shared_from_this()](asio::error_code error) {
      if (!error) self->fail(ErrorCode::timed_out, self->why_late);
    });
    const auto post = asio::use_service<Door>(io).poster();
    look_up(address.host, [post, attempt = weak_from_this()](const HostAddresses& found) {
      post([attempt, found] {
        if (const auto self = attempt.lock()) self->on_found(found);
      });
    });
  }

  void on_found(const HostAddresses& found) {
    if (!found) return fail(found.error().code, found.error().message);
    why_late = "no answer in time";
    std::vector<tcp::endpoint> endpoints;
    for (const std::string& one : *found) {
      endpoints.emplace_back(asio::ip::make_address(one), address.port);
    }
    connect(tcp::resolver::results_type::create(endpoints.begin(), endpoints.end(), "", ""));
  }

  void connect(const tcp::resolver::results_type& endpoints) {
    if (!done) return;
    asio::async_connect(socket, endpoints,
                        [self = shared_from_this()](asio::error_code error, const auto&) {
                          if (error) return self->fail(ErrorCode::unavailable, error.message());
                          self->finish(std::move(self->socket));
                        });
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
  std::string why_late = "no name server answered in time";
  std::function<void(Result<tcp::socket>)> done;
};

}  // namespace

void dial(asio::io_context& io, const HostPort& address, Duration budget,
          std::function<void(Result<tcp::socket>)> done) {
  std::make_shared<Attempt>(io, address, std::move(done))->start(budget);
}

}  // namespace fogctl
