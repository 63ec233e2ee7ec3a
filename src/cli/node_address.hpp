// Which node a command talks to: the one that was named, else the nearest fog node that answers by
// multicast, else one on this machine. For a command that can go on at another: those that were
// named, else all that answered. Main thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/command.hpp"
#include "cli/mesh_flags.hpp"
#include "net/address.hpp"
#include "wire/messages.hpp"

namespace fogctl::cli {

/// --connect and the flags of discovery.
struct NodeAddressFlags {
  std::vector<HostPort> connect;
  DiscoveryFlags discovery;
};
/// The one node.
void add_node_address(CLI::App& command, NodeAddressFlags& flags, const std::string& help);
/// The same; --connect may be given several times.
void add_node_addresses(CLI::App& command, NodeAddressFlags& flags, const std::string& help);

struct NodeAddress {
  HostPort address;
  bool is_guess = false;         // nobody answered
  std::vector<HostPort> others;  // in the order in which they are to be tried
};
/// Takes up to a second where nothing was named and nobody answers.
[[nodiscard]] NodeAddress node_address(const NodeAddressFlags& flags, const Clock& clock);

/// What to tell a person where that node could not be reached.
[[nodiscard]] CommandFailure node_failure(const NodeAddressFlags& flags, const NodeAddress& node,
                                          const Error& error);

/// Asks that node, and waits up to 5 s. The answer's JSON; else what to tell a person.
[[nodiscard]] std::expected<std::string, CommandFailure> ask_for_report(
    const NodeAddressFlags& flags, std::string_view question,
    bool (*is_answer)(const wire::Message& message), std::string (*json_of)(wire::Message& answer));

template <typename Answer>
[[nodiscard]] std::expected<std::string, CommandFailure> ask_for_report(
    const NodeAddressFlags& flags, std::string_view question) {
  return ask_for_report(
      flags, question,
      [](const wire::Message& message) { return std::holds_alternative<Answer>(message); },
      [](wire::Message& answer) { return std::move(std::get<Answer>(answer).json); });
}

}  // namespace fogctl::cli
