#include "programs/task_file.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TaskChecks checks() {
  return {[](std::string_view name) { return name == "echo"; },
          [] { return failure(ErrorCode::not_found, "there is no bwrap; install bubblewrap"); }};
}

struct Written {
  explicit Written(const std::string& text, const std::string& name = "t.toml")
      : path(folder.path() / name) {
    std::ofstream(path) << text;
    file = read_task_file(path, checks());
  }
  /// The mistakes without the folder, a line each.
  [[nodiscard]] std::string mistakes() const {
    std::string lines;
    for (const TaskMistake& mistake : file.mistakes) {
      lines += to_string(mistake).substr(folder.path().string().size() + 1) + '\n';
    }
    return lines;
  }
  ScratchFolder folder;
  std::string path;
  TaskFile file;
};

TEST_CASE("task file: each key sets what it names") {
  const Written written(R"(# a comment
[task.thumbnail]
class    = "medium"
command  = ["sh", "-c", "cat"]
mode     = "once"
input    = "raw"
output   = "base64"
timeout  = "5s"
kill_after = "250ms"
memory   = "256MiB"
processes = 64
open_files = 100
cpu_time = "2min"
max_output = 4096
max_attempts = 2
retry_exit_codes = [75, 111]
concurrency = 2
env      = { QUALITY = "80" }
workdir  = "/"
exclusive = true
sandbox = false

[task.kept]
command = ["/bin/sh"]
mode = "stream"
idle = "10s"
max_tasks = 1000
)");
  CHECK(written.mistakes().empty());
  REQUIRE(written.file.tasks.size() == 2);
  TaskSpec all;
  all.name = "thumbnail";
  all.weight = TaskClass::medium;
  all.command = {"sh", "-c", "cat"};
  all.input = InputKind::raw;
  all.output = OutputKind::base64;
  all.timeout = 5s;
  all.kill_after = 250ms;
  all.limits = {256U << 20, 64, 100, 2min, 4096};
  all.max_attempts = 2;
  all.retry_exit_codes = {75, 111};
  all.concurrency = 2;
  all.env = {{"QUALITY", "80"}};
  all.workdir = "/";
  all.exclusive = true;
  CHECK(written.file.tasks[0].spec == all);
  CHECK(written.file.tasks[0].line == 2);
  TaskSpec kept;
  kept.name = "kept";
  kept.command = {"/bin/sh"};
  kept.mode = RunMode::stream;
  kept.idle = 10s;
  kept.max_tasks = 1000;
  CHECK(written.file.tasks[1].spec == kept);
  CHECK(written.file.tasks[1].line == 23);
}

