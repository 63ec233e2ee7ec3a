// What fogctl client writes: results and figures on standard output; on standard error what is for
// a person, and on a terminal a line of progress. Main thread.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "client/client.hpp"

namespace fogctl::cli {

/// What a run prints in the end.
enum class ClientMode {
  single,   // the result
  rows,     // a result for each row
  figures,  // the table
};

class ClientOutput {
 public:
  /// `stream` is what a single task or a row belongs to; it must outlive this.
  ClientOutput(const TaskStream& stream, ClientMode mode, bool json)
      : stream_(stream), mode_(mode), json_(json) {}

  /// Of a single task, or of a row.
  void show(const Outcome& outcome);
  void show_progress(const Statistics& so_far);
  void note(std::string_view text);
  /// At the end.
  void show(const Report& report);

  /// Why there is no result, or not all of the output; or empty.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void write(std::FILE* stream, const std::string& text);
  void erase_progress();

  const TaskStream& stream_;
  ClientMode mode_;
  bool json_;
  std::string failure_;
  bool has_progress_ = false;
};

}  // namespace fogctl::cli
