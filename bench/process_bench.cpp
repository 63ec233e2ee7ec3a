// What it costs to run a task as a program, straight on the handlers, and what the same costs with
// nothing around it.
// usage: fogctl_process_bench once|spawn|stream|pipe COUNT
//   once:   COUNT tasks, each a run of /bin/true: tasks/s
//   spawn:  COUNT times vfork, exec and wait, of the same program: runs/s
//   stream: COUNT tasks, echoed by a kept process: tasks/s, p50 in µs
//   pipe:   COUNT of the same lines, through the same process's bare pipes: lines/s, p50 in µs
#include <fmt/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"
#include "programs/keeper.hpp"
#include "programs/once_handler.hpp"
#include "programs/stream_handler.hpp"
#include "programs/stream_process.hpp"

namespace {

using namespace fogctl;

const SystemClock system_clock;
const std::string self = "/proc/self/exe";

struct Figures {
  double rate = 0;    // a second
  double middle = 0;  // µs, p50
};

Figures measure(int count, const std::function<void(int)>& once) {
  for (int i = 0; i < std::min(count / 10, 100); ++i) once(i);
  std::vector<Duration> times;
  const Instant began = system_clock.now();
  for (int i = 0; i < count; ++i) {
    const Instant start = system_clock.now();
    once(i);
    times.push_back(system_clock.now() - start);
  }
  const double seconds = to_seconds(system_clock.now() - began);
  std::ranges::nth_element(times, times.begin() + count / 2);
  return {count / seconds, to_seconds(times[static_cast<std::size_t>(count) / 2]) * 1e6};
}

Task task_number(int number) {
  Task task;
  task.uid = fmt::format("0123456789abcdef{:0>16}", number);
  task.name = "own";
  task.content = "{\"values\": [1, 2, 3]}";
  return task;
}

Figures run_handler(Handler handler, int count) {
  HandlerTable table;
  table.add("own", std::move(handler));
  const std::stop_source source;  // as every task of a node has one
  return measure(count, [&](int i) {
    const auto outcome = table.run(task_number(i), {.stop = source.get_token()});
    if (!outcome) fmt::print(stderr, "process_bench: {}\n", outcome.error().message);
    FOGCTL_CHECK(outcome.has_value());
  });
}

Figures once(int count) {
  TaskSpec spec;
  spec.command = {"/bin/true"};
  spec.output = OutputKind::text;
  return run_handler(once_handler(spec, make_keepers()), count);
}

Figures spawn(int count) {
  return measure(count, [](int) {
    const pid_t pid = ::vfork();
    if (pid == 0) {
      ::execl("/bin/true", "true", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    int status = 0;
    FOGCTL_CHECK(::waitpid(pid, &status, 0) == pid && status == 0);
  });
}

/// The program that this one is, found anew: the child's /proc/self is another.
std::string own_path() {
  std::array<char, 4096> path{};
  const auto size = ::readlink(self.c_str(), path.data(), path.size());
  FOGCTL_CHECK(size > 0);
  return {path.data(), static_cast<std::size_t>(size)};
}

Figures stream(int count) {
  TaskSpec spec;
  spec.name = "own";
  spec.command = {own_path(), "echo"};
  return run_handler(stream_handler(spec, make_keepers()), count);
}

Figures pipe(int count) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  FOGCTL_CHECK(::pipe(in.data()) == 0 && ::pipe(out.data()) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    for (const int end : {in[0], in[1], out[0], out[1]}) ::close(end);
    ::execl(self.c_str(), "echo", "echo", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  std::array<char, 4096> buffer{};
  const Figures figures = measure(count, [&](int i) {
    const std::string line = stream_line(task_number(i), {}, std::chrono::seconds(60));
    FOGCTL_CHECK(::write(in[1], line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    std::size_t got = 0;
    while (got < line.size()) {
      const auto size = ::read(out[0], buffer.data(), buffer.size());
      FOGCTL_CHECK(size > 0);
      got += static_cast<std::size_t>(size);
    }
  });
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return figures;
}

/// Gives back what comes: a task's own line is an answer to it.
int echo() {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size <= 0) return 0;
    FOGCTL_CHECK(::write(STDOUT_FILENO, buffer.data(), static_cast<std::size_t>(size)) == size);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = fogctl::run_if_keeper(argc, argv)) return *code;
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view what = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? std::atoi(argv[2]) : 1000;
  if (what == "echo") return echo();
  if (what != "once" && what != "spawn" && what != "stream" && what != "pipe") {
    fmt::print(stderr, "usage: fogctl_process_bench once|spawn|stream|pipe COUNT\n");
    return 2;
  }
  const Figures figures = what == "once"     ? once(count)
                          : what == "spawn"  ? spawn(count)
                          : what == "stream" ? stream(count)
                                             : pipe(count);
  if (what == "once" || what == "spawn") {
    fmt::print("{:.1f}\n", figures.rate);
  } else {
    fmt::print("{:.1f} {:.2f}\n", figures.rate, figures.middle);
  }
  return 0;
}
