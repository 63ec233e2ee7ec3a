#include "programs/run_program.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "programs/ending.hpp"
#include "programs/poll_until.hpp"
#include "programs/stop_descriptor.hpp"

namespace fogctl {
namespace {

constexpr std::size_t errors_kept = 4096;
constexpr std::size_t read_size = 16384;
constexpr int reads_at_a_time = 4;
constexpr int reads_of_full_pipe = (1 << 19) + 1;  // most parts that a pipe can be made to hold

class Exchange {
 public:
  Exchange(Child& child, const ProgramRules& rules)
      : child_(child),
        rules_(rules),
        stop_(rules.stop),
        ending_(rules.kill_after),
        deadline_(after(clock_.now(), rules.timeout)) {
    if (rules.input.empty()) child_.close_in();
  }

  ProgramRun run() {
    std::optional<ChildExit> exit;
    while (!exit) {
      const Events events = wait();
      if (events.in) write_input();
      if (events.out) read_output();
      if (events.err) read_errors();
      if (events.stop) cut(Cut::stopped, true);
      const Instant now = clock_.now();
      if (now >= deadline_) cut(Cut::timed_out, true);
      if (events.end) exit = child_.ended();
      if (!exit && !ending_.tend(child_, now)) exit = ChildExit{0, 0, {}, true};
    }
    // What it wrote before its end is in the pipes.
    has_ended_ = true;
    read_output();
    read_errors();
    run_.exit = std::move(*exit);
    return std::move(run_);
  }

 private:
  struct Events {
    bool in, out, err, end, stop;
  };

  Events wait() {
    const bool is_cut = ending_.has_begun();
    std::array<pollfd, 5> watched = {{{child_.in(), POLLOUT, 0},
                                      {is_out_open_ ? child_.out() : -1, POLLIN, 0},
                                      {is_err_open_ ? child_.err() : -1, POLLIN, 0},
                                      {child_.end(), POLLIN, 0},
                                      {is_cut ? -1 : stop_.get(), POLLIN, 0}}};
    const Instant until =
        std::min(is_cut ? Instant::max() : deadline_, ending_.due().value_or(Instant::max()));
    if (!poll_until(watched, until, clock_)) return {};
    return {watched[0].revents != 0, watched[1].revents != 0, watched[2].revents != 0,
            watched[3].revents != 0, watched[4].revents != 0};
  }

  void cut(Cut why, bool with_term) {
    if (ending_.has_begun()) return;
    run_.cut = why;
    ending_.begin(child_, clock_.now(), with_term);
  }

  /// A program may read as little as it likes: that is no error.
  void write_input() {
    const std::string_view rest = rules_.input.substr(written_);
    const ssize_t size = ::write(child_.in(), rest.data(), rest.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    written_ += size > 0 ? static_cast<std::size_t>(size) : 0;
    if (size < 0 || written_ == rules_.input.size()) child_.close_in();
  }

  /// Calls `take` with what is there; false at the end.
  template <typename Take>
  bool read_some(int descriptor, Take take) {
    for (int i = 0; i < (has_ended_ ? reads_of_full_pipe : reads_at_a_time); ++i) {
      const ssize_t size = ::read(descriptor, buffer_.data(), buffer_.size());
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      if (size == 0) return false;
      take(std::string_view(buffer_.data(), static_cast<std::size_t>(size)));
      if (run_.cut == Cut::output) return true;
      // What it wrote in parts may come in parts; else this is most often all.
      if (!has_ended_ && static_cast<std::size_t>(size) < buffer_.size()) return true;
    }
    return true;  // it may write faster than this reads
  }

  void read_output() {
    if (!is_out_open_) return;
    is_out_open_ = read_some(child_.out(), [this](std::string_view text) {
      const bool is_bound = rules_.max_output > 0;
      const std::uint64_t room =
          rules_.max_output - std::min<std::uint64_t>(rules_.max_output, run_.output.size());
      if (is_bound && text.size() > room) {
        text = text.substr(0, room);
        cut(Cut::output, false);
      }
      run_.output += text;
    });
  }

  void read_errors() {
    if (!is_err_open_) return;
    is_err_open_ = read_some(child_.err(), [this](std::string_view text) {
      run_.errors += text;
      if (run_.errors.size() > errors_kept) {
        run_.errors.erase(0, run_.errors.size() - errors_kept);
      }
    });
  }

  const SystemClock clock_;
  Child& child_;
  const ProgramRules& rules_;
  const StopDescriptor stop_;
  Ending ending_;
  const Instant deadline_;
  std::size_t written_ = 0;
  bool is_out_open_ = true;
  bool is_err_open_ = true;
  ProgramRun run_;
  bool has_ended_ = false;
  std::array<char, read_size> buffer_;
};

}  // namespace

Result<ProgramRun> run_program(Keepers& keepers, const ChildSpec& spec, const ProgramRules& rules) {
  const auto child = keepers.start(spec);
  if (!child) return std::unexpected(child.error());
  return Exchange(**child, rules).run();
}

}  // namespace fogctl
