#include "client/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/hide_controls.hpp"
#include "json/object_writer.hpp"

namespace fogctl {
namespace {

struct SiteNames {
  std::string_view process_by;  // as in a result
  std::string_view text;
};
constexpr std::array<SiteNames, site_count> site_names = {
    {{"local", "locally"}, {"fog", "by a neighbour"}, {"cloud", "in the cloud"}}};

const SiteNames& names_of(RanAt site) {
  return site_names[static_cast<std::size_t>(site)];
}

bool is_in_time(const Outcome& outcome, Duration requirement) {
  return waiting_time(outcome.response, outcome.execution) <= requirement;
}

std::string done_text(const Outcome& outcome, Duration requirement) {
  return fmt::format("ran {}{}{}: execution {}, waiting {}, response {}, {} (requirement {})",
                     names_of(outcome.site).text, outcome.node.empty() ? "" : " on ",
                     hide_controls(outcome.node), format_duration(outcome.execution),
                     format_duration(waiting_time(outcome.response, outcome.execution)),
                     format_duration(outcome.response),
                     is_in_time(outcome, requirement) ? "in time" : "late",
                     format_duration(requirement));
}

}  // namespace

std::string outcome_text(const Outcome& outcome, std::string_view name, Duration requirement) {
  switch (outcome.kind) {
    case Outcome::Kind::done:
      return done_text(outcome, requirement);
    case Outcome::Kind::failed:
      return fmt::format("task '{}' failed: {}: {}", name, to_string(outcome.error.code),
                         hide_controls(outcome.error.message));
    case Outcome::Kind::lost:
      break;
  }
  if (outcome.interrupted_uid.empty()) return fmt::format("task '{}' is lost: no answer", name);
  return fmt::format(
      "task '{}' was interrupted, and may still run at the node: to ask for it again, "
      "send it with --uid {}",
      name, outcome.interrupted_uid);
}

std::string outcome_json(const Outcome& outcome, Duration requirement, std::string_view output) {
  std::string out;
  ObjectWriter writer(out);
  if (outcome.kind == Outcome::Kind::done) {
    writer.text("status", "done");
    if (output.empty()) writer.value("content", content_line(outcome));
    if (!output.empty()) writer.text("output", output);
    if (output.empty() && outcome.is_base64) writer.text("content_encoding", "base64");
    writer.text("process_by", names_of(outcome.site).process_by);
    if (!outcome.node.empty()) writer.text("node", outcome.node);
    writer.number("response_s", to_seconds(outcome.response));
    writer.number("waiting_s", to_seconds(waiting_time(outcome.response, outcome.execution)));
    writer.number("execution_s", to_seconds(outcome.execution));
    writer.value("in_time", is_in_time(outcome, requirement) ? "true" : "false");
  } else if (outcome.kind == Outcome::Kind::failed) {
    writer.text("status", "failed");
    ObjectWriter error(writer.begin("error"));
    error.text("code", to_string(outcome.error.code));
    error.text("message", outcome.error.message);
    error.end();
  } else {
    writer.text("status", "lost");
    if (!outcome.interrupted_uid.empty()) writer.text("task_uid", outcome.interrupted_uid);
  }
  writer.end();
  return out;
}

Result<std::string> content_bytes(const Outcome& outcome) {
  if (!outcome.is_base64) return content_line(outcome) + '\n';
  const auto text = json::read_string(outcome.content);
  auto bytes = text ? from_base64(*text) : std::nullopt;
  if (bytes) return std::move(*bytes);
  return failure(ErrorCode::invalid, "the result says that it is base64, and is not");
}

std::string content_line(const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::done) return "null";
  std::string line = outcome.content;
  // Only white space between tokens: inside a JSON string a line break is escaped.
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

std::string progress_text(const Statistics& so_far) {
  const auto rate = so_far.in_time_rate_so_far();
  return fmt::format("sent {}, done {}, failed {}, lost {}, in flight {}, in time {}",
                     so_far.sent(), so_far.done(), so_far.failed(), so_far.lost(),
                     so_far.in_flight(), rate ? percent_text(*rate) : "-");
}

}  // namespace fogctl
