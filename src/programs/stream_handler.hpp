// Tasks that kept processes run: each reads one JSON object a line and writes one a line.
//   in:  {"uid","content","attempt","deadline_ms"}
//   out: {"uid","content"} or {"uid","error":"text"}; before it, as often as it likes,
//        {"uid","progress":0.4}
#pragma once

#include <memory>

#include "programs/child.hpp"
#include "programs/task_spec.hpp"
#include "work/handlers.hpp"

namespace fogctl {

/// Of a spec whose mode is stream. The content is a JSON value in both directions, whatever the
/// spec's input and output: "raw" and "base64" say what its strings hold, the process decodes them.
/// Processes are started when there is a task for them, after a back-off where they keep dying, for
/// which tasks are put off, spec.concurrency of them at most, and end when they are idle, or with
/// the handler. One that breaks the protocol is replaced. Errors: task_failed, not for good: an
/// "error" answer, a process that died, that broke the protocol, or that cannot be started;
/// timed_out; cancelled.
[[nodiscard]] Handler stream_handler(TaskSpec spec, std::shared_ptr<Keepers> keepers);

}  // namespace fogctl
