#include "programs/launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include "programs/user.hpp"

namespace fogctl {
namespace {

/// The step of a start that failed; what the child can tell.
enum class Step : std::uint8_t { join, limit, become, enter, wire, run };
struct Fault {
  Step step = Step::run;
  int error = 0;
};

struct Limit {
  int resource;
  rlimit value;
};

/// All that the child needs, made before it is forked: it shares this memory until it has become
/// the program, so that it may not allocate.
struct Plan {
  std::vector<std::string> paths;  // where the program may be, the first that is there counts
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<Limit> limits;
  std::optional<User> user;
  const char* workdir = nullptr;
  std::array<int, 3> files{};
  int group_procs = -1;
  std::vector<std::string> command;  // where it is not the spec's own
  FileDescriptor hidden;             // hidden arguments, which the program reads
  int status = -1;                   // where a Fault is written
  pid_t keeper = 0;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Every place where `program` may be, as a shell looks for it.
std::vector<std::string> places_of(const std::string& program,
                                   const std::vector<std::string>& environment) {
  if (program.contains('/')) return {program};
  static constexpr std::string_view name = "PATH=";
  const auto found = std::ranges::find_if(
      environment, [](const std::string& entry) { return entry.starts_with(name); });
  std::string_view path = found == environment.end() ? "" : std::string_view(*found).substr(5);
  std::vector<std::string> places;
  while (!path.empty()) {
    const std::string_view folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(folder.size() + 1, path.size()));
    if (!folder.empty()) places.push_back(fmt::format("{}/{}", folder, program));
  }
  return places;
}

/// No higher than this process's own hard limit, which only root can raise.
Limit limit_to(int resource, std::uint64_t soft, std::uint64_t hard) {
  rlimit own{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &own);
  return {resource, {std::min<rlim_t>(soft, own.rlim_max), std::min<rlim_t>(hard, own.rlim_max)}};
}

std::vector<Limit> limits_of(const RunLimits& limits, const LaunchLimits& with) {
  std::vector<Limit> all = {limit_to(RLIMIT_CORE, 0, 0)};
  const auto add = [&](int resource, std::uint64_t value) {
    all.push_back(limit_to(resource, value, value));
  };
  if (limits.open_files > 0) add(RLIMIT_NOFILE, limits.open_files);
  if (limits.cpu_time > Duration::zero()) {
    // SIGXCPU, which names the limit, then SIGKILL for those that ignore it.
    const auto seconds = static_cast<std::uint64_t>(
        std::chrono::ceil<std::chrono::seconds>(limits.cpu_time).count());
    all.push_back(limit_to(RLIMIT_CPU, seconds, seconds + 1));
  }
  if (with.group_procs >= 0) return all;
  // Not RLIMIT_AS: programs reserve far more addresses than they use (node needs gigabytes). This
  // one counts what is reserved as well, a thread's stack say, so it is only to hold what fills
  // memory faster than the keeper looks.
  constexpr std::uint64_t reserved = std::uint64_t{256} << 20;
  if (limits.memory > 0) add(RLIMIT_DATA, 4 * limits.memory + reserved);
  // The keeper counts exactly, but only now and then: this holds a fork bomb until it looks. Its
  // user may start other things meanwhile.
  constexpr std::uint64_t slack = 256;
  if (limits.processes > 0) add(RLIMIT_NPROC, with.users_processes + limits.processes + slack);
  return all;
}

[[noreturn]] void give_up(const Plan& plan, Step step) {
  const Fault fault{step, errno};
  [[maybe_unused]] const auto written = ::write(plan.status, &fault, sizeof fault);
  ::_exit(127);
}

bool become(const User& user) {
  // Raw: the library's wrappers would tell threads that this child only seems to have.
  return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, user.group, user.group, user.group) == 0 &&
         ::syscall(SYS_setresuid, user.id, user.id, user.id) == 0;
}

/// Runs the first program that is there; returns where none can be run, with the best reason.
void run_first(const Plan& plan) {
  int reason = ENOENT;
  for (const std::string& path : plan.paths) {
    ::execve(path.c_str(), plan.arguments.data(), plan.environment.data());
    if (errno == ENOENT || errno == ENOTDIR) {
      struct stat there{};
      // A script that is there, but not what runs it: else the search goes on.
      if (::stat(path.c_str(), &there) != 0) continue;
    }
    reason = errno;
    if (errno != EACCES) break;
  }
  errno = reason;
}

/// To their defaults, which the C library refuses for the two of its own; no mask hides any.
void reset_signals() {
  constexpr std::array<unsigned long, 4> by_default{};  // the kernel's struct: SIG_DFL, no flags
  constexpr std::size_t set_size = 8;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, 32, 33}) {
    ::syscall(SYS_rt_sigaction, signal, by_default.data(), nullptr, set_size);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

/// The child's side, in memory that it shares: system calls alone.
[[noreturn]] void become_program(const Plan& plan) {
  ::setsid();
  reset_signals();
  if (plan.group_procs >= 0 && ::write(plan.group_procs, "0", 1) != 1) give_up(plan, Step::join);
  for (const Limit& limit : plan.limits) {
    if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &limit.value) != 0) {
      give_up(plan, Step::limit);
    }
  }
  if (plan.user && !become(*plan.user)) give_up(plan, Step::become);
  if (plan.workdir != nullptr && ::chdir(plan.workdir) != 0) give_up(plan, Step::enter);
  // Behind the change of user, which resets both.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.keeper) ::_exit(127);
  for (int i = 0; i < 3; ++i) {
    if (::dup2(plan.files[static_cast<std::size_t>(i)], i) < 0) give_up(plan, Step::wire);
  }
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  if (plan.hidden.is_open()) ::fcntl(plan.hidden.get(), F_SETFD, 0);
  run_first(plan);
  give_up(plan, Step::run);
}

