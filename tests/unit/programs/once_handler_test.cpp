#include "programs/once_handler.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "json/json.hpp"
#include "support/processes.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TaskSpec shell(const std::string& script) {
  TaskSpec spec;
  spec.name = "own";
  spec.command = {"sh", "-c", script};
  spec.timeout = 20s;
  spec.kill_after = 200ms;
  return spec;
}

HandlerOutcome run(const TaskSpec& spec, const std::string& content = "null", const Run& how = {}) {
  Task task;
  task.uid = "uid-1";
  task.name = "own";
  task.weight = TaskClass::medium;
  task.content = content;
  task.other_fields = {{"traceparent", "\"00-aa-bb-01\""}};
  return once_handler(spec, make_keepers()).run(task, how);
}

std::string error_of(const HandlerOutcome& outcome, TaskErrorCode code, bool is_for_good) {
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == code);
  CHECK(outcome.error().is_for_good == is_for_good);
  return outcome.error().message;
}

bool says(const std::string& message, const std::string& part) {
  CAPTURE(message);
  const bool found = message.contains(part);
  CHECK(found);
  return found;
}

TEST_CASE("Once: what goes in as content comes to stdin, and stdout is the result") {
  struct Row {
    const char* name;
    InputKind input;
    OutputKind output;
    const char* script;
    std::string content;
    std::string result;
  };
  const Row rows[] = {
      {"JSON as it is", InputKind::json, OutputKind::json, "cat", "{\"a\": [1.10 ]}",
       "{\"a\": [1.10 ]}"},
      {"JSON with space around it", InputKind::json, OutputKind::json, "echo; cat; echo", "12",
       "12"},
      {"a string's bytes", InputKind::raw, OutputKind::text, "cat", "\"a\\u00e9\\n\"",
       "\"a\\u00e9\\n\""},
      {"bytes as base64", InputKind::base64, OutputKind::base64, "cat", "\"AP8Q\"", "\"AP8Q\""},
      {"no output at all", InputKind::json, OutputKind::text, ":", "1", "\"\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    TaskSpec spec = shell(row.script);
    spec.input = row.input;
    spec.output = row.output;
    CHECK(run(spec, row.content) == row.result);
  }
}

TEST_CASE("Once: content that is not of the input's kind is an invalid task") {
  for (const InputKind kind : {InputKind::raw, InputKind::base64}) {
    TaskSpec spec = shell("cat");
    spec.input = kind;
    for (const char* content : {"1", "null", "{}"}) {
      says(error_of(run(spec, content), TaskErrorCode::invalid_task, true), "field 'content'");
    }
  }
  TaskSpec spec = shell("cat");
  spec.input = InputKind::base64;
  says(error_of(run(spec, "\"a*==\""), TaskErrorCode::invalid_task, true), "base64");
}

TEST_CASE("Once: output that is not of the output's kind fails for good, and says so") {
  TaskSpec spec = shell("printf '\\377'");
  says(error_of(run(spec), TaskErrorCode::task_failed, true), "no JSON");
  spec.output = OutputKind::text;
  says(error_of(run(spec), TaskErrorCode::task_failed, true), "not UTF-8 (byte 0)");
  says(error_of(run(shell(":")), TaskErrorCode::task_failed, true), "empty");
  says(error_of(run(shell("echo '1 2'")), TaskErrorCode::task_failed, true), "no JSON");
}

TEST_CASE("Once: the environment is clean but for what the task has of its own") {
  TaskSpec spec = shell("env | sort");
  spec.output = OutputKind::text;
  spec.env = {{"QUALITY", "80"}};
  ::setenv("FOGCTL_TEST_SECRET", "1", 1);
  const auto outcome = run(spec, "1", {.stop = {}, .attempt = 3});
  REQUIRE(outcome);
  const std::string text = json::read_string(*outcome).value();
  for (const char* part :
       {"FOGCTL_TASK_UID=uid-1\n", "FOGCTL_TASK_NAME=own\n", "FOGCTL_TASK_CLASS=medium\n",
        "FOGCTL_TASK_ATTEMPT=3\n", "FOGCTL_TASK_DEADLINE_MS=20000\n", "TRACEPARENT=00-aa-bb-01\n",
        "QUALITY=80\n", "HOME=/", "LANG=C.UTF-8\n", "PATH=/usr/local/sbin:"}) {
    says(text, part);
  }
  CHECK_FALSE(text.contains("SECRET"));
}

TEST_CASE("Once: nothing of this process is open in the program, and no signal is ignored") {
  TaskSpec spec =
      shell("ls /proc/self/fd | wc -l; grep -E 'SigIgn|SigBlk|NoNewPrivs' /proc/self/status");
  spec.output = OutputKind::text;
  const auto outcome = run(spec);
  REQUIRE(outcome);
  const std::string text = json::read_string(*outcome).value();
  CHECK(text.starts_with("4\n"));  // its three, and the folder that it reads
  says(text, "SigBlk:\t0000000000000000\n");
  says(text, "SigIgn:\t0000000000000000\n");
  says(text, "NoNewPrivs:\t1\n");
}

TEST_CASE("Once: a failure tells exit code or signal, and the last of stderr") {
  says(error_of(run(shell("echo first >&2; echo no paper >&2; exit 3")), TaskErrorCode::task_failed,
                true),
       "'sh' failed: exit code 3: first no paper");
  says(error_of(run(shell("kill -SEGV $$")), TaskErrorCode::task_failed, false), "SIGSEGV");
  TaskSpec spec = shell("exit 75");
  spec.retry_exit_codes = {75};
  says(error_of(run(spec), TaskErrorCode::task_failed, false), "exit code 75");
  const std::string message = error_of(run(shell("seq 100000 >&2; printf 'last\\377' >&2; exit 1")),
                                       TaskErrorCode::task_failed, true);
  says(message, "99999 100000 last?");
  CHECK(message.size() < 500);
}

TEST_CASE("Once: an exit code that is to be retried, twice, and then all is well") {
  const ScratchFolder folder;
  TaskSpec spec = shell("echo >>runs; [ $(wc -l <runs) -gt 2 ] || exit 75; echo 1");
  spec.workdir = folder.path();
  spec.retry_exit_codes = {75};
  for (int i = 0; i < 2; ++i) error_of(run(spec), TaskErrorCode::task_failed, false);
  CHECK(run(spec) == "1");
}

TEST_CASE("Once: a program that cannot be started says why") {
  struct Row {
    std::vector<std::string> command;
    const char* says;
  };
  const ScratchFolder folder;
  const std::string text = folder.path() / "text";
  std::ofstream(text) << "echo 1\n";
  ::chmod(text.c_str(), 0755);
  const Row rows[] = {
      {{"no-such-program"}, "cannot run 'no-such-program': it is in no folder of its PATH"},
      {{"/no/such/program"}, "cannot run '/no/such/program': No such file or directory"},
      {{"/etc/passwd"}, "Permission denied"},
      {{text}, "must begin with #!"},
  };
  for (const Row& row : rows) {
    TaskSpec spec;
    spec.command = row.command;
    says(error_of(run(spec), TaskErrorCode::task_failed, false), row.says);
  }
  TaskSpec spec = shell("pwd");
  spec.workdir = "/no/such/folder";
  says(error_of(run(spec), TaskErrorCode::task_failed, false), "workdir '/no/such/folder'");
  spec = shell("id");
  spec.user = "no-such-user";
  says(error_of(run(spec), TaskErrorCode::task_failed, false), "no user 'no-such-user'");
}

TEST_CASE("Once: workdir and user are the spec's") {
  TaskSpec spec = shell("pwd; id -un; id -Gn; echo $HOME");
  spec.output = OutputKind::text;
  spec.workdir = "/usr";
  if (::geteuid() == 0) spec.user = "nobody";
  const auto outcome = run(spec);
  REQUIRE(outcome);
  says(*outcome, "\"/usr\\n");
  if (::geteuid() == 0) says(*outcome, "nobody\\nnogroup\\n/nonexistent\\n");
}

TEST_CASE("Once: pipes never deadlock, whatever the program reads, writes or closes") {
  const std::string big = "\"" + std::string(3 << 20, 'x') + "\"";
  TaskSpec spec = shell("echo 1");
  CHECK(run(spec, big) == "1");  // reads nothing
  spec = shell("cat");
  spec.limits.max_output = 4 << 20;
  CHECK(run(spec, big) == big);  // writes while it reads
  CHECK(run(shell("head -c 10 >/dev/null; echo 2"), big) == "2");
  CHECK(run(shell("exec <&-; echo 3"), big) == "3");
  CHECK(run(shell("echo 4; exec >&-; head -c 2000000 /dev/zero >&2; cat >/dev/null"), big) == "4");
  CHECK(run(shell("echo 5; exec >&- 2>&- <&-; i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done")) ==
        "5");
}

TEST_CASE("Once: all that a program wrote before its end is read, in however many parts") {
  TaskSpec spec;
  spec.timeout = 20s;
  spec.output = OutputKind::text;
  // O_DIRECT: a read gets no more than one write.
  spec.command = {"perl", "-e",
                  "fcntl(STDOUT, 4, 1 | 040000) or die $!; syswrite STDOUT, 'x' for 1..10"};
  CHECK(run(spec) == "\"xxxxxxxxxx\"");
}

TEST_CASE("Once: what does not end in time is asked to, then killed") {
  TaskSpec spec = shell("trap 'echo asked >&2; exit 0' TERM; sleep 100 & wait");
  spec.timeout = 1s;
  spec.kill_after = 10s;
  says(error_of(run(spec), TaskErrorCode::timed_out, true), "did not end within 1s: asked");
  spec = shell("trap '' TERM; while :; do :; done");
  spec.timeout = 100ms;
  spec.kill_after = 100ms;
  const SystemClock clock;
  const Instant began = clock.now();
  error_of(run(spec), TaskErrorCode::timed_out, true);
  CHECK(clock.now() - began < 5s);
}

TEST_CASE("Once: a stop reaches the program") {
  std::stop_source source;
  const ScratchFolder folder;
  const std::string told = folder.path() / "told";
  const TaskSpec spec =
      shell(fmt::format("trap 'echo 1 >{0}; exit' TERM; echo 0 >{0}; sleep 100 & wait", told));
  const std::jthread stopper([&] {
    wait_until([&] { return text_of(told) == "0\n"; });
    source.request_stop();
  });
  error_of(run(spec, "1", {.stop = source.get_token()}), TaskErrorCode::cancelled, true);
  CHECK(text_of(told) == "1\n");
}

TEST_CASE("Once: whatever a program leaves running is gone when the task ends") {
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  const std::string daemon = fmt::format(
      "(setsid sh -c 'trap \"\" TERM HUP; setsid sleep 1000 & echo $! >>{0}; echo $$ >>{0}; wait' "
      "&) ; "
      "until [ \"$(wc -l <{0} 2>/dev/null)\" = 2 ]; do :; done; echo 1",
      pids);
  CHECK(run(shell(daemon)) == "1");
  std::ifstream file(pids);
  int count = 0;
  for (pid_t pid = 0; file >> pid; ++count) CHECK_FALSE(is_running(pid));
  CHECK(count == 2);
}

}  // namespace
}  // namespace fogctl
