// One reader for each message type; see parse_message(). A part of wire/ alone. Any thread.
#pragma once

#include "wire/messages.hpp"

namespace fogctl::wire {

[[nodiscard]] Result<Message> read_task(const json::Object& object);
[[nodiscard]] Result<Message> read_result(const json::Object& object);
[[nodiscard]] Result<Message> read_state(const json::Object& object);
[[nodiscard]] Result<Message> read_known_nodes(const json::Object& object);
[[nodiscard]] Result<Message> read_leave(const json::Object& object);
[[nodiscard]] Result<Message> read_nodes_query(const json::Object& object);
[[nodiscard]] Result<Message> read_nodes_report(const json::Object& object);
[[nodiscard]] Result<Message> read_accepted(const json::Object& object);
[[nodiscard]] Result<Message> read_cancel(const json::Object& object);
[[nodiscard]] Result<Message> read_cancelled(const json::Object& object);
[[nodiscard]] Result<Message> read_queue_query(const json::Object& object);
[[nodiscard]] Result<Message> read_queue_report(const json::Object& object);
[[nodiscard]] Result<Message> read_kinds(const json::Object& object);
[[nodiscard]] Result<Message> read_kinds_query(const json::Object& object);
[[nodiscard]] Result<Message> read_progress(const json::Object& object);
[[nodiscard]] Result<Message> read_started(const json::Object& object);
[[nodiscard]] Result<Message> read_cancel_copy(const json::Object& object);
[[nodiscard]] Result<Message> read_steal(const json::Object& object);
[[nodiscard]] Result<Message> read_steal_refused(const json::Object& object);
[[nodiscard]] Result<Message> read_explain_query(const json::Object& object);
[[nodiscard]] Result<Message> read_explanation(const json::Object& object);
[[nodiscard]] Result<Message> read_plan_query(const json::Object& object);
[[nodiscard]] Result<Message> read_plan(const json::Object& object);
[[nodiscard]] Result<Datagram> read_fog_hello(const json::Object& object);
[[nodiscard]] Result<Datagram> read_endpoint_hello(const json::Object& object);
[[nodiscard]] Result<Datagram> read_fog_ack(const json::Object& object);

/// `task_uid`, which must be there.
[[nodiscard]] Result<std::string> read_uid(const json::Object& object);

/// The object without its message_type: what is shown to people as it came.
[[nodiscard]] std::string report_of(const json::Object& object);
/// Who the sender says it is; what is missing or of another kind stays empty.
[[nodiscard]] NodeIdentity read_identity(const json::Object& object);
/// Ends the object that is open in `out`.
void append_identity(std::string& out, const NodeIdentity& identity);

}  // namespace fogctl::wire
