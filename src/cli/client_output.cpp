#include "cli/client_output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace fogctl::cli {

void ClientOutput::show(const Outcome& outcome) {
  const bool is_done = outcome.kind == Outcome::Kind::done;
  const std::string line =
      json_ ? outcome_json(outcome, stream_.requirement) : content_line(outcome);
  if (json_ || is_done || mode_ == ClientMode::rows) write(stdout, line + '\n');
  const std::string text = outcome_text(outcome, stream_.name, stream_.requirement);
  if (mode_ == ClientMode::single && is_done) write(stderr, text + '\n');
  if (mode_ == ClientMode::single && !is_done) failure_ = text;
  if (mode_ == ClientMode::rows && !is_done) note(fmt::format("row {}: {}", outcome.id, text));
}

void ClientOutput::show_progress(const Statistics& so_far) {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t columns = is_known ? size.ws_col : 80;
  erase_progress();
  write(stderr, progress_text(so_far).substr(0, columns - 1));
  has_progress_ = true;
}

void ClientOutput::note(std::string_view text) {
  erase_progress();
  write(stderr, fmt::format("fogctl: {}\n", text));
}

void ClientOutput::show(const Report& report) {
  erase_progress();
  switch (mode_) {
    case ClientMode::single:
      if (!report.ended_early.empty()) note(report.ended_early);
      return;
    case ClientMode::rows:  // the results are on standard output
    case ClientMode::figures:
      write(mode_ == ClientMode::rows ? stderr : stdout,
            json_ ? json_text(report) : table_text(report));
      break;
  }
  for (const std::string& text : notes_on(report)) note(text);
}

void ClientOutput::write(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  // A reader that left (`| head`) is no failure.
  if (std::fflush(stream) == 0 || stream != stdout || errno == EPIPE) return;
  failure_ = "cannot write to standard output: " + std::generic_category().message(errno);
}

void ClientOutput::erase_progress() {
  if (has_progress_) write(stderr, "\r\033[K");
  has_progress_ = false;
}

}  // namespace fogctl::cli
