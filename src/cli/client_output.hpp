// What fogctl client writes: results and figures on standard output; on standard error what is for
// a person, and on a terminal a line of progress. Main thread.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "cli/result_file.hpp"
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
  /// A single task's result goes to `file` where one is given by that name.
  ClientOutput(const TaskStream& stream, ClientMode mode, bool json, std::string file_name = {},
               ResultFile* file = nullptr)
      : stream_(stream), mode_(mode), json_(json), file_name_(std::move(file_name)), file_(file) {}

  /// Of a single task, or of a row.
  void show(const Outcome& outcome);
  void show_progress(const Statistics& so_far);
  /// Of a single task, from 0 to 1.
  void show_progress(double share);
  void note(std::string_view text);
  /// At the end.
  void show(const Report& report);

  /// Why there is no result, or not all of the output; or empty.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void write(std::FILE* stream, const std::string& text);
  void write_to_file(const Outcome& outcome);
  void redraw(const std::string& text);
  void erase_progress();

  const TaskStream& stream_;
  ClientMode mode_;
  bool json_;
  std::string file_name_;  // empty: the result goes to standard output
  ResultFile* file_;
  std::string failure_;
  bool has_progress_ = false;
};

}  // namespace fogctl::cli
