#include "cli/node_flags.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/open_files.hpp"
#include "base/random.hpp"
#include "cli/queue_file.hpp"
#include "net/address.hpp"
#include "node/node.hpp"
#include "node/task_reload.hpp"
#include "placement/placement.hpp"
#include "queue/memory_queue.hpp"
#include "queue/redis_health.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl::cli {
namespace {

constexpr std::size_t most_in_queue = std::size_t{1} << 40;  // tasks, or their bytes

std::string host_name() {
  std::array<char, 65> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || !is_valid_name(name.data()))
    return "node";
  return name.data();
}

/// A CLI11 check for names of queues and nodes.
std::string check_name(const std::string& text) {
  const bool is_flag = text.starts_with('-');  // "--queue --port 6380": the value was forgotten
  return is_valid_name(text) && !is_flag
             ? ""
             : fmt::format("'{}' is not 1 to 64 of [A-Za-z0-9_.-]", text);
}

std::string check_address(const std::string& text) {
  const auto address = parse_host_port(text);
  return address ? "" : address.error().message;
}

/// What a person can do about a Redis that cannot be used.
std::string redis_advice(ErrorCode code, const RedisAddress& address) {
  const std::string check = fmt::format("'fogctl redis-check --redis {}'", address.display());
  const bool is_there = code == ErrorCode::no_room;
  if (!address.sentinels.empty() && !is_there && is_transient({code, {}})) {
    return "Start the sentinels and the master that they watch, or name others with --redis; " +
           check + " says what each of them answers";
  }
  switch (code) {
    case ErrorCode::read_only:
      return "This Redis is a replica: name its master with --redis; " + check + " knows it";
    case ErrorCode::unauthorized:
      return "Give the right password in the file that --redis-password-file names, or in "
             "FOGCTL_REDIS_PASSWORD (and --redis-user, where it is not the default user's)";
    case ErrorCode::unavailable:
    case ErrorCode::timed_out:
      return fmt::format(
          "Start one with 'redis-server --port {} --appendonly yes', name another with --redis, "
          "or run a node with no server: --queue-backend file; where one runs, {} says what is "
          "wrong with it",
          address.socket_path.empty() ? address.port : 6379, check);
    default:
      return check + " says what is wrong with it";
  }
}

std::expected<std::unique_ptr<RedisQueue>, CommandFailure> open_redis_queue(
    const QueueFlags& flags, const std::string& holder, std::size_t threads, const Clock& clock) {
  const auto address = redis_address(flags.redis);
  if (!address) {
    return std::unexpected(CommandFailure{exit_code::failed, address.error().message});
  }
  RedisQueueOptions options;
  options.address = *address;
  options.name = flags.name;
  options.holder = holder;
  options.limits = flags.limits;
  options.lease = flags.lease;
  options.connections = threads + 3;  // the workers, the lane, the lease keeper, one to spare
  auto queue = RedisQueue::open(options, clock);
  if (!queue) return std::unexpected(queue_failure(flags, queue.error()));
  return std::move(*queue);
}

/// What is accepted there may be lost: that is said at the start, not when it is.
void warn_of_losses(RedisQueue& queue) {
  const auto losses = queue.find_losses();
  if (!losses) return;
  for (const Finding& loss : *losses) {
    log(LogLevel::warning, "redis {}: {} {}; to change it: {}", queue.server(), loss.check,
        loss.meaning, loss.advice);
  }
}

std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_node_queue(const NodeFlags& flags,
                                                                          const std::string& holder,
                                                                          const Clock& clock) {
  if (flags.backend != "redis" && !flags.queue.redis.address.empty()) {
    return std::unexpected(
        CommandFailure{exit_code::usage,
                       "--redis: the queue of --queue-backend " + flags.backend + " needs none"});
  }
  if (flags.backend == "file") return open_file_queue(flags, holder, clock);
  if (!flags.queue_file.empty()) {
    return std::unexpected(CommandFailure{
        exit_code::usage, "--queue-file: only the queue of --queue-backend file has a file"});
  }
  if (flags.backend == "redis") {
    return open_served_redis_queue(flags.queue, holder, flags.workers, clock);
  }
  return std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(flags.queue.limits), holder);
}

