// The file that a result goes to: whole, or not at all. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fogctl::cli {

class ResultFile {
 public:
  ResultFile() = default;
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  /// Makes a file beside `path`, which takes its place when all is written; what is there and is no
  /// file, a pipe or a device, is written to itself. Error: why it cannot be written.
  [[nodiscard]] Result<void> open(const std::string& path);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Once. Error: as above; what was at `path` is then as it was.
  [[nodiscard]] Result<void> write(std::string_view bytes);

 private:
  [[nodiscard]] std::unexpected<Error> cannot_write() const;

  std::string path_;
  std::string beside_;  // what is written; empty: `path_` itself
  int fd_ = -1;
};

}  // namespace fogctl::cli
