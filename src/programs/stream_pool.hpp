// The kept processes of one stream task: who waits for a task, when one is started, when one ends.
// Any thread; a thread of its own ends those that are idle, and reads what those at rest say.
#pragma once

#include <condition_variable>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/file_descriptor.hpp"
#include "programs/child.hpp"
#include "programs/stream_process.hpp"
#include "programs/task_spec.hpp"
#include "work/handlers.hpp"

namespace fogctl {

class StreamPool {
 public:
  /// Throws std::system_error where there is no descriptor or thread left.
  StreamPool(const TaskSpec& spec, std::shared_ptr<Keepers> keepers);
  /// Nobody uses it any more. Processes at rest read the end of their input, and are soon killed.
  ~StreamPool();
  StreamPool(const StreamPool&) = delete;
  StreamPool& operator=(const StreamPool&) = delete;

  /// The process that rested last, or a new one. Waits for one while there are as many as there may
  /// be. Error: cancelled, when `stop` was asked for; task_failed, after `patience`, or it cannot
  /// be started; or the task is put off, where the last ones died, for their back-off.
  [[nodiscard]] std::expected<std::unique_ptr<StreamProcess>, RunFailure> take(
      const std::stop_token& stop, Duration patience);
  /// It answered, and may be used again.
  void put_back(std::unique_ptr<StreamProcess> process);
  /// It ends at once. `is_broken`: the next one may break down too, and is started after a
  /// back-off.
  void drop(std::unique_ptr<StreamProcess> process, bool is_broken);

 private:
  using ProcessPtr = std::unique_ptr<StreamProcess>;
  struct Resting {
    ProcessPtr process;
    Instant until;
  };
  using Lock = std::unique_lock<std::mutex>;

  void tend(const std::stop_token& stop);
  [[nodiscard]] Instant tend_once(std::list<Resting>& leaving, Instant now);
  [[nodiscard]] bool has_room() const { return !resting_.empty() || out_ < most_; }
  [[nodiscard]] RunFailure failed(const std::string& why) const;
  [[nodiscard]] RunFailure put_off();
  void note_failure(Instant now);
  void wake() const;

  const SystemClock clock_;
  const std::string name_;
  const ChildSpec program_;
  const std::shared_ptr<Keepers> keepers_;
  const Duration idle_;
  const Duration kill_after_;
  const std::uint64_t max_tasks_;
  const std::size_t most_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Resting> resting_;  // the one that rested last at the end
  std::list<Resting> leaving_;    // that are to end in order, until they are killed
  std::size_t out_ = 0;           // that run a task
  int failures_ = 0;              // since the last success
  Instant start_at_;              // no new one before
  Instant last_turn_;             // of the tasks that were put off

  Instant next_look_ = Instant::max();  // of the thread, at those that rest

  FileDescriptor wake_;  // of the thread, which polls
  std::jthread thread_;
};

}  // namespace fogctl
