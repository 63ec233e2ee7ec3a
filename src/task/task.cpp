#include "task/task.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.hpp"

namespace fogctl {
namespace {

constexpr std::array<std::string_view, task_class_count> class_names = {"light", "medium", "heavy"};
constexpr std::array<std::string_view, 10> error_names = {
    "unknown_task", "invalid_task", "task_failed", "timed_out",   "expired",
    "cancelled",    "overloaded",   "unavailable", "unplaceable", "unauthorized"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse_name(const std::array<std::string_view, N>& names,
                               std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

constexpr std::array<bool, 256> name_characters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_.-")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

}  // namespace

std::string_view to_string(TaskClass weight) {
  return class_names[index_of(weight)];
}

std::optional<TaskClass> parse_task_class(std::string_view name) {
  return parse_name<TaskClass>(class_names, name);
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return name_characters[static_cast<unsigned char>(c)];
  });
}

Instant start_by(const Task& task, Instant arrival) {
  const Duration slack = task.time_requirement - std::min(task.waited, task.time_requirement);
  const bool overflows = slack > Instant::max() - arrival;
  return overflows ? Instant::max() : arrival + slack;
}

std::optional<Instant> expiry(const Task& task, Instant arrival) {
  if (!task.expires) return std::nullopt;
  const Duration left = *task.expires - std::min(task.waited, *task.expires);
  return left > Instant::max() - arrival ? Instant::max() : arrival + left;
}

bool is_refused(const TaskResult& result) {
  using enum TaskErrorCode;
  if (!result.error) return false;
  const TaskErrorCode code = result.error->code;
  return code == unavailable || code == overloaded || code == unplaceable;
}

TaskResult cancelled_result(const std::string& uid) {
  TaskResult result;
  result.uid = uid;
  result.error = TaskError{TaskErrorCode::cancelled, "the task was given up"};
  return result;
}

std::string_view to_string(TaskErrorCode code) {
  return error_names[static_cast<std::size_t>(code)];
}

std::optional<TaskErrorCode> parse_task_error_code(std::string_view name) {
  return parse_name<TaskErrorCode>(error_names, name);
}

std::string lost_runs(std::uint32_t runs) {
  return fmt::format("{} was lost before it ended", counted(runs, "run began, and its worker",
                                                            "runs began, and the worker of each"));
}

}  // namespace fogctl