CommandFailure start_failure(const NodeFlags& flags, const Error& error) {
  if (flags.backend == "redis") return queue_failure(flags.queue, error);
  if (flags.backend == "file") return queue_file_failure(queue_file_of(flags), error);
  return {exit_code::failed, error.message};
}

NodeOptions node_options(const NodeFlags& flags, bool is_cloud, std::string id) {
  NodeOptions options;
  options.is_cloud = is_cloud;
  options.id = std::move(id);
  options.name = flags.queue.node_name;
  options.policy = find_policy(flags.policy);
  if (!flags.listen.empty()) options.listen = *parse_host_port(flags.listen);
  options.workers = flags.workers;
  options.open_files = raise_open_files();
  options.connection.max_message = flags.max_message;
  // One that waits for a long result is no peer that does not read.
  const std::size_t longest = longest_reply(flags.max_message);
  options.connection.drop_bytes = std::max(options.connection.drop_bytes, 2 * longest);
  options.lease = flags.queue.lease;
  options.watchdog = flags.queue.watchdog;
  options.patience = flags.patience;
  options.drain_timeout = flags.queue.drain_timeout;
  options.max_attempts = flags.queue.max_attempts;
  options.retry_delay = flags.queue.retry_delay;
  apply(flags.mesh, options);
  return options;
}

}  // namespace

CLI::Option* add_address(CLI::App& command, const std::string& name, std::string& value,
                         const std::string& help) {
  return command.add_option(name, value, help)->check(check_address)->type_name("ADDR:PORT");
}

void add_policy(CLI::App& command, std::string& value, std::string help) {
  help += ':';
  std::vector<std::string> names;
  for (const Policy& policy : policies()) {
    names.emplace_back(policy.name);
    help += fmt::format(" {} ({})", policy.name, policy.summary);
  }
  value = default_policy;
  add_choice(command, "--policy", value, names, help);
}

std::size_t cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

void add_queue_name_flags(CLI::App& command, QueueFlags& flags) {
  add_redis_flags(command, flags.redis);
  command.add_option("--queue", flags.name, "name of the queue; who shares it shares the work")
      ->check(check_name)
      ->type_name("NAME")
      ->capture_default_str();
}

std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_queue_to_look_at(
    const QueueFlags& flags, const Clock& clock) {
  Random random(entropy());
  return open_redis_queue(flags, random_hex_id(random), 1, clock);
}

void add_queue_flags(CLI::App& command, QueueFlags& flags) {
  add_queue_name_flags(command, flags);
  flags.node_name = host_name();
  add_duration(command, "--lease", flags.lease,
               "how long the queue waits for a word from this process before others get its tasks");
  add_duration(command, "--watchdog", flags.watchdog,
               "how long tasks may wait while workers are free and get none, before new "
               "connections are tried, and then an alarm given");
  command.callback([&flags] {
    if (flags.lease < std::chrono::seconds(1)) {
      throw CLI::ValidationError("--lease: at least 1s, so that a busy moment does not cost it");
    }
    if (flags.watchdog < std::chrono::seconds(1)) {
      throw CLI::ValidationError("--watchdog: at least 1s; a busy moment is no standstill");
    }
  });
  add_number<std::uint32_t>(command, "--max-attempts", flags.max_attempts, {1, 1000},
                            "runs of a task that may begin, when each fails or loses its worker");
  add_duration(command, "--retry-delay", flags.retry_delay,
               "pause before a failed task is tried again; doubles with each run, up to 1min");
  add_duration(command, "--drain-timeout", flags.drain_timeout,
               "how long running tasks may take to end after SIGTERM");
  add_duration(command, "--result-ttl", flags.limits.result_ttl,
               "how long the result of a task with a task_uid is kept");
  add_number<std::size_t>(command, "--max-dead", flags.limits.max_dead, {0, most_in_queue},
                          "most tasks that failed for good to keep for a look at them");
  add_size(command, "--max-dead-bytes", flags.limits.max_dead_bytes, {0, most_in_queue},
           "most bytes of such tasks to keep, likewise");
  command.add_option("--name", flags.node_name, "this node's name, for people")
      ->check(check_name)
      ->type_name("NAME")
      ->capture_default_str();
  add_log_level(command);
}

