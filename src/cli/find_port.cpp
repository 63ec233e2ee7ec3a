// fogctl find-port: prints idle TCP ports.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "net/ports.hpp"

namespace fogctl::cli {
namespace {

struct FindPortOptions {
  PortRange range;
  std::uint16_t count = 1;
  std::string host = "0.0.0.0";
};

CommandResult run_find_port(const FindPortOptions& options) {
  const auto ports = find_idle_ports(options.host, options.range, options.count);
  if (!ports) return std::unexpected(CommandFailure{exit_code::failed, ports.error().message});
  for (const std::uint16_t port : *ports) fmt::print("{}\n", port);
  return exit_code::ok;
}

}  // namespace

Run add_find_port(CLI::App& command) {
  auto options = std::make_shared<FindPortOptions>();
  constexpr NumberRange<std::uint16_t> any_port = {1, 65535};
  add_number(command, "--from", options->range.from, any_port, "lowest port to try")
      ->type_name("PORT");
  add_number(command, "--to", options->range.to, any_port, "highest port to try")
      ->type_name("PORT");
  add_number(command, "--count", options->count, any_port, "how many ports to find");
  command.add_option("--host", options->host, "address on which they shall be idle")
      ->type_name("HOST");
  command.callback([options] {
    if (options->range.from <= options->range.to) return;
    throw CLI::ValidationError(
        fmt::format("--from: {} is greater than --to {}", options->range.from, options->range.to));
  });
  add_example(command,
              "fogctl find-port --from 20000 --count 3\n"
              "fogctl fog --listen 0.0.0.0:$(fogctl find-port)");
  return [options] { return run_find_port(*options); };
}

}  // namespace fogctl::cli
