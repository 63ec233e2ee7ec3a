#include "programs/stream_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/log.hpp"
#include "json/object_writer.hpp"
#include "programs/ending.hpp"
#include "programs/poll_until.hpp"
#include "programs/stop_descriptor.hpp"
#include "programs/task_program.hpp"

namespace fogctl {
namespace {

constexpr std::size_t longest_logged = 500;  // bytes of a line of stderr
constexpr int most_logged = 100;             // lines of it in a task
constexpr std::size_t longest_error = 2000;  // bytes of what a process says is wrong
constexpr std::size_t shown = 60;            // bytes of garbage
constexpr Duration between_looks = std::chrono::milliseconds(100);  // at all that it may do
constexpr Duration closed_patience = std::chrono::milliseconds(200);
constexpr int reads_of_full_pipe = 65;  // a pipe holds at most 1 MiB

std::string excerpt(std::string_view text) {
  std::string part(text.substr(0, shown));
  while (const auto bad = json::find_bad_utf8(part)) part[*bad] = '?';
  return text.size() > shown ? part + "..." : part;
}

/// The next whole line of `text`, which is taken out of it; none: there is none yet.
std::optional<std::string> take_line(std::string& text, std::size_t searched) {
  const auto end = text.find('\n', searched);
  if (end == std::string::npos) return std::nullopt;
  std::string line = text.substr(0, end);
  text.erase(0, end + 1);
  return line;
}

/// False: that is its end.
bool read_some(int descriptor, std::string& into) {
  std::array<char, 16384> buffer;
  const ssize_t size = ::read(descriptor, buffer.data(), buffer.size());
  if (size > 0) into.append(buffer.data(), static_cast<std::size_t>(size));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

std::string stream_line(const Task& task, const Run& run, Duration remaining) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(remaining).count();
  std::string line;
  ObjectWriter object(line);
  object.text("uid", task.uid);
  json::append_plain(object.begin("content"), task.content);
  object.count("attempt", run.attempt);
  object.count("deadline_ms", static_cast<std::uint64_t>(milliseconds));
  object.end();
  line += '\n';
  return line;
}

/// One task's exchange with the process.
class StreamProcess::Talk {
 public:
  Talk(StreamProcess& process, const Task& task, const Run& run, const StreamRules& rules)
      : process_(process),
        child_(*process.child_),
        task_(task),
        run_(run),
        rules_(rules),
        on_stop_(run.stop, RaiseEvent{process.stop_event_.get()}),
        ending_(rules.kill_after),
        began_(clock_.now()),
        deadline_(after(began_, rules.timeout)),
        line_(stream_line(task, run, rules.timeout)) {}

  StreamAnswer exchange() {
    write_line();
    read_at_once();
    while (!answer_ || ending_.has_begun()) {
      const Instant now = clock_.now();
      if (now >= deadline_) {
        cut(TaskErrorCode::timed_out,
            fmt::format("no answer within {}", format_duration(rules_.timeout)));
      }
      if (closed_until_ && now >= *closed_until_ && !answer_) refuse("closed its output");
      if (!ending_.tend(child_, now)) break;
      if ((answer_ && !ending_.has_begun()) || !step()) break;
    }
    process_.log_errors();
    if (answer_->outcome && written_ < line_.size()) {
      spoil("answered before it had read the whole task");
    }
    return std::move(*answer_);
  }

 private:
  /// Waits for something to happen, and sees to it. False: the process has ended.
  bool step() {
    const bool is_cut = ending_.has_begun();
    const bool is_writing = !is_cut && written_ < line_.size();
    std::array<pollfd, 5> watched = {{{child_.out(), POLLIN, 0},
                                      {is_writing ? child_.in() : -1, POLLOUT, 0},
                                      {is_err_open_ ? child_.err() : -1, POLLIN, 0},
                                      {child_.end(), POLLIN, 0},
                                      {is_cut ? -1 : process_.stop_event_.get(), POLLIN, 0}}};
    if (!is_out_open_) watched[0].fd = -1;
    process_.looked_at_ = began_;
    const Instant until =
        ending_.due().value_or(std::min(deadline_, closed_until_.value_or(deadline_)));
    if (!poll_until(watched, until, clock_)) return true;
    if (watched[1].revents != 0) write_line();
    if (watched[2].revents != 0) is_err_open_ = read_some(child_.err(), process_.errors_);
    process_.log_errors();
    if (watched[0].revents != 0) read_answers();
    if (watched[4].revents != 0) cut(TaskErrorCode::cancelled, "stopped before it was done");
    if (watched[3].revents == 0 || (answer_ && !ending_.has_begun())) return true;
    return note_end(), false;
  }

  void cut(TaskErrorCode code, std::string why) {
    if (ending_.has_begun() || answer_) return;
    std::string fault = fmt::format("{} in task {}", why, task_.uid);
    answer_ = {std::unexpected(
                   RunFailure{code, fmt::format("process of '{}': {}", process_.name_, why), true}),
               std::move(fault)};
    ending_.begin(child_, clock_.now(), true);
  }

  /// The process broke the protocol, and the task may be tried again.
  void refuse(std::string why) {
    answer_ = {failed(fmt::format("its process {}", why)), {}};
    spoil(std::move(why));
  }

  /// The answer stands, but the process cannot be used again.
  void spoil(std::string why) {
    answer_->fault = fmt::format("it {} (task {})", why, task_.uid);
    answer_->is_broken = true;
  }

  HandlerOutcome failed(std::string why) const {
    return std::unexpected(RunFailure{TaskErrorCode::task_failed,
                                      fmt::format("'{}': {}", process_.name_, why), false});
  }

