// fogctl fog: a fog node.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/node_flags.hpp"

namespace fogctl::cli {

Run add_fog(CLI::App& command) {
  auto flags = std::make_shared<NodeFlags>();
  add_node_flags(command, *flags);
  add_mesh_flags(command, flags->mesh);
  add_example(command,
              "fogctl fog --port 6380\n"
              "fogctl fog --queue-backend file --listen 0.0.0.0:10001 --cloud 10.0.0.1:10000 "
              "--peer 10.0.0.7:10001");
  return [flags] { return run_node(*flags, false); };
}

}  // namespace fogctl::cli
