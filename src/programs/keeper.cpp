#include "programs/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

#include "base/file_descriptor.hpp"
#include "programs/keeper_messages.hpp"
#include "programs/launch.hpp"
#include "programs/process_tree.hpp"
#include "programs/tree_watch.hpp"

namespace fogctl {
namespace {

using namespace keeper;

constexpr std::uint64_t sandbox_processes = 2;  // bwrap's own: one on each side
constexpr int signal_codes = 128;               // it exits with 128 + n where signal n ended one

/// Processes and threads that a user may run already: all that the machine runs, which is enough.
/// Counted anew every second at most: it takes a look at each.
class RunningThreads {
 public:
  std::uint64_t count(Instant now) {
    if (now < until_) return count_;
    until_ = now + std::chrono::seconds(1);
    count_ = 0;
    for (const ProcessEntry& process : all_processes()) count_ += process.threads;
    return count_;
  }

 private:
  Instant until_;
  std::uint64_t count_ = 0;
};

class Keeper {
 public:
  Keeper(FileDescriptor socket, FileDescriptor signals, std::optional<ControlGroup> group)
      : socket_(std::move(socket)), signals_(std::move(signals)), group_(std::move(group)) {}

  int keep();

 private:
  struct Program {
    pid_t pid;
    RunLimits limits;
    bool is_sandboxed;
    TreeWatch watch;
    std::string limit;  // that ended it
  };

  [[nodiscard]] bool read_order();
  void start(const ChildSpec& spec, StandardFiles files);
  [[nodiscard]] Result<Program> launch_limited(const ChildSpec& spec, const StandardFiles& files);
  void terminate() const;
  void reap();
  void end_all();
  void say(const Word& word) const;

  [[nodiscard]] const ControlGroup* group() const { return group_ ? &*group_ : nullptr; }

