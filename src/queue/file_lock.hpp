// The right of one process to a file: an advisory lock on a file beside it, PATH.lock, which holds
// the process's id for others to read. The kernel lets go of it however the process ends.
#pragma once

#include <string>

#include "base/result.hpp"

namespace fogctl {

class FileLock {
 public:
  /// Error: in_use (by whom), or why the file cannot be made, as file_error_code().
  [[nodiscard]] static Result<FileLock> take(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

 private:
  FileLock(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
};

}  // namespace fogctl
