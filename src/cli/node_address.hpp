// Which node a command talks to: the one that was named, else the nearest fog node that answers by
// multicast, else one on this machine. Main thread.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/command.hpp"
#include "cli/mesh_flags.hpp"
#include "net/address.hpp"

namespace fogctl::cli {

/// --connect and the flags of discovery.
struct NodeAddressFlags {
  std::optional<HostPort> connect;
  DiscoveryFlags discovery;
};
void add_node_address(CLI::App& command, NodeAddressFlags& flags, const std::string& help);

struct NodeAddress {
  HostPort address;
  bool is_guess = false;  // nobody answered
};
/// Takes up to a second where nothing was named and nobody answers.
[[nodiscard]] NodeAddress node_address(const NodeAddressFlags& flags, const Clock& clock);

/// What to tell a person where that node could not be reached.
[[nodiscard]] CommandFailure node_failure(const NodeAddressFlags& flags, const NodeAddress& node,
                                          const Error& error);

}  // namespace fogctl::cli
