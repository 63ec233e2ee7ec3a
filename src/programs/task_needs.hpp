// What a task needs of the machine that is to run it: a program, a folder, a user. Each function
// says what is wrong, to stand behind "KEY: ", or nothing. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fogctl {

/// A program that can be executed, found in the folders of `path` or named by an absolute path.
[[nodiscard]] std::optional<std::string> program_problem(const std::string& program,
                                                         std::string_view path);
[[nodiscard]] std::optional<std::string> folder_problem(const std::string& folder);
/// A user of /etc/passwd, whom this process is or may become.
[[nodiscard]] std::optional<std::string> user_problem(const std::string& user);

}  // namespace fogctl
