#include "cli/node_address.hpp"

#include <utility>

#include "client/ask_node.hpp"
#include "client/find_fog.hpp"

namespace fogctl::cli {
namespace {

const HostPort on_this_machine{"127.0.0.1", 10000};

CLI::Option* add_connect(CLI::App& command, NodeAddressFlags& flags, const std::string& help) {
  const auto set = [&flags](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (auto address = parse_remote(text)) flags.connect.push_back(std::move(*address));
    }
  };
  auto* option = command.add_option_function<std::vector<std::string>>("--connect", set, help);
  option->check(check_remote)
      ->type_name("HOST:PORT")
      ->expected(1)
      ->allow_extra_args(false)  // what follows is not another address
      ->default_str("the nearest fog node that answers, else " + to_string(on_this_machine));
  add_discovery_flags(command, flags.discovery);
  return option;
}

}  // namespace

void add_node_address(CLI::App& command, NodeAddressFlags& flags, const std::string& help) {
  add_connect(command, flags, help)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

void add_node_addresses(CLI::App& command, NodeAddressFlags& flags, const std::string& help) {
  add_connect(command, flags, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

NodeAddress node_address(const NodeAddressFlags& flags, const Clock& clock) {
  std::vector<HostPort> known = flags.connect;
  if (known.empty()) {
    const auto multicast = multicast_options(flags.discovery);
    if (!multicast) return {on_this_machine, false, {}};
    for (const FoundFog& fog : find_fogs(*multicast, clock)) known.push_back(fog.address);
    if (known.empty()) return {on_this_machine, true, {}};
  }
  return {known.front(), false, {known.begin() + 1, known.end()}};
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

std::expected<std::string, CommandFailure> ask_for_report(
    const NodeAddressFlags& flags, std::string_view question,
    bool (*is_answer)(const wire::Message& message),
    std::string (*json_of)(wire::Message& answer)) {
  constexpr Duration budget = std::chrono::seconds(5);
  const SystemClock clock;
  const NodeAddress node = node_address(flags, clock);
  auto answer = ask_node(node.address, question, is_answer, budget);
  if (answer) return json_of(*answer);
  CommandFailure failure = node_failure(flags, node, answer.error());
  if (answer.error().code == ErrorCode::invalid) {
    failure.message += "; a node of an older version does not know this question";
  }
  return std::unexpected(std::move(failure));
}

}  // namespace fogctl::cli
