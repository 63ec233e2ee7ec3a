#include "programs/command_handlers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "base/counted.hpp"
#include "base/log.hpp"

namespace fogctl {
namespace {

/// What of its file is the same however a task runs.
Handler with_bounds(Handler handler, const TaskSpec& spec) {
  handler.weight = spec.weight;
  handler.max_attempts = spec.max_attempts;
  handler.concurrency = spec.concurrency;
  handler.is_base64 = spec.output == OutputKind::base64;
  handler.is_exclusive = spec.exclusive;
  return handler;
}

/// What differs between two sets of tasks, for people.
struct Difference {
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;

  [[nodiscard]] std::string text() const {
    std::string text;
    const auto tell = [&](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      text += fmt::format("{}{} {}", text.empty() ? "" : "; ", what, fmt::join(names, ", "));
    };
    tell("added", added);
    tell("changed", changed);
    tell("removed", removed);
    return text.empty() ? "nothing changed" : text;
  }
};

}  // namespace

Result<void> CommandHandlers::read() {
  HandlerTable table = built_in_handlers();
  const TaskChecks checks{
      [&](std::string_view name) { return table.find(name) != nullptr; },  // before any is added
      runner_.check_sandbox};
  const auto own = read_own_tasks(sources_, checks);
  if (!own) return std::unexpected(own.error());
  Difference difference;
  std::map<std::string, Made> next;
  for (const OwnTask& task : own->tasks) {
    const std::string& name = task.spec.name;
    const auto old = made_.find(name);
    const bool is_same = old != made_.end() && old->second.spec == task.spec;
    if (!is_same) (old == made_.end() ? difference.added : difference.changed).push_back(name);
    Handler handler =
        is_same ? old->second.handler : with_bounds(runner_.handler(task.spec), task.spec);
    table.add(name, handler);
    next.emplace(name, Made{task.spec, std::move(handler)});
  }
  for (const auto& [name, made] : made_) {
    if (!next.contains(name)) difference.removed.push_back(name);
  }
  if (!own->files.empty() || !made_.empty()) {
    log(LogLevel::info, "{} of your own from {}: {}", counted(next.size(), "task"),
        own->files.empty() ? "no file" : fmt::format("{}", fmt::join(own->files, ", ")),
        difference.text());
  }
  made_ = std::move(next);
  handlers_.replace(std::move(table));
  return {};
}

bool CommandHandlers::reread() {
  const auto done = [this]() -> Result<void> {
    try {
      return read();
    } catch (const std::exception& error) {  // no thread can be made, say
      return failure(ErrorCode::failed, error.what());
    }
  }();
  if (!done) {
    std::string mistakes = done.error().message;
    std::ranges::replace(mistakes, '\n', ';');  // a record of the log is a line
    log(LogLevel::error, "the tasks stay as they were, for {}{}",
        done.error().code == ErrorCode::invalid ? "there are mistakes: " : "", mistakes);
  }
  return done.has_value();
}

}  // namespace fogctl