void add_limit_flags(CLI::App& command, QueueLimits& limits) {
  add_number<std::size_t>(command, "--max-queued", limits.max_tasks, {1, most_in_queue},
                          "most tasks in the queue; past it tasks are answered 'overloaded'");
  add_size(command, "--max-queued-bytes", limits.max_bytes, {1, most_in_queue},
           "most bytes of tasks in the queue, likewise");
}

std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_served_redis_queue(
    const QueueFlags& flags, const std::string& holder, std::size_t threads, const Clock& clock) {
  auto queue = open_redis_queue(flags, holder, threads, clock);
  if (queue) warn_of_losses(**queue);
  return queue;
}

CommandFailure queue_failure(const QueueFlags& flags, const Error& error) {
  const auto address = redis_address(flags.redis).value_or(RedisAddress{});  // was read before
  return {is_transient(error) ? exit_code::unreachable : exit_code::failed,
          error.message + '\n' + redis_advice(error.code, address)};
}

void add_node_flags(CLI::App& command, NodeFlags& flags) {
  flags.workers = cores();
  add_queue_flags(command, flags.queue);
  add_limit_flags(command, flags.queue.limits);
  add_choice(
      command, "--queue-backend", flags.backend, {"redis", "memory", "file"},
      "where accepted tasks wait; memory and file need no server, and memory loses them when "
      "the process ends");
  command
      .add_option("--queue-file", flags.queue_file,
                  "file of --queue-backend file, for one process; made where there is none")
      ->type_name("PATH")
      ->default_str("the queue's name and .queue");
  add_choice(
      command, "--queue-sync", flags.queue_sync, {"normal", "full"},
      "what in the file outlives a power cut: normal, all but the last two seconds; full, all, "
      "each call waiting for the disk; a kill -9 costs nothing with either");
  auto* listen =
      add_address(command, "--listen", flags.listen, "address to listen on; port 0: any");
  if (!flags.listen.empty()) {
    listen->capture_default_str();
  } else {
    listen->default_str("0.0.0.0, the first idle port from 10000");
  }
  add_number<std::size_t>(command, "--workers", flags.workers, {0, 1024},
                          "worker threads in this process; 0 leaves the work to 'fogctl worker'");
  add_policy(command, flags.policy, "how tasks are placed");
  command
      .add_option("--record", flags.record,
                  "append what happens to tasks to this file, for 'fogctl simulate --trace'")
      ->type_name("FILE")
      ->default_str("none");
  add_size(command, "--max-message", flags.max_message, {1024, std::size_t{64} << 20},
           "longest message; a longer one ends its connection");
  add_duration(command, "--patience", flags.patience,
               "how long a task waits for an absent queue or worker before 'unavailable'");
  add_task_flags(command, flags.tasks);
}

CommandResult run_node(const NodeFlags& flags, bool is_cloud) {
  const SystemClock clock;
  Random random(entropy());
  const std::string id = random_hex_id(random);
  CommandHandlers commands = make_handlers(flags.tasks);
  if (const auto read = commands.read(); !read) return std::unexpected(task_failure(read.error()));

  const auto queue = open_node_queue(flags, id, clock);
  if (!queue) return std::unexpected(queue.error());

  NodeOptions options = node_options(flags, is_cloud, id);
  std::unique_ptr<TraceRecorder> recorder;
  if (!flags.record.empty()) {
    auto opened = TraceRecorder::open(flags.record, options.name, clock);
    if (!opened) {
      return std::unexpected(CommandFailure{
          exit_code::failed,
          opened.error().message +
              "\nName a file with --record that can be written, in a folder that is there"});
    }
    recorder = std::move(*opened);
    options.recorder = recorder.get();
  }
  Node node(std::move(options), **queue, commands.handlers(), clock);
  if (const auto listening = node.listen(); !listening) {
    return std::unexpected(CommandFailure{exit_code::failed, listening.error().message});
  }
  if (const auto started = node.start(); !started) {
    return std::unexpected(start_failure(flags, started.error()));
  }
  TaskReload reload([&] {
    if (commands.reread()) node.on_handlers_changed();
  });
  fmt::print("listening on {}\n", node.address());
  std::fflush(stdout);
  const bool is_drained = node.run();
  if (recorder) recorder->close();
  // A task still runs, which is back in the queue, or a task file is read that does not come.
  if (!reload.end(reload_patience) || !is_drained) std::_Exit(exit_code::ok);
  return exit_code::ok;
}

}  // namespace fogctl::cli
