#include "queue/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "queue/file_errors.hpp"

namespace fogctl {
namespace {

// Whoever ends in order removes the file: what was opened may then not be there any more.
bool is_at(int descriptor, const std::string& path) {
  struct stat opened{};
  struct stat there{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &there) == 0 &&
         opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

std::string owner_of(int descriptor) {
  std::array<char, 32> text{};
  const auto size = ::pread(descriptor, text.data(), text.size(), 0);
  std::string_view id(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  id = id.substr(0, id.find('\n'));
  return id.empty() ? "another process" : fmt::format("process {}", id);
}

void write_owner(int descriptor) {
  const std::string id = fmt::format("{}\n", ::getpid());
  // Only for people: the lock holds without it.
  [[maybe_unused]] const auto cut = ::ftruncate(descriptor, 0);
  [[maybe_unused]] const auto written = ::pwrite(descriptor, id.data(), id.size(), 0);
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path) {
  std::string lock_path = path + ".lock";
  for (;;) {
    const int descriptor = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) {
      const int why = errno;
      return failure(file_error_code(why), fmt::format("cannot make {}: {}", lock_path,
                                                       std::generic_category().message(why)));
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const std::string owner = owner_of(descriptor);
      ::close(descriptor);
      return failure(ErrorCode::in_use, fmt::format("it is in use by {}", owner));
    }
    if (is_at(descriptor, lock_path)) {
      write_owner(descriptor);
      return FileLock(std::move(lock_path), descriptor);
    }
    ::close(descriptor);
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());  // while it is still held, so that no other's is removed
  ::close(descriptor_);
}

}  // namespace fogctl
