// Lines that go to a file from a thread of their own, so that no disk holds up whoever has
// something to write.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace fogctl {

struct LineWriterOptions {
  std::string path;
  std::size_t most_bytes = std::size_t{16} << 20;  // that wait; lines beyond are lost, and counted
  Duration interval = std::chrono::seconds(1);     // no line waits longer
};

class LineWriter {
 public:
  /// Appends to the file, which is made where there is none. Error: failed, saying why.
  [[nodiscard]] static Result<std::unique_ptr<LineWriter>> open(LineWriterOptions options);
  ~LineWriter() { close(); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Whole lines, each with its end. Any thread; waits for no disk.
  void add(std::string_view lines);
  /// Writes what waits, and ends the thread; says how many lines were lost, if any. The owner's
  /// thread; what is added afterwards is lost.
  void close();
  /// Lines that could not be written, or did not fit. Any thread.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  LineWriter(LineWriterOptions options, FileDescriptor file, bool ends_in_part);
  void run();
  void write_out();
  void note_lost(std::string_view lines);

  const LineWriterOptions options_;
  const FileDescriptor file_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t lost_ = 0;
  bool is_closing_ = false;

  // The thread's own.
  std::string writing_;
  bool has_failed_ = false;  // which was said

  std::thread thread_;
};

}  // namespace fogctl
