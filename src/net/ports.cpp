#include "net/ports.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/name_lookup.hpp"

namespace fogctl {
namespace {

class Socket {
 public:
  explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  void set_port(std::uint16_t port) {
    // The port is at the same place in both families' addresses.
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  }
};

/// An address of either family as IPv6 bytes; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;
constexpr AddressBytes mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

AddressBytes bytes_of(const Address& address) {
  AddressBytes bytes = mapped_prefix;
  if (address.family() == AF_INET) {
    const auto* ip4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    std::memcpy(bytes.data() + 12, &ip4->sin_addr, 4);
  } else {
    const auto* ip6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    std::memcpy(bytes.data(), &ip6->sin6_addr, 16);
  }
  return bytes;
}

/// Takes [::] as dual-stack, as it is unless somebody asked for less.
bool overlap(const AddressBytes& a, const AddressBytes& b) {
  const auto is_ip4 = [](const AddressBytes& bytes) {
    return std::equal(bytes.begin(), bytes.begin() + 12, mapped_prefix.begin());
  };
  const auto covers = [&](const AddressBytes& all, const AddressBytes& one) {
    return all == AddressBytes{} || (all == mapped_prefix && is_ip4(one));
  };
  return a == b || covers(a, b) || covers(b, a);
}

enum class Reuse { no, yes };

/// 0, or the errno of binding (and listening, with Reuse::yes).
int try_to_take(const Address& address, Reuse reuse) {
  const Socket socket(address.family());
  if (socket.fd() < 0) return errno;
  if (reuse == Reuse::yes) {
    const int on = 1;
    if (::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return errno;
  }
  if (::bind(socket.fd(), address.get(), address.size) != 0) return errno;
  if (reuse == Reuse::yes && ::listen(socket.fd(), 1) != 0) return errno;
  return 0;
}

/// One line of /proc/net/tcp or tcp6.
struct KernelSocket {
  AddressBytes address{};
  std::uint16_t port = 0;
  unsigned state = 0;
};
constexpr unsigned time_wait_state = 6;  // TCP_TIME_WAIT of the kernel's tcp_states.h

template <typename Number>
bool read_hex(std::string_view text, Number& number) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc{} && rest == text.data() + text.size();
}

/// "  12: 0100007F:2710 00000000:0000 06 …": number, local address, remote address, state.
std::optional<KernelSocket> read_kernel_socket(std::string_view line) {
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
  }
  const std::size_t colon = words[1].find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  KernelSocket socket;
  if (colon == 8) socket.address = mapped_prefix;
  // Groups of four bytes, each printed as a number of this machine.
  std::uint8_t* to = socket.address.data() + (colon == 8 ? 12 : 0);
  for (std::size_t i = 0; i < colon; i += 8, to += 4) {
    std::uint32_t group = 0;
    if (!read_hex(words[1].substr(i, 8), group)) return std::nullopt;
    std::memcpy(to, &group, 4);
  }
  if (!read_hex(words[1].substr(colon + 1), socket.port)) return std::nullopt;
  if (!read_hex(words[3], socket.state)) return std::nullopt;
  return socket;
}

/// The address on which no TIME_WAIT sits, so that a plain bind there fails only for a socket that
/// holds every address.
Address elsewhere(std::uint16_t port) {
  Address address;
  auto* ip4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  ip4->sin_family = AF_INET;
  ip4->sin_addr.s_addr = htonl(0x7f7f7f7e);  // 127.127.127.126, an address nobody uses
  address.size = sizeof *ip4;
  address.set_port(port);
  return address;
}

/// Whether only TIME_WAIT keeps others from a plain bind.
bool is_only_time_wait(const Address& address, std::uint16_t port) {
  const AddressBytes wanted = bytes_of(address);
  bool found = false;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    while (std::getline(file, line)) {
      const auto socket = read_kernel_socket(line);
      if (!socket || socket->port != port || !overlap(socket->address, wanted)) continue;
      if (socket->state != time_wait_state) return false;
      found = true;
    }
  }
  return found && try_to_take(elsewhere(port), Reuse::no) == 0;
}

Error cannot_bind(const std::string& host, int error) {
  return {ErrorCode::invalid,
          fmt::format("cannot bind to {}: {}", host, std::generic_category().message(error))};
}

/// The addresses of `host` that this machine has.
Result<std::vector<Address>> addresses_of(const std::string& host) {
  const auto found = look_up_within(host);
  if (!found) {
    return failure(ErrorCode::invalid,
                   fmt::format("cannot find host '{}': {}", host, found.error().message));
  }
  std::vector<Address> addresses;
  int refused = EADDRNOTAVAIL;
  for (const std::string& one : *found) {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(one), 0);
    Address address;
    std::memcpy(&address.storage, endpoint.data(), endpoint.size());
    address.size = static_cast<socklen_t>(endpoint.size());
    const int error = try_to_take(address, Reuse::no);
    if (error == 0) addresses.push_back(address);
    if (error != 0) refused = error;
  }
  if (addresses.empty()) return std::unexpected(cannot_bind(host, refused));
  return addresses;
}

/// Error: failed, when the system cannot say (no more descriptors, say).
Result<bool> is_idle_on(Address address, std::uint16_t port) {
  address.set_port(port);
  int error = try_to_take(address, Reuse::no);
  if (error == 0) return true;
  if (error == EADDRINUSE) {
    error = try_to_take(address, Reuse::yes);
    if (error == 0) return is_only_time_wait(address, port);
  }
  if (error == EADDRINUSE || error == EACCES || error == EPERM) return false;
  return failure(ErrorCode::failed, fmt::format("cannot try port {}: {}", port,
                                                std::generic_category().message(error)));
}

Result<bool> is_idle_on_all(const std::vector<Address>& addresses, std::uint16_t port) {
  for (const Address& address : addresses) {
    auto idle = is_idle_on(address, port);
    if (!idle || !*idle) return idle;
  }
  return true;
}

}  // namespace

Result<std::vector<std::uint16_t>> find_idle_ports(const std::string& host, PortRange range,
                                                   std::size_t count) {
  const auto addresses = addresses_of(host);
  if (!addresses) return std::unexpected(addresses.error());
  std::vector<std::uint16_t> ports;
  for (std::uint32_t port = range.from; port <= range.to && ports.size() < count; ++port) {
    const auto idle = is_idle_on_all(*addresses, static_cast<std::uint16_t>(port));
    if (!idle) return std::unexpected(idle.error());
    if (*idle) ports.push_back(static_cast<std::uint16_t>(port));
  }
  if (ports.size() >= count) return ports;
  return failure(ErrorCode::not_found,
                 fmt::format("{} of {} idle TCP ports on {} from {} to {}",
                             ports.empty() ? "none" : fmt::format("only {}", ports.size()), count,
                             host, range.from, range.to));
}

Result<bool> is_port_idle(const std::string& host, std::uint16_t port) {
  const auto addresses = addresses_of(host);
  if (!addresses) return std::unexpected(addresses.error());
  return is_idle_on_all(*addresses, port);
}

}  // namespace fogctl
