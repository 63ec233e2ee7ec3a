// Which tasks can be run where, as far as one node knows: what it can run itself, and what its
// neighbours and its cloud said that they can. Pure. Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/string_hash.hpp"
#include "scheduling/actions.hpp"
#include "task/kinds.hpp"

namespace fogctl {

class Kinds {
 public:
  /// Where tasks of one name can run; asked for with every task, so it is made beforehand.
  struct Places {
    struct Link {
      PeerId link = 0;
      std::optional<Duration> time;  // what a run takes there
    };
    bool is_here = false;
    std::vector<Link> links;

    /// Null: the peer cannot run it, or did not say so.
    [[nodiscard]] const Link* find(PeerId link) const;
    /// What find() says of each peer, in their order. `version` changes with that: only then they
    /// are looked for again, as a decision asks about all of them.
    template <typename Peers>
    [[nodiscard]] const std::vector<const Link*>& in_order_of(const Peers& peers,
                                                              std::uint64_t version) const {
      if (std::exchange(ordered_as_, version) == version) return ordered_;
      ordered_.clear();
      for (const auto& peer : peers) ordered_.push_back(find(peer.link));
      return ordered_;
    }
    void forget_order() { ordered_as_ = 0; }

   private:
    mutable std::vector<const Link*> ordered_;
    mutable std::uint64_t ordered_as_ = 0;  // no version
  };

  /// Before set_here this node can run first_kinds().
  Kinds();

  void set_here(TaskKinds kinds);
  [[nodiscard]] const TaskKinds& here() const { return here_; }
  /// What the peer can run; in place of what it said before.
  void set(PeerId link, TaskKinds kinds);
  void forget(PeerId link);
  /// Null: the peer has not said.
  [[nodiscard]] const TaskKinds* of(PeerId link) const;

  /// Null: nobody can run it.
  [[nodiscard]] const Places* find(std::string_view name) const;
  /// Of tasks that do not say: this node's, else that of another that can run them.
  [[nodiscard]] std::optional<TaskClass> class_of(std::string_view name) const;

 private:
  void remove_if_nowhere(std::string_view name);

  TaskKinds here_;
  std::map<PeerId, TaskKinds> told_;
  std::unordered_map<std::string, Places, StringHash, std::equal_to<>> places_;
};

}  // namespace fogctl
