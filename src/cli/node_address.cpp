#include "cli/node_address.hpp"

#include "client/find_fog.hpp"

namespace fogctl::cli {
namespace {

const HostPort on_this_machine{"127.0.0.1", 10000};

}  // namespace

void add_node_address(CLI::App& command, NodeAddressFlags& flags, const std::string& help) {
  const auto set = [&flags](const std::string& text) {
    if (auto address = parse_remote(text)) flags.connect = std::move(*address);
  };
  command.add_option_function<std::string>("--connect", set, help)
      ->check(check_remote)
      ->type_name("HOST:PORT")
      ->default_str("the nearest fog node that answers, else " + to_string(on_this_machine));
  add_discovery_flags(command, flags.discovery);
}

NodeAddress node_address(const NodeAddressFlags& flags, const Clock& clock) {
  if (flags.connect) return {*flags.connect, false};
  const auto multicast = multicast_options(flags.discovery);
  if (!multicast) return {on_this_machine, false};
  const auto found = find_fogs(*multicast, clock);
  if (found.empty()) return {on_this_machine, true};
  return {found.front().address, false};
}

CommandFailure node_failure(const NodeAddressFlags& flags, const NodeAddress& node,
                            const Error& error) {
  if (!is_transient(error)) return {exit_code::failed, error.message};
  return {exit_code::unreachable,
          (node.is_guess ? "no fog node answered on " + flags.discovery.group + ", and " : "") +
              error.message +
              "; is a fog node running there? start one with 'fogctl fog --queue-backend memory', "
              "or name another with --connect"};
}

}  // namespace fogctl::cli
