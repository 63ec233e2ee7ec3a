// The pool of keepers, and a child as its user sees it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "programs/child.hpp"
#include "programs/control_group.hpp"
#include "programs/keeper_process.hpp"

namespace fogctl {
namespace {

constexpr Duration start_patience = std::chrono::seconds(10);
constexpr Duration kill_patience = std::chrono::seconds(5);
constexpr std::size_t most_at_rest = 16;

using KeeperPtr = std::unique_ptr<KeeperProcess>;

/// Keepers at rest. Any thread.
class RestingKeepers {
 public:
  [[nodiscard]] KeeperPtr take() {
    const std::lock_guard lock(mutex_);
    if (keepers_.empty()) return nullptr;
    KeeperPtr last = std::move(keepers_.back());
    keepers_.pop_back();
    return last;
  }
  void put_back(KeeperPtr keeper) {
    const std::lock_guard lock(mutex_);
    if (keepers_.size() < most_at_rest) keepers_.push_back(std::move(keeper));
  }

 private:
  std::mutex mutex_;
  std::vector<KeeperPtr> keepers_;
};

struct Pipes {
  FileDescriptor in, out, err;
};

class KeptChild final : public Child {
 public:
  KeptChild(KeeperPtr keeper, Pipes pipes, std::shared_ptr<RestingKeepers> resting)
      : keeper_(std::move(keeper)), pipes_(std::move(pipes)), resting_(std::move(resting)) {}

  ~KeptChild() override {
    if (!exit_) {
      kill();
      note_end(keeper_->word(kill_patience));
    }
    // Else it ends here, and with it whatever still runs.
    if (exit_ && !exit_->is_lost) resting_->put_back(std::move(keeper_));
  }
  KeptChild(const KeptChild&) = delete;
  KeptChild& operator=(const KeptChild&) = delete;

  [[nodiscard]] int in() const override { return pipes_.in.get(); }
  [[nodiscard]] int out() const override { return pipes_.out.get(); }
  [[nodiscard]] int err() const override { return pipes_.err.get(); }
  void close_in() override { pipes_.in.close(); }
  // Where it cannot be told, end() tells that it is gone.
  void terminate() override { std::ignore = keeper_->order(keeper::Terminate{}); }
  void kill() override { std::ignore = keeper_->order(keeper::Kill{}); }
  [[nodiscard]] int end() const override { return keeper_->socket(); }
  [[nodiscard]] std::optional<ChildExit> ended() override {
    if (!exit_) note_end(keeper_->word(Duration::zero()));
    return exit_;
  }

 private:
  void note_end(std::optional<keeper::Word> word) {
    if (const auto* end = word ? std::get_if<keeper::Ended>(&*word) : nullptr) {
      exit_ = end->exit;
    } else {
      exit_ = ChildExit{};
      exit_->is_lost = true;
    }
  }

  KeeperPtr keeper_;
  Pipes pipes_;
  std::shared_ptr<RestingKeepers> resting_;
  std::optional<ChildExit> exit_;
};

/// Both ends of a program's pipes: the first ours, non-blocking, the second its.
struct PipePairs {
  Pipes ours;
  Pipes its;
};

Result<PipePairs> make_pipes() {
  PipePairs pairs;
  const auto make = [](FileDescriptor& reading, FileDescriptor& writing) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    reading = FileDescriptor(ends[0]);
    writing = FileDescriptor(ends[1]);
    return true;
  };
  if (!make(pairs.its.in, pairs.ours.in) || !make(pairs.ours.out, pairs.its.out) ||
      !make(pairs.ours.err, pairs.its.err)) {
    return failure(ErrorCode::failed, fmt::format("cannot make pipes for a program: {}",
                                                  std::generic_category().message(errno)));
  }
  for (const FileDescriptor* end : {&pairs.ours.in, &pairs.ours.out, &pairs.ours.err}) {
    ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  return pairs;
}

/// Once for the process, which moves into a group of its own by it.
const Result<std::string>& control_groups() {
  static const Result<std::string> groups = take_over_control_group();
  return groups;
}

std::string describe_limits() {
  const auto& groups = control_groups();
  return groups ? fmt::format("cgroup v2, in {}", *groups)
                : fmt::format("rlimits, and looks at the memory and processes of each task ({})",
                              groups.error().message);
}

class KeeperPool final : public Keepers {
 public:
  Result<std::unique_ptr<Child>> start(const ChildSpec& spec) override;
  std::string limits_in_force() const override { return describe_limits(); }

 private:
  std::shared_ptr<RestingKeepers> resting_ = std::make_shared<RestingKeepers>();
};

Result<std::unique_ptr<Child>> KeeperPool::start(const ChildSpec& spec) {
  keeper::Order order = keeper::Start{spec};
  if (encode(order).size() > keeper::max_packet) {
    return failure(ErrorCode::failed,
                   fmt::format("cannot run '{}': its arguments and environment are longer than {} "
                               "bytes",
                               spec.command.front(), keeper::max_packet));
  }
  auto pipes = make_pipes();
  if (!pipes) return std::unexpected(pipes.error());
  const std::array<int, 3> files = {pipes->its.in.get(), pipes->its.out.get(),
                                    pipes->its.err.get()};
  for (bool was_at_rest = true; was_at_rest;) {
    KeeperPtr keeper = resting_->take();
    was_at_rest = keeper != nullptr;
    if (!keeper) {
      auto started = KeeperProcess::start(control_groups().value_or(""));
      if (!started) return std::unexpected(started.error());
      keeper = std::move(*started);
    }
    if (!keeper->order(order, &files)) continue;  // it was killed while it rested
    auto word = keeper->word(start_patience);
    if (!word && keeper->has_read_nothing()) continue;
    if (!word && !keeper->is_gone()) break;  // it hangs
    // Without a word the program may have run, and killed it: that is how its run ended.
    if (auto* refused = word ? std::get_if<keeper::Refused>(&*word) : nullptr) {
      resting_->put_back(std::move(keeper));
      return failure(ErrorCode::failed, std::move(refused->why));
    }
    return std::make_unique<KeptChild>(std::move(keeper), std::move(pipes->ours), resting_);
  }
  return failure(ErrorCode::failed, fmt::format("'{}': its keeper was killed, or did not answer",
                                                spec.command.front()));
}

}  // namespace

std::shared_ptr<Keepers> make_keepers() {
  static std::once_flag told;
  std::call_once(told, [] { log(LogLevel::info, "limits of tasks: {}", describe_limits()); });
  return std::make_shared<KeeperPool>();
}

}  // namespace fogctl
