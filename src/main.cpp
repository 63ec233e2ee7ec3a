// The table of subcommands. What each one does is in the file of its name in src/cli.
#include "cli/program.hpp"

namespace {

constexpr fogctl::cli::Command commands[] = {
    {"fog", "run a fog node", fogctl::cli::add_fog},
    {"cloud", "run the node at the top, with no cloud above it", fogctl::cli::add_cloud},
    {"nodes", "show the neighbours that a node knows", fogctl::cli::add_nodes},
    {"explain", "tell why a task went where it went", fogctl::cli::add_explain},
    {"plan", "tell where a task would go now", fogctl::cli::add_plan},
    {"worker", "run tasks from a Redis queue", fogctl::cli::add_worker},
    {"client", "send tasks and report how they fared", fogctl::cli::add_client},
    {"queue", "show what lies in a queue, pause and resume it", fogctl::cli::add_queue},
    {"tasks", "look at tasks one by one, give them up, try them again", fogctl::cli::add_tasks},
    {"simulate", "compare placement policies on simulated fogs", fogctl::cli::add_simulate},
    {"redis-check", "tell whether a Redis can carry a fog", fogctl::cli::add_redis_check},
    {"find-port", "print idle TCP ports", fogctl::cli::add_find_port},
};

}  // namespace

int main(int argc, char** argv) {
  return fogctl::cli::run(argc, argv, commands);
}
