#include "queue/file_path.hpp"

#include <filesystem>
#include <system_error>

namespace fogctl {

std::string without_links(const std::string& path) {
  constexpr int most_steps = 40;  // the kernel follows no more, and says so when it opens the file
  std::filesystem::path at(path);
  for (int step = 0; step < most_steps; ++step) {
    std::error_code is_no_link;
    const auto target = std::filesystem::read_symlink(at, is_no_link);
    if (is_no_link) break;
    at = at.parent_path() / target;  // the target alone, where that is absolute
  }
  return at.string();
}

}  // namespace fogctl
