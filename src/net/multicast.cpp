#include "net/multicast.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/ip/multicast.hpp>
#include <iterator>
#include <memory>
#include <utility>

#include "base/log.hpp"

namespace fogctl {
namespace {

using asio::ip::udp;

constexpr std::chrono::seconds scan_interval(1);

/// The interfaces to use, of those that are up and have an IPv4 address.
std::map<int, in_addr> usable_interfaces(const std::string& named) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  std::map<int, in_addr> found;
  std::map<int, in_addr> loopback;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool is_ipv4 = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET;
    constexpr unsigned up = IFF_UP | IFF_RUNNING;
    if (!is_ipv4 || (entry->ifa_flags & up) != up) continue;
    const auto index = static_cast<int>(::if_nametoindex(entry->ifa_name));
    const in_addr address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
    if (!named.empty()) {
      if (named == entry->ifa_name) found.emplace(index, address);
    } else if ((entry->ifa_flags & IFF_LOOPBACK) != 0) {
      loopback.emplace(index, address);
    } else if ((entry->ifa_flags & IFF_MULTICAST) != 0) {
      found.emplace(index, address);
    }
  }
  return found.empty() && named.empty() ? loopback : found;
}

}  // namespace

bool is_multicast_group(const HostPort& group) {
  asio::error_code error;
  const auto address = asio::ip::make_address_v4(group.host, error);
  return !error && address.is_multicast() && group.port > 0;
}

Multicast::Multicast(asio::io_context& io, MulticastOptions options, Events events)
    : io_(io), options_(std::move(options)), events_(std::move(events)), socket_(io), timer_(io) {}

void Multicast::start() {
  scan();
}

void Multicast::stop() {
  is_stopped_ = true;  // the timer may have run out already
  timer_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
}

void Multicast::note(const std::string& problem) {
  if (!problem.empty() && problem != problem_) {
    log(LogLevel::warning, "no discovery on {}: {}; trying again every second",
        to_string(options_.group), problem);
  }
  problem_ = problem;
}

/// Joins the group on interfaces that have come, forgets those that went.
void Multicast::scan() {
  timer_.expires_after(scan_interval);
  timer_.async_wait([this](asio::error_code error) {
    if (!error && !is_stopped_) scan();
  });
  if (!socket_.is_open() && !open()) return;
  const auto usable = usable_interfaces(options_.interface);
  std::erase_if(joined_, [&](const auto& joined) { return !usable.contains(joined.first); });
  new_.clear();
  asio::error_code error;
  const auto group = asio::ip::make_address_v4(options_.group.host, error);
  for (const auto& [index, address] : usable) {
    const auto known = joined_.find(index);
    if (known != joined_.end() && known->second.s_addr == address.s_addr) continue;
    ip_mreqn membership{};
    membership.imr_multiaddr.s_addr = htonl(group.to_uint());
    membership.imr_ifindex = index;
    const int joined = ::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_ADD_MEMBERSHIP,
                                    &membership, sizeof membership);
    if (joined != 0 && errno != EADDRINUSE) continue;  // in use: joined before it went down
    joined_.insert_or_assign(index, address);
    new_.emplace(index, address);
  }
  const std::string missing = options_.interface.empty()
                                  ? "no network interface is up"
                                  : fmt::format("no interface '{}' is up", options_.interface);
  note(joined_.empty() ? missing : "");
  if (!new_.empty() && events_.on_new_interface) events_.on_new_interface();
}

bool Multicast::open() {
  asio::error_code error;
  socket_.open(udp::v4(), error);
  if (!error) socket_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) socket_.set_option(asio::ip::multicast::hops(options_.ttl), error);
  if (!error) socket_.set_option(asio::ip::multicast::enable_loopback(true), error);
  // Only what comes by this socket's own memberships, not by those of other processes.
  const int off = 0;
  if (!error) {
    ::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
  }
  if (!error) socket_.bind({udp::v4(), options_.group.port}, error);
  if (error) {
    note(error.message());
    asio::error_code ignored;
    socket_.close(ignored);
    return false;
  }
  receive();
  return true;
}

void Multicast::receive() {
  socket_.async_receive_from(asio::buffer(in_), from_,
                             [this](asio::error_code error, std::size_t size) {
                               if (error == asio::error::operation_aborted || !socket_.is_open())
                                 return;
                               if (!error) events_.on_text({in_.data(), size}, from_.address());
                               receive();
                             });
}

/// The interface's own address goes with it: that is where others answer.
void Multicast::send_on(const Interfaces& interfaces, std::string_view text) {
  if (!socket_.is_open()) return;
  asio::error_code error;
  const udp::endpoint to(asio::ip::make_address_v4(options_.group.host, error),
                         options_.group.port);
  for (const auto& [index, address] : interfaces) {
    ip_mreqn through{};
    through.imr_address = address;
    through.imr_ifindex = index;
    ::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through);
    socket_.send_to(asio::buffer(text), to, 0, error);
    if (error) {
      log(LogLevel::debug, "cannot multicast on interface {}: {}", index, error.message());
    }
  }
}

}  // namespace fogctl
