// What kind of trouble with a file an errno stands for.
#pragma once

#include <cerrno>

#include "base/result.hpp"

namespace fogctl {

/// overloaded: there is no room for it, on the disk or within a limit.
[[nodiscard]] inline ErrorCode file_error_code(int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::overloaded;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::unauthorized;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    default:
      return ErrorCode::unavailable;
  }
}

}  // namespace fogctl
