// What the nodes of a MeshWorld say to each other, and what each of them does when it is spoken to.
#pragma once

#include <cstdint>
#include <string>

#include "scheduling/actions.hpp"

namespace fogctl::support {

struct MeshMessage {
  enum class Kind {
    ready,
    ack,
    state,
    task,
    result,
    cancel,
    leave,
    kinds,
    started,
    copy_cancelled,
    steal,
    steal_refused,
    end
  };
  Kind kind = Kind::ready;
  std::string node;  // ready: the sender's id; empty from an original one
  Instant sent;      // ready; copied into the ack
  NodeState state;
  TaskKinds kinds;
  TaskPtr task;
  std::int64_t id = 0;  // task
  std::string task_id;  // result, started: as it came; cancel, copy_cancelled: the uid
  TaskResult result;
  StealRequest request;  // steal, its refusal, and a task that answers it
  Duration retry_after{};
};

/// One end of a connection, as the one that holds it knows it.
struct MeshOpened {
  PeerId peer = 0;
  std::size_t other = 0;  // the node at its other end
  bool is_opened_here = false;
};

class MeshPeer {
 public:
  virtual ~MeshPeer() = default;
  virtual void start() = 0;
  virtual void end() = 0;  // it dies: nothing of it is left
  virtual void on_opened(const MeshOpened& opened) = 0;
  virtual void on_message(PeerId peer, const MeshMessage& message) = 0;
  virtual void on_closed(PeerId peer) = 0;
  [[nodiscard]] virtual bool is_quiet() const = 0;
};

}  // namespace fogctl::support