TEST_CASE("task file: a mistake names file, line and key, what was expected and what is there") {
  struct Mistake {
    const char* line;
    const char* told;
  };
  const Mistake cases[] = {
      {"class = \"hard\"", "class: expected one of \"light\", \"medium\", \"heavy\", got \"hard\""},
      {"mode = 1", "mode: expected one of \"once\", \"stream\", got 1"},
      {"input = \"\"", "input: expected one of \"json\", \"raw\", \"base64\", got \"\""},
      {"output = \"raw\"", "output: expected one of \"json\", \"text\", \"base64\", got \"raw\""},
      {"timeout = 12", "timeout: expected a length of time like \"5s\", got 12"},
      {"timeout = \"5 apples\"",
       "timeout: expected a length of time like \"5s\", got \"5 apples\""},
      {"timeout = \"0s\"", "timeout: expected a length of time from 1ms to 10080min, got \"0s\""},
      {"cpu_time = \"10ms\"",
       "cpu_time: expected a length of time from 1s to 10080min, got \"10ms\""},
      {"memory = \"1KiB\"", "memory: expected a size from 1MiB to 1TiB, got \"1KiB\""},
      {"memory = \"lots\"",
       "memory: expected a size like \"256MiB\", or a number of bytes, got \"lots\""},
      {"memory = -5", "memory: expected a size like \"256MiB\", or a number of bytes, got -5"},
      {"processes = 0", "processes: expected a whole number from 1 to 1000000, got 0"},
      {"processes = 1.5", "processes: expected a whole number from 1 to 1000000, got 1.5"},
      {"open_files = 3", "open_files: expected a whole number from 4 to 1000000, got 3"},
      {"max_attempts = 1001", "max_attempts: expected a whole number from 1 to 1000, got 1001"},
      {"concurrency = true", "concurrency: expected a whole number from 1 to 1024, got true"},
      {"retry_exit_codes = 75",
       "retry_exit_codes: expected an array of whole numbers from 1 to 255, got 75"},
      {"retry_exit_codes = [0]", "retry_exit_codes: expected a whole number from 1 to 255, got 0"},
      {"env = [\"A=1\"]", "env: expected a table like { QUALITY = \"80\" }, got an array"},
      {"env = { A = 1 }", "env: expected A to be a text like \"80\", got 1"},
      {"env = { \"A B\" = \"1\" }",
       "env: \"A B\" cannot be set: expected a name of letters, digits and _ that does not begin "
       "with FOGCTL_TASK_"},
      {"workdir = \"/no/such\"", "workdir: '/no/such' is no folder here; make it, or name another"},
      {"user = \"no-such-user\"", "user: there is no user 'no-such-user' in /etc/passwd"},
      {"sandbox = true", "sandbox: there is no bwrap; install bubblewrap"},
      {"sandbox = \"yes\"", "sandbox: expected true or false, got \"yes\""},
      {"exclusive = 1", "exclusive: expected true or false, got 1"},
      {"idle = \"1s\"", "idle: only a task of mode = \"stream\" has it"},
      {"max_tasks = 9", "max_tasks: only a task of mode = \"stream\" has it"},
      {"time_out = \"5s\"", "time_out: unknown key; did you mean 'timeout'?"},
      {"colour = \"red\"", "colour: unknown key"},
  };
  for (const Mistake& test : cases) {
    CAPTURE(test.line);
    const Written written(std::string("[task.t]\ncommand = [\"sh\"]\n") + test.line + '\n');
    CHECK(written.mistakes() == std::string("t.toml:3: [task.t] ") + test.told + '\n');
  }
}

TEST_CASE("task file: a relative workdir is that of the process's folder") {
  const Written written("[task.t]\ncommand = [\"sh\"]\nworkdir = \".\"\n");
  CHECK(written.mistakes().empty());
  const std::string workdir = written.file.tasks.at(0).spec.workdir;
  CHECK(workdir.starts_with('/'));
  CHECK(std::filesystem::equivalent(workdir, "."));
}

TEST_CASE("task file: what a stream has no use for is a mistake in one") {
  const Written written(
      "[task.t]\ncommand = [\"sh\"]\nretry_exit_codes = [75]\nmode = \"stream\"\n");
  CHECK(written.mistakes() ==
        "t.toml:3: [task.t] retry_exit_codes: only a task of mode = \"once\" has it\n");
}

TEST_CASE("task file: the program must be there, and be one") {
  struct Command {
    const char* line;
    const char* told;
  };
  const Command cases[] = {
      {"",
       "t.toml:1: [task.t] command: expected an array with the program and its arguments, got "
       "none\n"},
      {"command = []",
       "t.toml:2: [task.t] command: expected an array with the program and its "
       "arguments, got an empty array\n"},
      {"command = \"sh -c cat\"",
       "t.toml:2: [task.t] command: expected an array with the program and its arguments, got "
       "\"sh -c cat\"\n"},
      {"command = [\"sh\", 5]", "t.toml:2: [task.t] command: expected texts in the array, got 5\n"},
      {"command = [\"no-such-program\"]\nenv = { PATH = \"/no/where\" }",
       "t.toml:2: [task.t] command: no program 'no-such-program' in /no/where; install it, or name "
       "it "
       "by an absolute path\n"},
      {"command = [\"/etc/passwd\"]",
       "t.toml:2: [task.t] command: '/etc/passwd' is no program "
       "that can be executed here\n"},
      {"command = [\"bin/it\"]",
       "t.toml:2: [task.t] command: expected a program's name, to be found in PATH, or an absolute "
       "path, got 'bin/it'\n"},
      {"command = [\"a\\u0000b\"]",
       "t.toml:2: [task.t] command: expected texts in the array, got \"a\\u0000b\"\n"},
  };
  for (const Command& test : cases) {
    CAPTURE(test.line);
    CHECK(Written(std::string("[task.t]\n") + test.line + '\n').mistakes() == test.told);
  }
}

