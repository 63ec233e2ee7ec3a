// Bytes <-> messages: the wire protocol (protocol.md). Knows no sockets. Any thread.
//
// Reading: parse_message() takes the text of one framed object. A task that is wrong but has a
// usable task_id is a BadTask (answered by a result with an error); other wrong input is an Error.
// Writing: append_…() adds one object and its '\n' to a buffer; all of it is ASCII.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "json/json.hpp"
#include "task/kinds.hpp"
#include "task/task.hpp"

namespace fogctl::wire {

/// Version that fogctl speaks; a peer that has shown less is an original one.
inline constexpr int protocol_version = 2;

/// Who a fogctl node is, in fog_ready, fog_ready_ack, cloud_ready and what is multicast; empty from
/// an original one.
struct NodeIdentity {
  std::string node;  // 128 random bits, hex, new at each start
  std::string name;  // for people
  int protocol = 0;
  std::string listen = {};  // ADDRESS:PORT on which it accepts, 0.0.0.0 being any; empty: not said
  std::size_t max_message = 0;  // of a task that it takes, bytes; 0: not said

  [[nodiscard]] bool is_original() const { return protocol < protocol_version || node.empty(); }
};

struct TaskMessage {
  Task task;               // uid is empty where the sender gave none
  std::string task_id;     // JSON text: an integer or a string; null where only task_uid came
  bool has_class = false;  // task_type was there; else it is the handler's
  bool extended = false;   // carried a field of part 3: its result may too
  bool wants_accept = false;
  std::int64_t steal = 0;  // the receiver's request that it answers; 0: none
};

/// A task message with a usable task_id and something wrong with the rest.
struct BadTask {
  TaskMessage message;  // what could be read
  TaskError error;
};

struct ResultMessage {
  std::string task_id;  // JSON text
  TaskResult result;    // uid is empty where the sender gave none
  // As they came, for a result that is passed on or reported; JSON text.
  std::string task_type = "\"light\"";
  std::string time_requirement = "0";
  std::string sending_time = "0";
  std::string distribution_time = "0";
  std::string execution_time = "0";
  std::string process_by = "\"f\"";
  int offload_times = 0;
  bool is_junk = false;  // it cannot be read, but for whose it is: its error says why
};

struct FogReady {
  std::string send_time;  // JSON text
  NodeIdentity identity;
};
struct FogReadyAck {
  std::string send_time;  // JSON text
  NodeIdentity identity;
};
/// `task_time` of a node that takes no task: as long as the original waits for nobody.
inline constexpr Duration takes_no_task = std::chrono::seconds(1'000'000);
struct State {
  Duration task_time{};  // estimated waiting time
  // Of fogctl nodes alone; 0 where the sender gave none.
  int workers = 0;
  int queued = 0;
  int running = 0;
  std::int64_t sequence = 0;
  Duration sharing_interval{};
  /// For each urgency that placement knows: how long a task waits there, and how far from that it
  /// may be. Empty: not said.
  std::vector<Duration> waits = {};
  bool takes_copies = false;
  bool steals = false;  // it may be asked for a task that waits there
};
/// fogctl nodes tell each other of the neighbours that they have.
struct KnownNodes {
  struct Entry {
    std::string node;
    std::string address;  // HOST:PORT
  };
  std::vector<Entry> nodes;
};
/// The peer takes no task over this link from now on, and closes it when it is empty.
struct Leave {
  bool has_enough = false;  // the sender has enough neighbours: it is not to be dialled for a while
};
/// "Which neighbours do you know?"
struct NodesQuery {};
struct NodesReport {
  std::string json;  // one object, without the message_type
};

struct CloudReady {
  NodeIdentity identity;
};
/// The tasks that the sender can run; in answer to a query also what it knows of others.
struct Kinds {
  TaskKinds tasks;
  std::string mesh = "[]";  // JSON text: see node/kinds_report.hpp
};
/// "Which tasks can you run, and who else can run which?"
struct KindsQuery {};
/// How much of a task that runs is done.
struct Progress {
  std::string task_id;  // JSON text
  std::string uid;
  double share = 0;  // from 0 to 1
};
/// The task is in the queue: whatever dies now, it is answered.
struct Accepted {
  std::string task_id;  // JSON text
  std::string uid;
  std::string placement;  // as process_by: local, fog or cloud
  Duration expected_wait{};
};
/// The copy of a task that was sent under this id has begun at the peer.
struct Started {
  std::string task_id;  // JSON text
};
/// "The copy that I sent you is not needed any more." Never answered.
struct CancelCopy {
  std::string uid;
};
/// "A worker is free here: give me a task that waits with you." Answered by a task that names the
/// request, or by StealRefused; where it came too soon, by nothing.
struct Steal {
  std::int64_t request = 0;  // > 0; the sender's number
  int workers = 1;           // that are free
};
struct StealRefused {
  std::int64_t request = 0;
  Duration retry_after{};
};
/// "Give this task up", and what came of it.
struct Cancel {
  std::string uid;
};
struct Cancelled {
  std::string uid;
  std::string status;
};
/// What people ask of a node's queue, and the answer, one JSON object after the other.
struct QueueQuery {
  std::string action;
  std::string state;
  std::vector<std::string> uids;
  std::size_t most = 100;
};
struct QueueReport {
  std::vector<std::string> objects;
};
/// "Why did this task go where it went?"
struct ExplainQuery {
  std::string uid;
};
struct Explanation {
  std::string json;  // one object, without the message_type
};
/// "Where would this task go now?" Nothing comes of it.
struct PlanQuery {
  TaskMessage task;
};
struct PlanReport {
  std::string json;  // likewise
};
/// The peer says that something which was sent to it was wrong. Never answered.
struct ErrorMessage {
  std::string code;
  std::string message;
};

using Message =
    std::variant<TaskMessage, BadTask, ResultMessage, FogReady, FogReadyAck, State, CloudReady,
                 ErrorMessage, KnownNodes, Leave, NodesQuery, NodesReport, Accepted, Cancel,
                 Cancelled, QueueQuery, QueueReport, Kinds, KindsQuery, Progress, Started,
                 CancelCopy, ExplainQuery, Explanation, PlanQuery, PlanReport, Steal, StealRefused>;

// What is multicast.
struct FogHello {
  std::uint16_t tcp_port = 0;
  NodeIdentity identity;
};
struct EndpointHello {};
struct FogAck {
  std::uint16_t tcp_port = 0;
  NodeIdentity identity;
};
using Datagram = std::variant<FogHello, EndpointHello, FogAck>;

/// `scratch` only saves allocations. Error: invalid, naming the field.
[[nodiscard]] Result<Datagram> parse_datagram(std::string_view text, json::Object& scratch);
[[nodiscard]] Result<Message> parse_message(std::string_view text, json::Object& scratch,
                                            std::size_t deepest = json::max_depth);

/// What a task message says beside the task.
struct TaskMessageExtras {
  bool has_class = true;   // else the task is of the class that the node knows for its name
  std::int64_t steal = 0;  // the receiver's request that it answers; 0: none
};
void append_task(std::string& out, const Task& task, std::string_view task_id,
                 const TaskMessageExtras& extras = {});
/// The fields that a result copies from its task; only looks at the texts.
struct ResultContext {
  std::string_view task_id;  // JSON text
  TaskClass weight = TaskClass::light;
  std::string_view time_requirement = "10000";  // JSON text, as they came
  std::string_view sending_time = "0";
  std::string_view distribution_time = "0";
  int offload_times = 0;
  std::string_view process_by = "f";
  bool extended = false;  // the peer reads part 3's fields
  bool has_uid = false;   // ... and its task carried a task_uid
};
void append_result(std::string& out, const TaskResult& result, const ResultContext& context);
/// A result that came over a link, passed on: of the original's fields nothing changes but the id.
/// The fields of part 3 are those of `result`: an original peer sent none.
void append_forwarded_result(std::string& out, const ResultMessage& message,
                             const TaskResult& result, const ResultContext& context);
void append_fog_ready(std::string& out, WallTime now, const NodeIdentity& identity);
void append_fog_ready_ack(std::string& out, const FogReady& ready, const NodeIdentity& identity);
void append_cloud_ready(std::string& out, const NodeIdentity& identity);
/// `is_original`: the receiver knows task_time alone.
void append_state(std::string& out, const State& state, bool is_original);
void append_known_nodes(std::string& out, const KnownNodes& known);
void append_leave(std::string& out, const Leave& leave);
void append_nodes_query(std::string& out);
/// `members`: of the report, as JSON text, without braces.
void append_nodes_report(std::string& out, std::string_view members);
void append_accepted(std::string& out, const Accepted& accepted);
void append_cancel(std::string& out, std::string_view uid);
void append_cancelled(std::string& out, const Cancelled& cancelled);
void append_queue_query(std::string& out, const QueueQuery& query);
void append_queue_report(std::string& out, const QueueReport& report);
/// `mesh`: what the sender knows of others, a JSON array's text; empty: not said.
void append_kinds(std::string& out, const TaskKinds& tasks, std::string_view mesh);
void append_kinds_query(std::string& out);
void append_progress(std::string& out, const Progress& progress);
void append_started(std::string& out, std::string_view task_id);
void append_cancel_copy(std::string& out, std::string_view uid);
void append_steal(std::string& out, const Steal& steal);
void append_steal_refused(std::string& out, const StealRefused& refused);
void append_explain_query(std::string& out, std::string_view uid);
/// `members`: of the answer, as JSON text, without braces; likewise below.
void append_explanation(std::string& out, std::string_view members);
/// `has_class`: likewise.
void append_plan_query(std::string& out, const Task& task, bool has_class);
void append_plan(std::string& out, std::string_view members);
/// To be multicast, without '\n'. A hello is repeated as alive, which an original node ignores.
[[nodiscard]] std::string fog_hello(const FogHello& hello, bool is_repeated);
[[nodiscard]] std::string endpoint_hello();
[[nodiscard]] std::string fog_ack(const FogAck& ack);
void append_error(std::string& out, std::string_view code, std::string_view message);

/// Seconds since the epoch with microseconds, as JSON text.
[[nodiscard]] std::string wall_time_text(WallTime now);

}  // namespace fogctl::wire
