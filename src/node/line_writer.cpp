#include "node/line_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"

namespace fogctl {
namespace {

/// So much is worth a write before the time is over.
constexpr std::size_t worth_writing = std::size_t{64} << 10;

/// A program that was killed while it wrote leaves a part of a line.
bool ends_in_part_of_line(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return false;
  char last = '\n';
  return ::pread(file.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
}

}  // namespace

Result<std::unique_ptr<LineWriter>> LineWriter::open(LineWriterOptions options) {
  const std::string& path = options.path;
  // A pipe that nobody reads is an error, not something to wait for.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  FileDescriptor file(::open(path.c_str(), flags, 0644));
  if (file.get() < 0) {
    return failure(ErrorCode::failed, fmt::format("cannot write to {}: {}", path,
                                                  std::generic_category().message(errno)));
  }
  ::fcntl(file.get(), F_SETFL, O_APPEND);
  const bool ends_in_part = ends_in_part_of_line(path);
  return std::unique_ptr<LineWriter>(
      new LineWriter(std::move(options), std::move(file), ends_in_part));
}

LineWriter::LineWriter(LineWriterOptions options, FileDescriptor file, bool ends_in_part)
    : options_(std::move(options)), file_(std::move(file)), writing_(ends_in_part ? "\n" : "") {
  thread_ = std::thread([this] { run(); });
}

void LineWriter::add(std::string_view lines) {
  bool is_worth_it = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_closing_ || waiting_.size() + lines.size() > options_.most_bytes) {
      lost_ += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
      return;
    }
    const bool was_less = waiting_.size() < worth_writing;
    waiting_ += lines;
    is_worth_it = was_less && waiting_.size() >= worth_writing;
  }
  if (is_worth_it) changed_.notify_one();
}

std::uint64_t LineWriter::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void LineWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_for(lock, options_.interval,
                      [this] { return is_closing_ || waiting_.size() >= worth_writing; });
    writing_ += waiting_;
    waiting_.clear();
    const bool is_last = is_closing_;
    lock.unlock();
    write_out();
    lock.lock();
    if (is_last && waiting_.empty()) return;
  }
}

/// What cannot be written is lost, but for the rest of a line of which a part is in the file.
void LineWriter::write_out() {
  std::size_t done = 0;
  while (done < writing_.size()) {
    const ssize_t count = ::write(file_.get(), writing_.data() + done, writing_.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (!std::exchange(has_failed_, true)) {
        log(LogLevel::error, "cannot write to {}: {}; lines are lost until it can be",
            options_.path, std::generic_category().message(errno));
      }
      const bool is_inside = done > 0 && writing_[done - 1] != '\n';
      const std::size_t end = is_inside ? writing_.find('\n', done) + 1 : done;
      note_lost(std::string_view(writing_).substr(end));
      writing_ = writing_.substr(done, end - done);
      return;
    }
    done += static_cast<std::size_t>(count);
  }
  if (done > 0 && std::exchange(has_failed_, false)) {
    log(LogLevel::info, "writing to {} again; {} lost", options_.path,
        counted(lost(), "line was", "lines were"));
  }
  writing_.clear();
}

void LineWriter::note_lost(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  lost_ += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
}

void LineWriter::close() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (lost() == 0) return;
  log(LogLevel::warning, "{}: {} lost", options_.path, counted(lost(), "line was", "lines were"));
}

}  // namespace fogctl
