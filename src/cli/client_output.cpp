#include "cli/client_output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/hide_controls.hpp"

namespace fogctl::cli {

void ClientOutput::show(const Outcome& outcome) {
  const bool is_done = outcome.kind == Outcome::Kind::done;
  erase_progress();
  if (file_ != nullptr && is_done) write_to_file(outcome);
  const std::string line =
      json_ ? outcome_json(outcome, stream_.requirement, file_name_) : content_line(outcome);
  const bool is_for_file = file_ != nullptr && !json_;
  const bool is_told = json_ || is_done || mode_ == ClientMode::rows;
  if (is_told && !is_for_file) write(stdout, line + '\n');
  const std::string text = outcome_text(outcome, stream_.name, stream_.requirement);
  if (mode_ == ClientMode::single && is_done && failure_.empty()) write(stderr, text + '\n');
  if (mode_ == ClientMode::single && !is_done) failure_ = text;
  if (mode_ == ClientMode::rows && !is_done) note(fmt::format("row {}: {}", outcome.id, text));
}

void ClientOutput::write_to_file(const Outcome& outcome) {
  const auto bytes = content_bytes(outcome);
  const auto written = bytes ? file_->write(*bytes) : std::unexpected(bytes.error());
  if (!written) failure_ = written.error().message;
}

void ClientOutput::show_progress(const Statistics& so_far) {
  redraw(progress_text(so_far));
}

void ClientOutput::show_progress(double share) {
  if (json_) return write(stderr, fmt::format("{{\"progress\":{:.3g}}}\n", share));
  constexpr int width = 40;
  const int done = static_cast<int>(share * width);
  redraw(fmt::format("[{:#<{}}{:.<{}}] {:3.0f}%", "", done, "", width - done, share * 100));
}

void ClientOutput::redraw(const std::string& text) {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t columns = is_known ? size.ws_col : 80;
  erase_progress();
  write(stderr, text.substr(0, columns - 1));
  has_progress_ = true;
}

void ClientOutput::note(std::string_view text) {
  erase_progress();
  write(stderr, fmt::format("fogctl: {}\n", hide_controls(std::string(text))));
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
