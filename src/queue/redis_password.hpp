// The password file: its first line. Any thread; reads the file.
#pragma once

#include <string>

#include "base/result.hpp"

namespace fogctl {

/// Error: failed, naming the file.
[[nodiscard]] Result<std::string> read_redis_password(const std::string& path);

}  // namespace fogctl
