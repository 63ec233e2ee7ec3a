// fogctl worker: runs tasks from a Redis queue, for the nodes that put them there.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/open_files.hpp"
#include "base/random.hpp"
#include "cli/node_flags.hpp"
#include "net/connection.hpp"
#include "node/queue_words.hpp"
#include "node/task_reload.hpp"
#include "node/worker_process.hpp"
#include "placement/placement.hpp"

namespace fogctl::cli {
namespace {

struct WorkerFlags {
  QueueFlags queue;
  TaskFlags tasks;
  std::string backend = "redis";
  std::size_t concurrency = cores();
  std::string policy;
  std::size_t max_message = std::size_t{1} << 20;
};

std::string check_backend(const std::string& text) {
  if (text == "redis") return "";
  if (text != "memory" && text != "file") return fmt::format("'{}' is none of redis", text);
  return fmt::format(
      "a queue in {} belongs to one process, so there is nothing for a worker to share; 'fogctl "
      "fog --queue-backend {}' runs its tasks itself",
      text == "file" ? "a file" : "memory", text);
}

CommandResult run_worker(const WorkerFlags& flags) {
  raise_open_files();  // for its programs
  const SystemClock clock;
  CommandHandlers commands = make_handlers(flags.tasks);
  if (const auto read = commands.read(); !read) return std::unexpected(task_failure(read.error()));
  Random random(entropy());
  const std::string id = random_hex_id(random);
  auto queue = open_served_redis_queue(flags.queue, id, flags.concurrency, clock);
  if (!queue) return std::unexpected(queue.error());

  CrewOptions options;
  options.lease = flags.queue.lease;
  options.watchdog = flags.queue.watchdog;
  options.pool.threads = flags.concurrency;
  options.pool.holder = id;
  options.pool.node_name = flags.queue.node_name;
  options.pool.max_attempts = flags.queue.max_attempts;
  options.pool.retry_delay = flags.queue.retry_delay;
  options.pool.max_content = longest_content(flags.max_message);
  options.pool.order = queue_order(*find_policy(flags.policy));
  WorkerProcess worker(**queue, commands.handlers(), clock, options, flags.queue.drain_timeout);
  TaskReload reload([&] { (void)commands.reread(); });
  const auto drained = worker.run();
  const bool is_read = reload.end(reload_patience);
  if (!drained) return std::unexpected(queue_failure(flags.queue, drained.error()));
  // A task still runs, which is back in the queue, or a task file is read that does not come.
  if (!*drained || !is_read) std::_Exit(exit_code::ok);
  return exit_code::ok;
}

}  // namespace

Run add_worker(CLI::App& command) {
  auto flags = std::make_shared<WorkerFlags>();
  add_queue_flags(command, flags->queue);
  command
      .add_option(
          "--queue-backend", flags->backend,
          "where the tasks wait; a queue in memory or a file lives in its own node: 'fogctl fog "
          "--workers'")
      ->type_name("redis")
      ->check(check_backend);
  add_number<std::size_t>(command, "--concurrency", flags->concurrency, {1, 1024},
                          "worker threads");
  add_policy(command, flags->policy,
             "the policy of the nodes that put tasks there, whose order is kept");
  add_size(command, "--max-message", flags->max_message, {1024, std::size_t{64} << 20},
           "that of the nodes; a result past six times that fails");
  add_task_flags(command, flags->tasks);
  add_example(command, "fogctl worker --port 6380 --concurrency 4");
  return [flags] { return run_worker(*flags); };
}

}  // namespace fogctl::cli
