// The flags about other nodes: how they are found by multicast (fog and client), and a fog node's
// part in the mesh. Main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "net/multicast.hpp"

namespace fogctl {
struct NodeOptions;
}

namespace fogctl::cli {

/// --multicast, --multicast-ttl, --interface, --no-discovery.
struct DiscoveryFlags {
  std::string group = to_string(MulticastOptions{}.group);
  int ttl = MulticastOptions{}.ttl;
  std::string interface;
  bool is_off = false;
};
void add_discovery_flags(CLI::App& command, DiscoveryFlags& flags);
/// None where discovery is off.
[[nodiscard]] std::optional<MulticastOptions> multicast_options(const DiscoveryFlags& flags);

struct MeshFlags {
  DiscoveryFlags discovery;
  std::vector<std::string> peers;
  std::vector<std::string> clouds;
  bool no_fog = false;
  bool no_cloud = false;
  Duration sharing_interval = std::chrono::seconds(1);
  std::size_t max_neighbours = 32;
  double overdue_factor = 10;
  Duration overdue_min = std::chrono::seconds(60);
  std::string shadow;  // a policy's name; empty: none
};
void add_mesh_flags(CLI::App& command, MeshFlags& flags);
/// Sets what the flags are about. A node that listens on a loopback address is looked for, and
/// looks for others, on this machine alone.
void apply(const MeshFlags& flags, NodeOptions& options);

}  // namespace fogctl::cli
