#include "cli/queue_file.hpp"

#include <fmt/format.h>

#include <utility>

#include "queue/file_path.hpp"
#include "queue/file_queue.hpp"

namespace fogctl::cli {
namespace {

std::string queue_file_advice(const std::string& path, ErrorCode code) {
  switch (code) {
    case ErrorCode::in_use:
      return "A queue file serves one process at a time: stop that one, or name another file with "
             "--queue-file";
    case ErrorCode::invalid:
      return "Name another file with --queue-file, which is made where there is none; a file of a "
             "newer fogctl needs that one";
    case ErrorCode::overloaded:
      return fmt::format(
          "Make room on the file system of {}, 4 MiB at least, or raise the limit on the size of "
          "files (ulimit -f), and start this again: what the file holds is kept",
          path);
    case ErrorCode::failed:
      return fmt::format(
          "Move {0} and {0}-wal away, both of them, and a new one is made; fogctl-guarantees(7) "
          "says how to recover the tasks in them with sqlite3",
          path);
    case ErrorCode::unauthorized:
      return fmt::format(
          "Give this user the right to write {0}, {0}-wal and the folder that they are in, or name "
          "another file with --queue-file",
          path);
    default:
      return "Name a file with --queue-file that can be written, in a folder that is there; it is "
             "made where there is none";
  }
}

}  // namespace

std::string queue_file_of(const NodeFlags& flags) {
  return flags.queue_file.empty() ? flags.queue.name + ".queue" : flags.queue_file;
}

std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_file_queue(const NodeFlags& flags,
                                                                          const std::string& holder,
                                                                          const Clock& clock) {
  FileQueueOptions options;
  options.path = queue_file_of(flags);
  options.sync = flags.queue_sync == "full" ? FileSync::full : FileSync::normal;
  options.limits = flags.queue.limits;
  options.first_lease = flags.queue.lease;
  auto store = FileStore::open(options, clock);
  if (store) return std::make_unique<FileQueue>(std::move(*store), holder);
  return std::unexpected(queue_file_failure(options.path, store.error()));
}

CommandFailure queue_file_failure(const std::string& path, const Error& error) {
  return {exit_code::failed,
          error.message + '\n' + queue_file_advice(without_links(path), error.code)};
}

}  // namespace fogctl::cli
