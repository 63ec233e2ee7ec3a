#include "programs/task_needs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "programs/user.hpp"

namespace fogctl {
namespace {

bool is_program(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

bool is_in_path(std::string_view path, const std::string& program) {
  while (true) {
    const auto colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    if (!folder.empty() && is_program(fmt::format("{}/{}", folder, program))) return true;
    if (colon == std::string_view::npos) return false;
    path.remove_prefix(colon + 1);
  }
}

}  // namespace

std::optional<std::string> program_problem(const std::string& program, std::string_view path) {
  if (program.starts_with('/')) {
    if (is_program(program)) return std::nullopt;
    return fmt::format("'{}' is no program that can be executed here", program);
  }
  if (program.empty() || program.find('/') != std::string::npos) {
    return fmt::format(
        "expected a program's name, to be found in PATH, or an absolute path, got '{}'", program);
  }
  if (is_in_path(path, program)) return std::nullopt;
  return fmt::format("no program '{}' in {}; install it, or name it by an absolute path", program,
                     path);
}

std::optional<std::string> folder_problem(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return std::nullopt;
  return fmt::format("'{}' is no folder here; make it, or name another", folder);
}

std::optional<std::string> user_problem(const std::string& user) {
  const auto found = find_user(user);
  if (!found) return found.error().message;
  if (::geteuid() == 0 || found->id == ::geteuid()) return std::nullopt;
  return "only a fogctl that was started as root can run tasks as another user";
}

}  // namespace fogctl
