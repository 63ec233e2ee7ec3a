#include "programs/user.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>

namespace fogctl {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
constexpr std::size_t longest_entry = 64 << 10;  // a group may have many members

File open_file(const char* path) {
  return {std::fopen(path, "re"), std::fclose};
}

/// The first entry of /etc/passwd that `is_wanted`.
Result<std::optional<User>> look_up(const std::function<bool(const passwd&)>& is_wanted) {
  const File file = open_file("/etc/passwd");
  if (!file) {
    return failure(ErrorCode::failed, fmt::format("cannot read /etc/passwd: {}",
                                                  std::generic_category().message(errno)));
  }
  std::string buffer(longest_entry, '\0');
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (!is_wanted(entry)) continue;
    return User{entry.pw_uid, entry.pw_gid, {entry.pw_gid}, entry.pw_dir};
  }
  return std::nullopt;
}

void add_groups(User& user, const std::string& name) {
  const File file = open_file("/etc/group");
  if (!file) return;
  std::string buffer(longest_entry, '\0');
  group entry{};
  group* found = nullptr;
  while (::fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    for (char** member = entry.gr_mem; *member != nullptr; ++member) {
      if (name == *member && entry.gr_gid != user.group) user.groups.push_back(entry.gr_gid);
    }
  }
}

}  // namespace

Result<User> find_user(const std::string& name) {
  auto found = look_up([&](const passwd& entry) { return name == entry.pw_name; });
  if (!found) return std::unexpected(found.error());
  if (!*found) {
    return failure(ErrorCode::not_found, fmt::format("there is no user '{}' in /etc/passwd", name));
  }
  add_groups(**found, name);
  return std::move(**found);
}

std::string own_home() {
  const uid_t own = ::getuid();
  const auto found = look_up([&](const passwd& entry) { return entry.pw_uid == own; });
  return found && *found && !(*found)->home.empty() ? (*found)->home : "/";
}

}  // namespace fogctl
