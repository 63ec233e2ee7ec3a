// A node of the original system in a MeshWorld (protocol.md part 2): no id, one worker, a state
// every second; it answers nothing for a task that it does not know, loses some, hands some on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "support/mesh_message.hpp"

namespace fogctl::support {

class MeshWorld;

class OriginalNode final : public MeshPeer {
 public:
  OriginalNode(MeshWorld& world, std::size_t number) : world_(world), number_(number) {}

  void start() override;
  void end() override;
  void on_opened(const MeshOpened& opened) override;
  void on_message(PeerId peer, const MeshMessage& message) override;
  void on_closed(PeerId peer) override;
  [[nodiscard]] bool is_quiet() const override { return queue_.empty() && asked_.empty(); }

  /// A client's task that it hands to a neighbour.
  void hand_on_own(Task task);

 private:
  struct Link {
    std::size_t other = 0;
    bool has_ack = false;
  };
  struct Work {
    PeerId from = 0;  // 0: a client of its own
    std::string task_id;
    TaskPtr task;
  };

  void share();
  void take(PeerId peer, const MeshMessage& message);
  [[nodiscard]] std::optional<PeerId> other_for(const Task& task, PeerId from);
  void hand_on(PeerId to, Work work);
  void answer(const Work& work, TaskResult result);
  void run_next();

  MeshWorld& world_;
  std::size_t number_;
  std::map<PeerId, Link> links_;
  std::deque<Work> queue_;
  bool is_running_ = false;
  std::map<std::int64_t, std::pair<PeerId, Work>> asked_;  // by the id under which it handed it on
  std::int64_t last_id_ = 0;
};

}  // namespace fogctl::support
