// By which name a file is known, so that what lies beside it is found by every name of it.
#pragma once

#include <string>

namespace fogctl {

/// `path` itself, or what it links to where it is a symbolic link, of however many steps; the file
/// need not be there. Folders stay as they were written.
[[nodiscard]] std::string without_links(const std::string& path);

}  // namespace fogctl
