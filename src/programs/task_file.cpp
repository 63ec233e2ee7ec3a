#include "programs/task_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "base/nearest.hpp"
#include "base/size.hpp"
#include "programs/task_needs.hpp"
#include "programs/task_program.hpp"
#include "programs/task_value.hpp"

namespace fogctl {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uintmax_t longest_file = std::uintmax_t{1} << 20;
constexpr std::uint64_t kib = std::uint64_t{1} << 10;
constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t tib = std::uint64_t{1} << 40;
constexpr const char* settings_file = "fogctl.toml";  // which holds more than tasks

enum class Modes : std::uint8_t { any, once, stream };

struct Key {
  const char* name;
  Modes modes;
  void (*read)(TaskValue& value, TaskSpec& spec);
};

void read_workdir(TaskValue& value, TaskSpec& spec) {
  value.text(spec.workdir, "a folder's path");
  if (value.problem()) return;
  if (auto why = folder_problem(spec.workdir)) return value.refuse(std::move(*why));
  // A sandbox knows no folder that this one is relative to.
  std::error_code why;
  const auto whole = std::filesystem::absolute(spec.workdir, why);
  if (!why) spec.workdir = whole.lexically_normal().string();
}

void read_user(TaskValue& value, TaskSpec& spec) {
  value.text(spec.user, "a user's name");
  if (value.problem()) return;
  if (auto why = user_problem(spec.user)) value.refuse(std::move(*why));
}

// fogctl-taskfile(5) tells each with its default and range.
constexpr std::array keys = {
    Key{"class", Modes::any,
        [](TaskValue& v, TaskSpec& s) {
          v.word(s.weight, {{"light", TaskClass::light},
                            {"medium", TaskClass::medium},
                            {"heavy", TaskClass::heavy}});
        }},
    Key{"command", Modes::any,
        [](TaskValue& v, TaskSpec& s) {
          v.texts(s.command, "an array with the program and its arguments");
        }},
    Key{"mode", Modes::any,
        [](TaskValue& v, TaskSpec& s) {
          v.word(s.mode, {{"once", RunMode::once}, {"stream", RunMode::stream}});
        }},
    Key{"input", Modes::any,
        [](TaskValue& v, TaskSpec& s) {
          v.word(
              s.input,
              {{"json", InputKind::json}, {"raw", InputKind::raw}, {"base64", InputKind::base64}});
        }},
    Key{"output", Modes::any,
        [](TaskValue& v, TaskSpec& s) {
          v.word(s.output, {{"json", OutputKind::json},
                            {"text", OutputKind::text},
                            {"base64", OutputKind::base64}});
        }},
    Key{"timeout", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.length(s.timeout, milliseconds(1), hours(168)); }},
    Key{"kill_after", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.length(s.kill_after, Duration::zero(), hours(1)); }},
    Key{"memory", Modes::any, [](TaskValue& v, TaskSpec& s) { v.size(s.limits.memory, mib, tib); }},
    Key{"processes", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.number(s.limits.processes, 1, 1'000'000); }},
    Key{"open_files", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.number(s.limits.open_files, 4, 1'000'000); }},
    Key{"cpu_time", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.length(s.limits.cpu_time, seconds(1), hours(168)); }},
    Key{"max_output", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.size(s.limits.max_output, 1, 1024 * kib * kib); }},
    Key{"max_attempts", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.number(s.max_attempts, 1, 1000); }},
    Key{"retry_exit_codes", Modes::once,
        [](TaskValue& v, TaskSpec& s) { v.numbers(s.retry_exit_codes, 1, 255); }},
    Key{"concurrency", Modes::any,
        [](TaskValue& v, TaskSpec& s) { v.number(s.concurrency, 1, 1024); }},
    Key{"env", Modes::any, [](TaskValue& v, TaskSpec& s) { v.variables(s.env); }},
    Key{"workdir", Modes::any, read_workdir},
    Key{"user", Modes::any, read_user},
    Key{"sandbox", Modes::any, [](TaskValue& v, TaskSpec& s) { v.flag(s.sandbox); }},
    Key{"exclusive", Modes::any, [](TaskValue& v, TaskSpec& s) { v.flag(s.exclusive); }},
    Key{"idle", Modes::stream,
        [](TaskValue& v, TaskSpec& s) { v.length(s.idle, milliseconds(10), hours(168)); }},
    Key{"max_tasks", Modes::stream,
        [](TaskValue& v, TaskSpec& s) { v.number(s.max_tasks, 1, 1'000'000'000); }},
};

class Reader {
 public:
  Reader(const std::string& path, const TaskChecks& checks) : path_(path), checks_(checks) {}

  void read(const toml::table& document) {
    const bool is_ours = std::filesystem::path(path_).filename() != settings_file;
    for (const auto& [key, value] : document) {
      if (key.str() == "task") {
        read_tasks(value);
      } else if (is_ours) {
        const std::vector<std::string> known = {"task"};
        wrong(line_of(key.source()),
              fmt::format("[{}] is nothing that a task file has; tasks stand as [task.NAME]{}",
                          key.str(), suggestion(key.str(), known)));
      }
    }
  }

  void wrong(std::size_t line, std::string text) {
    file_.mistakes.push_back({path_, line, std::move(text)});
  }

  TaskFile finish() {
    std::ranges::stable_sort(file_.tasks, {}, &OwnTask::line);
    std::ranges::stable_sort(file_.mistakes, {}, &TaskMistake::line);
    return std::move(file_);
  }

 private:
  void read_tasks(const toml::node& node) {
    const auto* tasks = node.as_table();
    if (tasks == nullptr) {
      return wrong(line_of(node.source()),
                   "task: expected tables [task.NAME], got " + text_of(node));
    }
    for (const auto& [key, value] : *tasks) read_task(key, value);
  }

  void read_task(const toml::key& key, const toml::node& node) {
    const std::string name(key.str());
    const std::size_t line = line_of(key.source());
    const std::string heading = fmt::format("[task.{}]", name);
    const auto* table = node.as_table();
    if (!is_valid_name(name)) {
      return wrong(line, fmt::format("[task.{}]: expected a name of 1 to 64 of [A-Za-z0-9_.-]",
                                     in_quotes(name)));
    }
    if (table == nullptr) {
      return wrong(line,
                   fmt::format("{}: expected a table of keys, got {}", heading, text_of(node)));
    }
    if (checks_.is_built_in(name)) {
      wrong(line, fmt::format("{}: a task of that name is built in; choose another", heading));
    }
    file_.tasks.push_back({TaskSpec{}, path_, line});
    TaskSpec& spec = file_.tasks.back().spec;
    spec.name = name;
    for (const auto& [name_of_key, value] : *table) read_key(heading, name_of_key, value, spec);
    for (const auto& [name_of_key, value] : *table) check_mode(heading, name_of_key, spec);
    if (const auto* command = table->get("command")) {
      check_program(heading, *command, spec);
    } else {
      wrong(line, fmt::format("{} command: expected an array with the program and its arguments, "
                              "got none",
                              heading));
    }
  }

  void read_key(const std::string& heading, const toml::key& name, const toml::node& node,
                TaskSpec& spec) {
    const auto* key = std::ranges::find(keys, name.str(), &Key::name);
    if (key == keys.end()) {
      std::vector<std::string> known;
      known.reserve(keys.size());
      for (const Key& one : keys) known.emplace_back(one.name);
      return wrong(line_of(name.source()), fmt::format("{} {}: unknown key{}", heading, name.str(),
                                                       suggestion(name.str(), known)));
    }
    TaskValue value(node);
    key->read(value, spec);
    if (name.str() == "sandbox" && spec.sandbox) {
      if (const auto can = checks_.sandbox(); !can) value.refuse(can.error().message);
    }
    if (const auto& problem = value.problem()) {
      wrong(problem->line, fmt::format("{} {}: {}", heading, name.str(), problem->text));
    }
  }

  /// Once its PATH is known.
  void check_program(const std::string& heading, const toml::node& command, const TaskSpec& spec) {
    if (spec.command.empty()) return;
    const auto path = spec.env.find("PATH");
    const auto why =
        program_problem(spec.command.front(), path == spec.env.end() ? clean_path : path->second);
    if (why) wrong(line_of(command.source()), fmt::format("{} command: {}", heading, *why));
  }

  void check_mode(const std::string& heading, const toml::key& name, const TaskSpec& spec) {
    const auto* key = std::ranges::find(keys, name.str(), &Key::name);
    if (key == keys.end() || key->modes == Modes::any) return;
    const bool is_stream = key->modes == Modes::stream;
    if (is_stream == (spec.mode == RunMode::stream)) return;
    wrong(line_of(name.source()), fmt::format("{} {}: only a task of mode = \"{}\" has it", heading,
                                              name.str(), is_stream ? "stream" : "once"));
  }

  const std::string& path_;
  const TaskChecks& checks_;
  TaskFile file_;
};

/// Error: why it cannot be read.
Result<std::string> contents(const std::string& path) {
  std::error_code why;
  const auto size = std::filesystem::file_size(path, why);
  if (why) return failure(ErrorCode::not_found, "cannot read it: " + why.message());
  if (size > longest_file) {
    return failure(ErrorCode::invalid, "longer than " + format_size(longest_file));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(ErrorCode::failed, "cannot read it: may this user?");
  std::string text;
  std::array<char, 4096> part;
  while (file && text.size() <= longest_file) {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return failure(ErrorCode::failed, "cannot read it to its end");
  return text;
}

}  // namespace

std::string to_string(const TaskMistake& mistake) {
  if (mistake.line == 0) return fmt::format("{}: {}", mistake.file, mistake.text);
  return fmt::format("{}:{}: {}", mistake.file, mistake.line, mistake.text);
}

TaskFile read_task_file(const std::string& path, const TaskChecks& checks) {
  Reader reader(path, checks);
  const auto text = contents(path);
  if (!text) {
    reader.wrong(0, text.error().message);
    return reader.finish();
  }
  if (const auto document = parse_toml(*text)) {
    reader.read(*document);
  } else {
    reader.wrong(document.error().line, document.error().why);
  }
  return reader.finish();
}

}  // namespace fogctl