TEST_CASE("task file: names are names, and not a built-in's") {
  CHECK(Written("[task.\"a b\"]\ncommand = [\"sh\"]\n").mistakes() ==
        "t.toml:1: [task.\"a b\"]: expected a name of 1 to 64 of [A-Za-z0-9_.-]\n");
  CHECK(Written("\n[task.echo]\ncommand = [\"sh\"]\n").mistakes() ==
        "t.toml:2: [task.echo]: a task of that name is built in; choose another\n");
  CHECK(Written("[task]\nx = 5\n").mistakes() ==
        "t.toml:2: [task.x]: expected a table of keys, got 5\n");
  CHECK(Written("task = 5\n").mistakes() == "t.toml:1: task: expected tables [task.NAME], got 5\n");
}

TEST_CASE("task file: all mistakes are told, in the order of their lines") {
  const Written written("[task.b]\nsleep = 1\ncommand = [\"sh\"]\nmode = 3\n[tsak.a]\nclass = 1\n");
  CHECK(written.mistakes() ==
        "t.toml:2: [task.b] sleep: unknown key\n"
        "t.toml:4: [task.b] mode: expected one of \"once\", \"stream\", got 3\n"
        "t.toml:5: [tsak] is nothing that a task file has; tasks stand as [task.NAME]; did you "
        "mean 'task'?\n");
}

TEST_CASE("task file: fogctl.toml may hold more than tasks") {
  const Written written("[fog]\nworkers = 3\n[task.a]\ncommand = [\"sh\"]\n", "fogctl.toml");
  CHECK(written.mistakes().empty());
  CHECK(written.file.tasks.size() == 1);
}

TEST_CASE("task file: what is no TOML is told with its line") {
  CHECK(Written("[task.a]\ncommand = [\"sh\"\nx").mistakes().starts_with("t.toml:3: "));
  CHECK(Written("[task.a]\n[task.a]\n").mistakes().starts_with("t.toml:2: "));
  CHECK(Written("a = \"\xff\"\n").mistakes().starts_with("t.toml:1: "));
  CHECK(Written(std::string(100'000, '[')).mistakes() ==
        "t.toml: a table's header names no table\n");
  CHECK(Written(std::string((1 << 20) + 1, '#')).mistakes() == "t.toml: longer than 1MiB\n");
}

TEST_CASE("task file: one that is not there is told") {
  const TaskFile file = read_task_file("/no/such/t.toml", checks());
  REQUIRE(file.mistakes.size() == 1);
  CHECK(to_string(file.mistakes[0]) ==
        "/no/such/t.toml: cannot read it: No such file or directory");
}

TEST_CASE("task file: one that cannot be read is not taken for an empty one") {
  const TaskFile file = read_task_file("/proc/self/mem", checks());  // an I/O error at its start
  REQUIRE(file.mistakes.size() == 1);
  CHECK(to_string(file.mistakes[0]) == "/proc/self/mem: cannot read it to its end");
  CHECK(Written("").mistakes().empty());
}

TEST_CASE("task file: a user must exist, and only root runs a task as another") {
  const std::string told = Written("[task.t]\ncommand = [\"sh\"]\nuser = \"root\"\n").mistakes();
  if (::geteuid() == 0) {
    CHECK(told.empty());
  } else {
    CHECK(told.find("only a fogctl that was started as root") != std::string::npos);
  }
}

}  // namespace
}  // namespace fogctl
