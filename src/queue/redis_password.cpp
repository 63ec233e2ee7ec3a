#include "queue/redis_password.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace fogctl {

Result<std::string> read_redis_password(const std::string& path) {
  const auto wrong = [&](const std::string& why) {
    return failure(ErrorCode::failed,
                   fmt::format("cannot read the Redis password from {}: {}", path, why));
  };
  errno = 0;
  std::ifstream file(path);
  if (!file) return wrong(std::generic_category().message(errno));
  std::string line;
  std::getline(file, line);
  if (file.bad() || errno == EISDIR) return wrong(std::generic_category().message(errno));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return wrong("its first line is empty");
  return line;
}

}  // namespace fogctl
