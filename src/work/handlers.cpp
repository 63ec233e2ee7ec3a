#include "work/handlers.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace fogctl {

void HandlerTable::add(const std::string& name, Handler handler) {
  handlers_.insert_or_assign(name, std::move(handler));
}

const Handler* HandlerTable::find(std::string_view name) const {
  const auto found = handlers_.find(name);
  return found == handlers_.end() ? nullptr : &found->second;
}

HandlerOutcome HandlerTable::run(const Task& task, const Run& run) const {
  const Handler* handler = find(task.name);
  if (handler == nullptr) {
    return std::unexpected(RunFailure{TaskErrorCode::unknown_task,
                                      fmt::format("no handler is named '{}' here", task.name)});
  }
  try {
    return handler->run(task, run);
  } catch (const std::exception& error) {
    return std::unexpected(RunFailure{TaskErrorCode::task_failed,
                                      fmt::format("handler '{}': {}", task.name, error.what())});
  } catch (...) {
    return std::unexpected(RunFailure{
        TaskErrorCode::task_failed, fmt::format("handler '{}' threw what is no error", task.name)});
  }
}

}  // namespace fogctl