  SystemClock clock_;
  FileDescriptor socket_;
  FileDescriptor signals_;  // SIGCHLD
  std::optional<ControlGroup> group_;
  std::optional<Program> program_;
  RunningThreads running_threads_;
  std::string packet_ = std::string(max_packet, '\0');
};

int Keeper::keep() {
  std::array<pollfd, 2> watched = {{{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
  for (;;) {
    const auto due = program_ ? program_->watch.due() : std::nullopt;
    int timeout = -1;
    if (due) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - clock_.now());
      timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    if (::poll(watched.data(), watched.size(), timeout) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) reap();
    if (watched[0].revents != 0 && !read_order()) break;
    if (!program_ || !program_->watch.due() || *program_->watch.due() > clock_.now()) continue;
    if (auto limit = program_->watch.look(clock_)) {
      program_->limit = std::move(*limit);
      end_all();
    }
  }
  end_all();
  if (group_) group_->remove();
  return 0;
}

/// False: fogctl is gone.
bool Keeper::read_order() {
  iovec part{packet_.data(), packet_.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(3 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  auto order = decode_order(std::string_view(packet_).substr(0, static_cast<std::size_t>(size)));
  if (!order) return false;
  if (const auto* wanted = std::get_if<Start>(&*order)) {
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_len != CMSG_LEN(3 * sizeof(int))) return false;
    std::array<int, 3> files{};
    std::memcpy(files.data(), CMSG_DATA(header), sizeof files);
    start(wanted->spec,
          {FileDescriptor(files[0]), FileDescriptor(files[1]), FileDescriptor(files[2])});
  } else if (program_ && std::holds_alternative<Terminate>(*order)) {
    terminate();
  } else if (program_ && std::holds_alternative<Kill>(*order)) {
    end_all();
  }
  return true;
}

void Keeper::terminate() const {
  if (!program_->is_sandboxed) {
    ::kill(-program_->pid, SIGTERM);
    return;
  }
  // Not to bwrap, with which all that is inside would end at once. Its second process, the first
  // one inside, ignores it.
  for (const ProcessEntry& inside : descendants_of(program_->pid, all_processes())) {
    if (inside.session == program_->pid) ::kill(inside.pid, SIGTERM);
  }
}

void Keeper::start(const ChildSpec& spec, StandardFiles files) {
  auto program = launch_limited(spec, files);
  if (!program) return say(Refused{std::move(program.error().message)});
  program_ = std::move(*program);
  say(Started{});
}

Result<Keeper::Program> Keeper::launch_limited(const ChildSpec& spec, const StandardFiles& files) {
  LaunchLimits limits;
  const std::uint64_t wrappers = spec.is_sandboxed ? sandbox_processes : 0;
  if (group_) {
    RunLimits all = spec.limits;
    if (all.processes > 0) all.processes += wrappers;
    if (auto set = group_->limit(all); !set) return std::unexpected(set.error());
    limits.group_procs = group_->procs();
  } else if (spec.limits.processes > 0) {
    limits.users_processes = running_threads_.count(clock_.now());
  }
  const auto pid = launch(spec, files, limits);
  if (!pid) return std::unexpected(pid.error());
  return Program{*pid,
                 spec.limits,
                 spec.is_sandboxed,
                 TreeWatch(spec.limits, wrappers, ::getpid(), group(), clock_.now()),
                 {}};
}

/// Children that ended: the program's end is the run's, others were left behind to this process.
void Keeper::reap() {
  signalfd_siginfo ignored{};
  while (::read(signals_.get(), &ignored, sizeof ignored) > 0) continue;
  for (;;) {
    siginfo_t child{};
    if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 || child.si_pid == 0) return;
    if (program_ && child.si_pid == program_->pid) {
      end_all();
    } else {
      ::waitpid(child.si_pid, nullptr, 0);
    }
  }
}

/// Returns once nothing runs any more, and tells how the program ended.
void Keeper::end_all() {
  // Its group at once, which nothing can leave meanwhile. It cannot be another's: the program is
  // waited for behind this.
  if (program_) ::kill(-program_->pid, SIGKILL);
  ChildExit exit;
  const auto reap_all = [&] {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) return pid < 0 && errno == ECHILD;
      if (!program_ || pid != program_->pid) continue;
      exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
  };
  for (int round = 0; !reap_all(); ++round) {
    // The first time, what was in its group may be dying: a look at all processes costs more.
    if (round > 0 && group_) group_->kill();
    if (round > 0) kill_all([] { return descendants_of(::getpid(), all_processes()); });
    pollfd ended{signals_.get(), POLLIN, 0};
    ::poll(&ended, 1, round > 0 ? 10 : 1);
    signalfd_siginfo ignored{};
    while (::read(signals_.get(), &ignored, sizeof ignored) > 0) continue;
  }
  if (!program_) return;
  if (program_->is_sandboxed && exit.code > signal_codes && exit.code <= signal_codes + SIGRTMAX) {
    exit.signal = std::exchange(exit.code, 0) - signal_codes;
  }
  exit.limit = std::move(program_->limit);
  if (exit.limit.empty() && group_ && group_->ran_out_of_memory()) {
    exit.limit = over_memory(program_->limits.memory);
  }
  const bool has_time = program_->limits.cpu_time > Duration::zero();
  if (exit.limit.empty() && exit.signal == SIGXCPU && has_time) {
    exit.limit = over_cpu_time(program_->limits.cpu_time);
  }
  program_.reset();
  say(Ended{std::move(exit)});
}

void Keeper::say(const Word& word) const {
  const std::string packet = encode(word);
  // A fogctl that is gone is seen by the next read.
  ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
}

int run_keeper(const char* group) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(keeper_socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_SEQPACKET) {
    std::fputs("fogctl: only fogctl itself starts a keeper of programs\n", stderr);
    return 2;
  }
  FileDescriptor socket(::fcntl(keeper_socket, F_DUPFD_CLOEXEC, keeper_socket + 1));
  ::close(keeper_socket);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, keeper_name);
  // Whoever stops a fog means fogctl, which then stops its keepers.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  ::pthread_sigmask(SIG_SETMASK, &children, nullptr);
  FileDescriptor signals(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  std::optional<ControlGroup> own;
  if (group != nullptr) own.emplace(group);
  return Keeper(std::move(socket), std::move(signals), std::move(own)).keep();
}

}  // namespace

std::optional<int> run_if_keeper(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != keeper_argument) return std::nullopt;
  return run_keeper(argc > 2 ? argv[2] : nullptr);
}

}  // namespace fogctl
