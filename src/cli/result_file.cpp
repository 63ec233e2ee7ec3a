#include "cli/result_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace fogctl::cli {
namespace {

/// What a file that is made anew may be used for by whom; or as the one that was there.
mode_t mode_for(const struct stat* before) {
  if (before != nullptr) return before->st_mode & 07777;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

ResultFile::~ResultFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

std::unexpected<Error> ResultFile::cannot_write() const {
  return failure(ErrorCode::failed, fmt::format("cannot write '{}': {}", path_,
                                                std::generic_category().message(errno)));
}

Result<void> ResultFile::open(const std::string& path) {
  path_ = path;
  struct stat before{};
  const bool is_there = ::stat(path.c_str(), &before) == 0;
  if (is_there && (!S_ISREG(before.st_mode) || ::access(path.c_str(), W_OK) != 0)) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) return cannot_write();
    return {};
  }
  std::string beside = path + ".XXXXXX";
  fd_ = ::mkostemp(beside.data(), O_CLOEXEC);
  if (fd_ < 0) return cannot_write();
  beside_ = std::move(beside);
  if (::fchmod(fd_, mode_for(is_there ? &before : nullptr)) != 0) return cannot_write();
  return {};
}

Result<void> ResultFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0) return cannot_write();
  if (beside_.empty()) return {};
  if (std::rename(beside_.c_str(), path_.c_str()) != 0) return cannot_write();
  beside_.clear();
  return {};
}

}  // namespace fogctl::cli