  void note_end() {
    const ChildExit exit = child_.ended().value_or(ChildExit{});
    for (int i = 0; i < reads_of_full_pipe && is_out_open_ && !answer_; ++i) read_answers();
    if (answer_) return;
    is_err_open_ = is_err_open_ && read_some(child_.err(), process_.errors_);
    const std::string how = exit.limit.empty() ? describe(exit) : exit.limit;
    const std::string errors = last_lines(process_.recent_ + process_.errors_);
    std::string why = fmt::format("its process died in the middle of the task: {}", how);
    if (!errors.empty()) why += ": " + errors;
    answer_ = {failed(std::move(why)), {}};
    spoil(fmt::format("died: {}", how));
  }

  void write_line() {
    const std::string_view rest = std::string_view(line_).substr(written_);
    const ssize_t size = ::write(child_.in(), rest.data(), rest.size());
    if (size > 0) written_ += static_cast<std::size_t>(size);
    // One that does not read is about to end, or answers all the same.
    if (size < 0 && errno != EAGAIN && errno != EINTR) written_ = line_.size();
  }

  /// A quick process had the core as soon as it was written to, and has answered: no wait is
  /// needed, which would cost a third of such an exchange.
  void read_at_once() {
    if (written_ == line_.size() && began_ - process_.looked_at_ < between_looks) read_answers();
  }

  void read_answers() {
    std::string& output = process_.output_;
    const std::size_t before = output.size();
    is_out_open_ = read_some(child_.out(), output);
    if (ending_.has_begun()) return output.clear();
    for (std::size_t searched = before; !answer_; searched = 0) {
      const auto line = take_line(output, searched);
      if (!line) break;
      take_answer(*line);
    }
    if (!is_out_open_) closed_until_ = clock_.now() + closed_patience;  // it may be about to die
    if (!answer_ && rules_.max_line > 0 && output.size() > rules_.max_line) {
      refuse(fmt::format("wrote a line of more than {} bytes (max_output)", rules_.max_line));
    } else if (answer_ && !output.empty()) {
      spoil(fmt::format("wrote more than its answer: '{}'", excerpt(output)));
    }
  }

  void take_answer(const std::string& line) {
    if (rules_.max_line > 0 && line.size() > rules_.max_line) {
      return refuse(
          fmt::format("wrote a line of more than {} bytes (max_output)", rules_.max_line));
    }
    json::Object& object = process_.scratch_;
    if (const auto parsed = object.parse(line); !parsed) {
      return refuse(
          fmt::format("wrote '{}', no JSON object: {}", excerpt(line), parsed.error().message));
    }
    const auto uid = json::read_string(object.find("uid").value_or("null"));
    if (uid != task_.uid) {
      return refuse(
          fmt::format("answered for '{}' instead of '{}'", excerpt(uid.value_or("")), task_.uid));
    }
    if (const auto error = object.find("error")) {
      const auto text = json::read_string(*error);
      answer_ = {failed(last_lines(text ? *text : *error, longest_error)), {}};
    } else if (const auto content = object.find("content")) {
      std::string plain;
      json::append_plain(plain, *content);
      answer_ = {std::move(plain), {}};
    } else if (const auto share = json::read_number(object.find("progress").value_or("null"))) {
      if (run_.progress) run_.progress(std::clamp(*share, 0.0, 1.0));
    } else {
      refuse(fmt::format("wrote '{}', with neither content, error nor progress", excerpt(line)));
    }
  }

  const SystemClock clock_;
  StreamProcess& process_;
  Child& child_;
  const Task& task_;
  const Run& run_;
  const StreamRules& rules_;
  const std::stop_callback<RaiseEvent> on_stop_;
  Ending ending_;
  const Instant began_;
  const Instant deadline_;
  const std::string line_;
  std::size_t written_ = 0;
  bool is_out_open_ = true;
  bool is_err_open_ = true;
  std::optional<Instant> closed_until_;  // since its output was closed: it is to end until then
  std::optional<StreamAnswer> answer_;
};

StreamProcess::StreamProcess(std::string name, std::unique_ptr<Child> child)
    : name_(std::move(name)), child_(std::move(child)) {}

bool StreamProcess::is_at_rest() {
  std::array<pollfd, 2> watched = {{{child_->out(), POLLIN, 0}, {child_->end(), POLLIN, 0}}};
  return ::poll(watched.data(), watched.size(), 0) == 0;
}

void StreamProcess::read_errors_at_rest() {
  for (int i = 0; i < reads_of_full_pipe; ++i) {  // it may write faster than this reads
    const std::size_t before = errors_.size();
    if (!read_some(child_->err(), errors_) || errors_.size() == before) return;
    log_errors();
  }
}

StreamAnswer StreamProcess::talk(const Task& task, const Run& run, const StreamRules& rules) {
  ++tasks_;
  logged_ = 0;
  recent_.clear();
  if (run.stop.stop_possible() && !stop_event_.is_open()) stop_event_ = make_event();
  StreamAnswer answer = Talk(*this, task, run, rules).exchange();
  // It may have been asked for just when the answer came.
  if (run.stop.stop_requested()) lower_event(stop_event_.get());
  return answer;
}

/// Whole lines, each cut to its bound; and what is longer than one, though its end is not there.
void StreamProcess::log_errors() {
  for (;;) {
    auto line = take_line(errors_, 0);
    if (!line && errors_.size() > longest_logged) {
      line = errors_;
      errors_.clear();
    }
    if (!line) return;
    recent_ = *line + '\n';
    if (++logged_ > most_logged) continue;
    if (line->size() > longest_logged) line->resize(longest_logged);
    log(LogLevel::info, "process of '{}': {}{}", name_, *line,
        logged_ == most_logged ? " (what it says more in this task is left out)" : "");
  }
}

}  // namespace fogctl
