// Which TCP ports of this host are idle: a server that sets SO_REUSEADDR (asio's acceptors do)
// could bind and listen there now. An answer is true for the moment: the caller that listens must
// be ready to find the port taken after all. Blocks for a name look-up only. Any thread.
//
// 1. A plain bind succeeds: nobody holds the port on an overlapping address. Idle. (0.0.0.0
//    overlaps every IPv4 address, a dual-stack [::] every address, 127.0.0.1 and 127.0.0.2 not.)
// 2. It does not, yet bind and listen with SO_REUSEADDR do: what holds the port had SO_REUSEADDR
//    too and does not listen. Idle only if all of that is in TIME_WAIT. A socket that is bound and
//    about to listen, or a server that closed its listener and still talks (a node that drains),
//    keeps the port.
// 3. Neither: not idle. This includes TIME_WAIT left by a socket without SO_REUSEADDR (any
//    client's): Linux lets nobody bind there.
// The kernel lists no socket that is bound but neither connected nor listening. One beside
// TIME_WAIT is found by a bind on another address where it holds every address, and missed where
// it holds the very address of the TIME_WAIT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace fogctl {

struct PortRange {
  std::uint16_t from = 10000;
  std::uint16_t to = 65534;  // included
};

/// The `count` lowest idle ports of `range` on `host` (an address of this machine, 0.0.0.0, ::, or
/// a name). Error: invalid (the host is none of this machine), not_found (fewer are idle).
[[nodiscard]] Result<std::vector<std::uint16_t>> find_idle_ports(const std::string& host,
                                                                 PortRange range,
                                                                 std::size_t count);

/// Error: as above. A port that may not be bound for lack of privilege is not idle.
[[nodiscard]] Result<bool> is_port_idle(const std::string& host, std::uint16_t port);

}  // namespace fogctl
