// The flags of the roles that serve a queue (fog, cloud, worker), and how their queue is opened.
// Main thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/command.hpp"
#include "cli/mesh_flags.hpp"
#include "cli/options.hpp"
#include "cli/task_flags.hpp"
#include "queue/task_queue.hpp"

namespace fogctl::cli {

struct QueueFlags {
  RedisFlags redis;
  std::string name = "fog";
  Duration lease = std::chrono::seconds(5);
  Duration watchdog = std::chrono::seconds(10);
  Duration drain_timeout = std::chrono::seconds(10);
  std::uint32_t max_attempts = 3;
  Duration retry_delay = std::chrono::milliseconds(500);
  QueueLimits limits;
  std::string node_name;  // --name; the host's name unless given
};
void add_queue_flags(CLI::App& command, QueueFlags& flags);
/// --max-queued and --max-queued-bytes: for the roles that put tasks into a queue.
void add_limit_flags(CLI::App& command, QueueLimits& limits);

/// A Redis queue for this process to serve; the log says where that Redis may lose tasks.
[[nodiscard]] std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_served_redis_queue(
    const QueueFlags& flags, const std::string& holder, std::size_t threads, const Clock& clock);
/// Why a Redis queue cannot be served, and what to do; exit code 3 where it may be there later.
[[nodiscard]] CommandFailure queue_failure(const QueueFlags& flags, const Error& error);

/// A Redis queue to look at, and people's hands on it: --redis and its kind, --queue.
void add_queue_name_flags(CLI::App& command, QueueFlags& flags);
[[nodiscard]] std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_queue_to_look_at(
    const QueueFlags& flags, const Clock& clock);

struct NodeFlags {
  QueueFlags queue;
  TaskFlags tasks;
  std::string backend = "redis";
  std::string queue_file;  // empty: the queue's name and ".queue", in the working folder
  std::string queue_sync = "normal";
  std::string listen;  // empty: the first idle port from 10000
  MeshFlags mesh;      // of a fog node
  std::size_t workers = 0;
  std::string policy;
  std::string record;  // a path; empty: nothing is written down
  std::size_t max_message = std::size_t{1} << 20;
  Duration patience = std::chrono::seconds(2);
};
/// What fog and cloud share.
void add_node_flags(CLI::App& command, NodeFlags& flags);
[[nodiscard]] CommandResult run_node(const NodeFlags& flags, bool is_cloud);

/// An option whose value is an address.
CLI::Option* add_address(CLI::App& command, const std::string& name, std::string& value,
                         const std::string& help);

/// --policy, the default first; its help says what each does.
void add_policy(CLI::App& command, std::string& value, std::string help);

/// The number of cores; at least 1.
[[nodiscard]] std::size_t cores();

}  // namespace fogctl::cli
