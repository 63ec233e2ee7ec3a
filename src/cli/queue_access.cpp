#include "cli/queue_access.hpp"

#include <utility>
#include <variant>

#include "client/ask_node.hpp"
#include "net/address.hpp"
#include "wire/messages.hpp"

namespace fogctl::cli {
namespace {

using Answer = std::expected<std::vector<std::string>, CommandFailure>;

constexpr Duration budget = std::chrono::seconds(10);

bool is_report(const wire::Message& message) {
  return std::holds_alternative<wire::QueueReport>(message);
}

Answer ask_a_node(const std::string& address, const QueueRequest& request) {
  std::string question;
  wire::append_queue_query(question, {request.action, request.state, request.uids, request.most});
  auto answered = ask_node(*parse_host_port(address), question, is_report, budget);
  if (answered) return std::move(std::get<wire::QueueReport>(*answered).objects);
  const bool is_away = is_transient(answered.error());
  return std::unexpected(CommandFailure{is_away ? exit_code::unreachable : exit_code::failed,
                                        answered.error().message});
}

}  // namespace

void add_queue_access_flags(CLI::App& command, QueueAccessFlags& flags) {
  add_queue_name_flags(command, flags.queue);
  command
      .add_option("--connect", flags.node,
                  "ask this running node for its queue, whatever kind it is, instead of a Redis")
      ->check(check_remote)
      ->type_name("HOST:PORT");
}

Answer ask_queue(const QueueAccessFlags& flags, const QueueRequest& request) {
  if (!flags.node.empty()) return ask_a_node(flags.node, request);
  const SystemClock clock;
  const auto queue = open_queue_to_look_at(flags.queue, clock);
  if (!queue) return std::unexpected(queue.error());
  auto answered = answer(**queue, request, clock.now());
  if (answered) return std::move(*answered);
  return std::unexpected(queue_failure(flags.queue, answered.error()));
}

}  // namespace fogctl::cli
