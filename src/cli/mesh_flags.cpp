#include "cli/mesh_flags.hpp"

#include <utility>

#include "node/node.hpp"
#include "placement/placement.hpp"

namespace fogctl::cli {
namespace {

constexpr Duration shortest_sharing_interval = std::chrono::milliseconds(10);

std::string check_group(const std::string& text) {
  const auto group = parse_host_port(text);
  if (!group) return group.error().message;
  if (is_multicast_group(*group)) return "";
  return fmt::format("'{}' is no multicast group: write it as 228.0.0.5:8005", text);
}

void add_peers(CLI::App& command, const std::string& name, std::vector<std::string>& peers,
               const std::string& help) {
  command.add_option(name, peers, help)
      ->check(check_remote)
      ->type_name("HOST:PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
}

std::vector<HostPort> addresses_of(const std::vector<std::string>& texts) {
  std::vector<HostPort> addresses;
  addresses.reserve(texts.size());
  for (const std::string& text : texts) addresses.push_back(*parse_host_port(text));
  return addresses;
}

}  // namespace

void add_discovery_flags(CLI::App& command, DiscoveryFlags& flags) {
  command.add_option("--multicast", flags.group, "where nodes and clients find one another")
      ->check(check_group)
      ->type_name("GROUP:PORT")
      ->capture_default_str();
  add_number(command, "--multicast-ttl", flags.ttl, {0, 255},
             "how many networks a multicast may cross; 1: its own alone");
  command
      .add_option(
          "--interface", flags.interface,
          "the network interface for it (default: every one that is up, loopback if it is alone)")
      ->type_name("NAME");
  command.add_flag("--no-discovery", flags.is_off, "neither multicast nor listen to it");
}

std::optional<MulticastOptions> multicast_options(const DiscoveryFlags& flags) {
  if (flags.is_off) return std::nullopt;
  return MulticastOptions{*parse_host_port(flags.group), flags.ttl, flags.interface};
}

void add_mesh_flags(CLI::App& command, MeshFlags& flags) {
  add_peers(command, "--cloud", flags.clouds,
            "the cloud above this node; of several, the first that answers");
  add_peers(command, "--peer", flags.peers, "a neighbour, tried for ever; several may be named");
  add_discovery_flags(command, flags.discovery);
  command.add_flag("--no-fog", flags.no_fog, "hand no task to neighbours");
  command.add_flag("--no-cloud", flags.no_cloud, "upload no task, whatever --cloud says");
  add_duration(command, "--sharing-interval", flags.sharing_interval,
               "how often neighbours are told how busy this node is")
      ->check([](const std::string& text) {
        const auto length = parse_duration(text);
        const bool is_short = length && *length < shortest_sharing_interval;
        return is_short ? fmt::format("'{}' is shorter than 10ms", text) : std::string();
      });
  add_number<std::size_t>(command, "--max-neighbours", flags.max_neighbours, {1, 1000},
                          "most neighbours to keep links to, the nearest and some at random");
  add_number<double>(command, "--overdue-factor", flags.overdue_factor, {1, 1e6},
                     "a task that was handed on is placed again when its answer took so many "
                     "times what was expected ...");
  add_duration(command, "--overdue-min", flags.overdue_min,
               "... and at least this; five times that where a fogctl node has it");
  std::vector<std::string> names;
  for (const Policy& policy : policies()) names.emplace_back(policy.name);
  add_choice(command, "--shadow-policy", flags.shadow, names,
             "a policy that decides beside --policy and acts on nothing: where it would differ is "
             "counted")
      ->default_str("none");
}

void apply(const MeshFlags& flags, NodeOptions& options) {
  if (!flags.no_cloud) options.clouds = addresses_of(flags.clouds);
  options.mesh.peers = addresses_of(flags.peers);
  options.mesh.discovery = multicast_options(flags.discovery);
  options.mesh.max_neighbours = flags.max_neighbours;
  options.hands_to_neighbours = !flags.no_fog;
  options.sharing_interval = flags.sharing_interval;
  options.overdue_factor = flags.overdue_factor;
  options.overdue_min = flags.overdue_min;
  options.shadow = find_policy(flags.shadow);
  if (options.mesh.discovery && flags.discovery.interface.empty() && options.listen &&
      is_loopback(*options.listen)) {
    options.mesh.discovery->interface = "lo";
  }
}

}  // namespace fogctl::cli
