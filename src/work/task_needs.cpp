#include "work/task_needs.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

namespace fogctl {
namespace {

constexpr const char* password_file = "/etc/passwd";

bool is_program(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

/// In PATH, as execvp looks; nobody here ever sets a variable.
bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
  while (true) {
    const auto colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    if (!folder.empty() && is_program(fmt::format("{}/{}", folder, program))) return true;
    if (colon == std::string_view::npos) return false;
    rest.remove_prefix(colon + 1);
  }
}

/// From the file itself: a static program has no name service to ask.
bool is_user(const std::string& name) {
  struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(password_file, "re"));
  if (!file) return false;
  std::string buffer(16384, '\0');
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (name == found->pw_name) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> program_problem(const std::string& program) {
  if (program.starts_with('/')) {
    if (is_program(program)) return std::nullopt;
    return fmt::format("'{}' is no program that can be executed here", program);
  }
  if (program.empty() || program.find('/') != std::string::npos) {
    return fmt::format(
        "expected a program's name, to be found in PATH, or an absolute path, got '{}'", program);
  }
  if (is_in_path(program)) return std::nullopt;
  return fmt::format("no program '{}' in PATH; install it, or name it by an absolute path",
                     program);
}

std::optional<std::string> folder_problem(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return std::nullopt;
  return fmt::format("'{}' is no folder here; make it, or name another", folder);
}

std::optional<std::string> user_problem(const std::string& user) {
  if (!is_user(user)) return fmt::format("no user '{}' in {}", user, password_file);
  if (::geteuid() == 0) return std::nullopt;
  return "only a fogctl that was started as root can run tasks as another user";
}

}  // namespace fogctl
