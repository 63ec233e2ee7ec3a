// A client's run, from connecting to the report: tasks one after another (a sequence), or at fixed
// rates (a load). Runs on the caller's thread until it is over, a signal included: the first
// SIGINT or SIGTERM while it sends stops that; one while it only waits ends the run.
//
// Each task has a task_uid of its own. One that is unanswered when the connection breaks is sent
// again with the same one, and a node of fogctl's then answers it once; an original node may run it
// twice. Nothing waits longer than the tasks' time-out: where no node is to be reached for so long,
// no new task is sent, and the run ends when the time of those that were is over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "client/load.hpp"
#include "client/outcome.hpp"
#include "client/report.hpp"
#include "net/address.hpp"
#include "task/task.hpp"

namespace fogctl {

/// All tasks of one name.
struct TaskStream {
  std::string name;
  std::optional<TaskClass> weight;  // none: what the node knows of the name
  Duration requirement{};
  Rate rate;  // in a load
};

/// `count` tasks of one stream, of which up to `window` are unanswered at a time.
struct Sequence {
  std::uint64_t count = 1;
  std::uint64_t window = 1;
};
/// Every stream at its rate.
struct Load {
  Duration length{};
};

struct ClientPlan {
  std::vector<HostPort> nodes;                   // at least one; the first is preferred
  std::vector<TaskStream> streams;               // at least one
  std::vector<std::string> contents = {"null"};  // JSON texts, used in turn; at least one
  std::string uid;                               // of a single task, or empty: by chance
  bool to_cloud = false;
  std::variant<Sequence, Load> pace;
  Duration timeout = std::chrono::seconds(30);  // > 0; without an answer, a task is lost then
  /// Of the requirement: a task that its node has not accepted by then goes to another one as well.
  /// In [0, 1); 0: never. Not for tasks for the cloud.
  double hedge = 0;
  bool retries = true;  // false: a connection that breaks, or a refusal, is the last word
};

/// Each may be empty.
struct ClientEvents {
  std::function<void(const Outcome& outcome)> on_outcome;     // of a sequence, in order of sending
  std::function<void(const Statistics& so_far)> on_progress;  // five times a second
  /// Of a single task, from 0 to 1, as often as the node says so.
  std::function<void(double share)> on_task_progress;
  std::function<void(std::string_view note)> on_note;  // for a person
};

/// Error: unavailable or timed_out, where none of the nodes can be connected to; failed, where a
/// signal came before there was a connection. Everything that happens later is in the report.
[[nodiscard]] Result<Report> run_client(const ClientPlan& plan, const Clock& clock,
                                        ClientEvents events);

}  // namespace fogctl
