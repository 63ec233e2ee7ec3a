// fogctl cloud: the node at the top, with no cloud above it.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/node_flags.hpp"

namespace fogctl::cli {

Run add_cloud(CLI::App& command) {
  auto flags = std::make_shared<NodeFlags>();
  flags->queue.name = "cloud";
  flags->listen = "0.0.0.0:10000";
  add_node_flags(command, *flags);
  add_example(command,
              "fogctl cloud\n"
              "fogctl cloud --queue-backend file --listen 0.0.0.0:10000");
  return [flags] { return run_node(*flags, true); };
}

}  // namespace fogctl::cli