/// Returns in the parent once the child runs the program or has given up.
pid_t fork_program(const Plan& plan) {
  // posix_spawn can neither bound a child nor put it into a group.
  const pid_t pid = ::vfork();  // NOLINT(bugprone-unsafe-functions)
  if (pid == 0) become_program(plan);
  return pid;
}

std::string reason_of(const Fault& fault, const ChildSpec& spec) {
  const std::string why = std::generic_category().message(fault.error);
  const std::string& program = spec.command.front();
  switch (fault.step) {
    case Step::join:
      return fmt::format("cannot put '{}' into its control group: {}", program, why);
    case Step::limit:
      return fmt::format("cannot set the limits of '{}': {}", program, why);
    case Step::become:
      return fmt::format("cannot run '{}' as user '{}': {}", program, spec.user, why);
    case Step::enter:
      return fmt::format("cannot enter the workdir '{}': {}", spec.workdir, why);
    case Step::wire:
      return fmt::format("cannot connect '{}' to its pipes: {}", program, why);
    case Step::run:
      break;
  }
  if (fault.error == ENOENT && !program.contains('/')) {
    return fmt::format("cannot run '{}': it is in no folder of its PATH", program);
  }
  if (fault.error == ENOEXEC) {
    return fmt::format("cannot run '{}': {}; a script must begin with #! and its interpreter",
                       program, why);
  }
  return fmt::format("cannot run '{}': {}", program, why);
}

/// In a file that has no name.
Result<FileDescriptor> hide(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text.append(argument) += '\0';
  FileDescriptor file(::memfd_create("arguments", MFD_CLOEXEC));
  if (!file.is_open() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return failure(ErrorCode::failed, fmt::format("cannot hand over the environment: {}",
                                                  std::generic_category().message(errno)));
  }
  return file;
}

Result<Plan> make_plan(const ChildSpec& spec, const StandardFiles& files,
                       const LaunchLimits& limits) {
  Plan plan;
  if (spec.command.empty()) return failure(ErrorCode::failed, "the command names no program");
  if (!spec.user.empty()) {
    auto user = find_user(spec.user);
    if (!user) return std::unexpected(user.error());
    if (::geteuid() == 0) {
      plan.user = std::move(*user);
    } else if (user->id != ::geteuid()) {
      return failure(ErrorCode::failed, fmt::format("cannot run '{}' as user '{}': only a fogctl "
                                                    "that root started can change the user",
                                                    spec.command.front(), spec.user));
    }
  }
  plan.paths = places_of(spec.command.front(), spec.environment);
  if (!spec.hidden_arguments.empty()) {
    auto hidden = hide(spec.hidden_arguments);
    if (!hidden) return std::unexpected(hidden.error());
    plan.hidden = std::move(*hidden);
    plan.command = spec.command;
    plan.command.insert(plan.command.begin() + 1, {"--args", std::to_string(plan.hidden.get())});
  }
  plan.arguments = pointers_to(plan.command.empty() ? spec.command : plan.command);
  plan.environment = pointers_to(spec.environment);
  plan.limits = limits_of(spec.limits, limits);
  plan.workdir = spec.workdir.empty() ? nullptr : spec.workdir.c_str();
  plan.files = {files.in.get(), files.out.get(), files.err.get()};
  plan.group_procs = limits.group_procs;
  plan.keeper = ::getpid();
  return plan;
}

}  // namespace

Result<pid_t> launch(const ChildSpec& spec, const StandardFiles& files,
                     const LaunchLimits& limits) {
  auto plan = make_plan(spec, files, limits);
  if (!plan) return std::unexpected(plan.error());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return failure(ErrorCode::failed,
                   fmt::format("cannot make a pipe: {}", std::generic_category().message(errno)));
  }
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  plan->status = writing.get();
  const pid_t pid = fork_program(*plan);
  if (pid < 0) {
    return failure(ErrorCode::failed, fmt::format("cannot fork for '{}': {}", spec.command.front(),
                                                  std::generic_category().message(errno)));
  }
  writing.close();
  Fault fault;
  // Nothing comes where it runs: its end was closed by that.
  if (::read(reading.get(), &fault, sizeof fault) != sizeof fault) return pid;
  return failure(ErrorCode::failed, reason_of(fault, spec));
}

}  // namespace fogctl
