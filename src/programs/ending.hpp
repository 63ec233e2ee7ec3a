// How a child that must end is ended: SIGTERM, later SIGKILL to all that it started, and at last no
// more waiting. Belongs to the child's thread.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "programs/child.hpp"

namespace fogctl {

class Ending {
 public:
  explicit Ending(Duration kill_after) : kill_after_(kill_after) {}

  [[nodiscard]] bool has_begun() const { return stage_ != Stage::none; }
  /// Once; `with_term`: it may end in order first.
  void begin(Child& child, Instant now, bool with_term) {
    if (has_begun()) return;
    if (with_term) {
      child.terminate();
      stage_ = Stage::asked;
      next_ = now + kill_after_;
    } else {
      kill(child, now);
    }
  }
  /// When tend() is to be called.
  [[nodiscard]] std::optional<Instant> due() const {
    return has_begun() ? std::optional(next_) : std::nullopt;
  }
  /// False: even what was killed does not end, and is not to be waited for.
  [[nodiscard]] bool tend(Child& child, Instant now) {
    if (!has_begun() || now < next_) return true;
    if (stage_ == Stage::killed) return false;
    kill(child, now);
    return true;
  }

 private:
  enum class Stage { none, asked, killed };
  static constexpr Duration patience = std::chrono::seconds(5);  // with what was killed

  void kill(Child& child, Instant now) {
    child.kill();
    stage_ = Stage::killed;
    next_ = now + patience;
  }

  const Duration kill_after_;
  Stage stage_ = Stage::none;
  Instant next_;
};

}  // namespace fogctl
