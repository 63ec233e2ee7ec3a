// Who a program runs as: users by name, from /etc/passwd and /etc/group. Not through the name
// service, which a static binary cannot load. Any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace fogctl {

struct User {
  uid_t id = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // with `group`
  std::string home;
};

/// Error: not_found, where /etc/passwd has no such user; failed, where it cannot be read.
[[nodiscard]] Result<User> find_user(const std::string& name);

/// The home folder of the user that this process runs as; "/" where /etc/passwd knows none.
[[nodiscard]] std::string own_home();

}  // namespace fogctl
