#include "programs/own_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

namespace fogctl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_told = 10;

std::vector<std::string> paths_of(const TaskSources& sources) {
  if (!sources.paths.empty()) return sources.paths;
  std::vector<std::string> paths;
  for (const char* name : {"fogctl.toml", "tasks.d"}) {
    std::error_code ignored;
    const fs::path path = fs::path(sources.settings) / name;
    if (fs::exists(path, ignored)) paths.push_back(path.string());
  }
  return paths;
}

/// The file itself, or the folder's, hidden ones apart.
std::vector<std::string> files_of(const std::string& path, std::vector<TaskMistake>& mistakes) {
  std::error_code why;
  if (!fs::is_directory(path, why)) return {path};
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, why), end; !why && entry != end; entry.increment(why)) {
    const fs::path& file = entry->path();
    if (file.extension() == ".toml" && !file.filename().string().starts_with('.')) {
      files.push_back(file.string());
    }
  }
  if (why) mistakes.push_back({path, 0, "cannot list the folder: " + why.message()});
  std::ranges::sort(files);
  return files;
}

std::string lines_of(const std::vector<TaskMistake>& mistakes) {
  std::string lines;
  for (std::size_t i = 0; i < std::min(mistakes.size(), most_told); ++i) {
    if (i > 0) lines += '\n';
    lines += to_string(mistakes[i]);
  }
  if (mistakes.size() > most_told) {
    lines += fmt::format("\n... and {} more mistakes", mistakes.size() - most_told);
  }
  return lines;
}

/// Asked once for all tasks that want it: the answer may take a process.
TaskChecks asked_once(const TaskChecks& checks) {
  TaskChecks once = checks;
  once.sandbox = [ask = checks.sandbox, answer = std::optional<Result<void>>()]() mutable {
    if (!answer) answer = ask();
    return *answer;
  };
  return once;
}

}  // namespace

Result<OwnTasks> read_own_tasks(const TaskSources& sources, const TaskChecks& checks) {
  OwnTasks all;
  std::vector<TaskMistake> mistakes;
  for (const std::string& path : paths_of(sources)) {
    std::ranges::move(files_of(path, mistakes), std::back_inserter(all.files));
  }
  const TaskChecks asked = asked_once(checks);
  std::map<std::string, std::string> places;  // by name
  for (const std::string& path : all.files) {
    TaskFile file = read_task_file(path, asked);
    std::ranges::move(file.mistakes, std::back_inserter(mistakes));
    for (OwnTask& task : file.tasks) {
      const auto [place, is_new] =
          places.try_emplace(task.spec.name, fmt::format("{}:{}", task.file, task.line));
      if (!is_new) {
        mistakes.push_back(
            {task.file, task.line,
             fmt::format("[task.{}]: {} has a task of that name already; rename or remove one",
                         task.spec.name, place->second)});
      }
      all.tasks.push_back(std::move(task));
    }
  }
  if (!mistakes.empty()) return failure(ErrorCode::invalid, lines_of(mistakes));
  return all;
}

}  // namespace fogctl
