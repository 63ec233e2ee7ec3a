#include "client/find_fog.hpp"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <utility>
#include <variant>

#include "json/json.hpp"
#include "wire/messages.hpp"

namespace fogctl {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds window(250);  // after which it is asked again, or enough was heard
constexpr int most_windows = 4;

class Search {
 public:
  Search(const MulticastOptions& options, const Clock& clock)
      : clock_(clock),
        multicast_(io_, options,
                   {.on_text = [this](std::string_view text,
                                      const asio::ip::address& from) { on_text(text, from); },
                    .on_new_interface = [] {}}),
        timer_(io_) {}

  std::vector<FoundFog> run() {
    multicast_.start();
    ask();
    io_.run();
    std::ranges::sort(found_, {}, &FoundFog::round_trip);
    return std::move(found_);
  }

 private:
  void ask() {
    asked_at_ = clock_.now();
    ++windows_;
    multicast_.send(wire::endpoint_hello());
    timer_.expires_after(window);
    timer_.async_wait([this](asio::error_code) {
      if (found_.empty() && windows_ < most_windows) return ask();
      multicast_.stop();
      io_.stop();
    });
  }

  void on_text(std::string_view text, const asio::ip::address& from) {
    const auto message = wire::parse_datagram(text, scratch_);
    const auto* ack = message ? std::get_if<wire::FogAck>(&*message) : nullptr;
    if (ack == nullptr) return;
    const std::string host = from.to_string();
    auto address = parse_host_port(reachable_address(ack->identity.listen, host));
    if (!address) address = HostPort{host, ack->tcp_port};
    const bool is_known = std::ranges::any_of(found_, [&](const FoundFog& fog) {
      return fog.address.host == address->host && fog.address.port == address->port;
    });
    if (!is_known) found_.push_back({*address, clock_.now() - asked_at_});
  }

  const Clock& clock_;
  asio::io_context io_{1};
  Multicast multicast_;
  asio::steady_timer timer_;
  Instant asked_at_;
  int windows_ = 0;
  json::Object scratch_;
  std::vector<FoundFog> found_;
};

}  // namespace

std::vector<FoundFog> find_fogs(const MulticastOptions& options, const Clock& clock) {
  return Search(options, clock).run();
}

}  // namespace fogctl
