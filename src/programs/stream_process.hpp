// One kept process of a stream task: a JSON object a line in, one a line out. Belongs to one thread
// at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"
#include "json/json.hpp"
#include "programs/child.hpp"
#include "work/handlers.hpp"

namespace fogctl {

/// The line that a task is to its process, with its end.
[[nodiscard]] std::string stream_line(const Task& task, const Run& run, Duration remaining);

struct StreamRules {
  Duration timeout{};
  Duration kill_after{};
  std::uint64_t max_line = 0;  // bytes that an answer has at most; 0: no bound
};

struct StreamAnswer {
  HandlerOutcome outcome;
  /// Why the process is of no more use, for the log; empty: it is.
  std::string fault = {};
  /// It died or broke the protocol: the next one may do the same.
  bool is_broken = false;
};

class StreamProcess {
 public:
  /// `name`: of the task, for the log.
  StreamProcess(std::string name, std::unique_ptr<Child> child);

  /// It runs, and has said nothing that nobody asked for.
  [[nodiscard]] bool is_at_rest();
  /// Logs what it says on stderr meanwhile, so that it does not wait for a reader.
  void read_errors_at_rest();
  /// Has it run the task. Throws std::system_error where there is no descriptor left. One that is
  /// of no more use may still run: it ends with this object.
  [[nodiscard]] StreamAnswer talk(const Task& task, const Run& run, const StreamRules& rules);
  /// Tasks that it was given.
  [[nodiscard]] std::uint64_t tasks() const { return tasks_; }
  /// Its input ends: it is to end too.
  void close_in() { child_->close_in(); }
  /// Readable once it has ended.
  [[nodiscard]] int end() const { return child_->end(); }

 private:
  class Talk;

  void log_errors();

  const std::string name_;
  std::unique_ptr<Child> child_;
  std::uint64_t tasks_ = 0;
  std::string output_;  // of stdout, not yet a whole line
  std::string errors_;  // of stderr, likewise
  std::string recent_;  // the last line of stderr in this task
  int logged_ = 0;      // lines of stderr in this task

  Instant looked_at_;  // when it was last waited for, in whatever it does

  // Kept from task to task: to make them costs as much as a quick task's exchange.
  FileDescriptor stop_event_;
  json::Object scratch_;
};

}  // namespace fogctl
