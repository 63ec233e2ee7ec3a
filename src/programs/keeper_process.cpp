#include "programs/keeper_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/open_files.hpp"
#include "programs/keeper.hpp"
#include "programs/poll_until.hpp"
#include "programs/process_tree.hpp"

namespace fogctl {
namespace {

/// The keepers of this process, and the sessions that were there before the first of them, this
/// process's among them.
struct Family {
  std::mutex mutex;
  std::set<pid_t> keepers;
  std::set<pid_t> older_sessions;
  std::set<pid_t> given_up;  // that do not end, whatever is done
  int started = 0;
};

Family& family() {
  static Family the_family;
  return the_family;
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// What keepers that were killed left behind: this process is the next subreaper above them. Each
/// is a child of this process that is no keeper, or below one, in a session that began below a
/// keeper: no process can join another's session.
std::vector<ProcessEntry> orphans(const Family& of) {
  const auto all = all_processes();
  const pid_t self = ::getpid();
  std::vector<ProcessEntry> found;
  for (const ProcessEntry& process : all) {
    if (process.parent != self || of.older_sessions.contains(process.session) ||
        of.keepers.contains(process.pid) || of.given_up.contains(process.pid)) {
      continue;
    }
    found.push_back(process);
    for (ProcessEntry& below : descendants_of(process.pid, all)) found.push_back(below);
  }
  return found;
}

void note_older_sessions(Family& of, pid_t first_keeper) {
  for (const ProcessEntry& process : all_processes()) {
    if (process.pid != first_keeper) of.older_sessions.insert(process.session);
  }
}

/// Whether all of them are gone; those that are not are killed. With the family's mutex, so that no
/// pid becomes another's meanwhile.
bool end_orphans(Family& of) {
  std::erase_if(of.given_up, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  const auto left = orphans(of);
  if (left.empty()) return true;
  kill_all([&of] { return orphans(of); });
  for (const ProcessEntry& process : left) ::waitpid(process.pid, nullptr, WNOHANG);
  return false;
}

/// Returns once they are gone, or do not end. Without the mutex while it waits: other programs are
/// to start and end meanwhile.
void await_end_of_orphans(Family& of) {
  constexpr int most_rounds = 500;  // what a kernel call holds for longer ends by itself
  for (int round = 0; round < most_rounds; ++round) {
    {
      const std::lock_guard lock(of.mutex);
      if (end_orphans(of)) return;
    }
    ::poll(nullptr, 0, 10);
  }
  const std::lock_guard lock(of.mutex);
  for (const ProcessEntry& left : orphans(of)) of.given_up.insert(left.pid);
  log(LogLevel::error, "processes that a killed keeper of programs left behind do not end");
}

class SpawnSettings {
 public:
  explicit SpawnSettings(int socket) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, keeper_socket);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, keeper_socket + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    // Out of reach of the terminal's Ctrl-C.
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  /// 0, or an errno.
  [[nodiscard]] int spawn(pid_t& pid, char* const* arguments) const {
    return ::posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Result<std::unique_ptr<KeeperProcess>> KeeperProcess::start(const std::string& groups) {
  const auto refuse = [](std::string_view what, int error) {
    return failure(ErrorCode::failed,
                   fmt::format("cannot start a keeper of programs: {}: {}", what, reason(error)));
  };
  // Whatever a killed keeper leaves comes to this process instead of the system's first.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return refuse("no socket pair", errno);
  }
  FileDescriptor socket(ends[0]);
  const FileDescriptor its(ends[1]);
  const std::lock_guard lock(family().mutex);
  std::string folder;
  if (!groups.empty()) {
    folder = fmt::format("{}/keeper-{}", groups, ++family().started);
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return refuse(folder, errno);
  }
  std::array<const char*, 4> arguments = {keeper_name, keeper_argument,
                                          folder.empty() ? nullptr : folder.c_str(), nullptr};
  pid_t pid = 0;
  const int error = SpawnSettings(its.get()).spawn(pid, const_cast<char* const*>(arguments.data()));
  if (error != 0) return refuse("/proc/self/exe", error);
  restore_open_files(pid);  // what it starts has it from there
  if (family().older_sessions.empty()) note_older_sessions(family(), pid);
  family().keepers.insert(pid);
  std::optional<ControlGroup> group;
  if (!folder.empty()) group.emplace(folder);
  return std::unique_ptr<KeeperProcess>(
      new KeeperProcess(pid, std::move(socket), std::move(group)));
}

KeeperProcess::KeeperProcess(pid_t pid, FileDescriptor socket, std::optional<ControlGroup> group)
    : pid_(pid), socket_(std::move(socket)), group_(std::move(group)) {}

KeeperProcess::~KeeperProcess() {
  if (group_) group_->kill();
  ::kill(pid_, SIGKILL);
  // Behind its end what it left has become this process's.
  siginfo_t ignored{};
  int status = 0;
  do {
    status = ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WEXITED | WNOWAIT);
  } while (status < 0 && errno == EINTR);
  {
    const std::lock_guard lock(family().mutex);
    ::waitpid(pid_, nullptr, 0);
    family().keepers.erase(pid_);
  }
  await_end_of_orphans(family());
  if (group_) group_->remove();
}

bool KeeperProcess::order(const keeper::Order& order, const std::array<int, 3>* files) {
  std::string packet = encode(order);
  iovec part{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(3 * sizeof(int))> control{};
  if (files != nullptr) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof *files);
    std::memcpy(CMSG_DATA(header), files->data(), sizeof *files);
  }
  // A keeper that does not read is as good as none.
  return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

std::optional<keeper::Word> KeeperProcess::word(Duration patience) {
  const SystemClock clock;
  const Instant deadline = after(clock.now(), patience);
  std::array<pollfd, 1> readable = {{{socket_.get(), POLLIN, 0}}};
  std::array<char, keeper::longest_word> packet;
  ssize_t size = 0;
  // A signal to this process is no end of the waiting.
  do {
    std::ignore = poll_until(readable, deadline, clock);
    size = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  } while (size < 0 && (errno == EAGAIN || errno == EINTR) && clock.now() < deadline);
  // unix(7): so ends a socket whose peer was closed with something unread in it.
  has_read_nothing_ = size < 0 && errno == ECONNRESET;
  is_gone_ = size == 0;
  if (size <= 0) return std::nullopt;
  return keeper::decode_word({packet.data(), static_cast<std::size_t>(size)});
}

}  // namespace fogctl
