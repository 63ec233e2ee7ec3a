#include "client/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/counted.hpp"
#include "json/object_writer.hpp"

namespace fogctl {
namespace {

constexpr std::size_t column_count = 14;
using Line = std::array<std::string, column_count>;

const Line upper_heading = {"", "", "",        "",   "",    "response", "",
                            "", "", "average", "in", "run", "neigh-",   ""};
const Line lower_heading = {"task", "sent", "done",    "failed", "lost",  "average", "p50",
                            "p99",  "max",  "waiting", "time",   "local", "bour",    "cloud"};

std::string percent_or_dash(std::optional<double> share) {
  return share ? percent_text(*share) : "-";
}

Line line_of(const std::string& name, const Statistics& statistics) {
  const Histogram& response = statistics.response();
  const auto time = [&](Duration length) {
    return response.count() == 0 ? "-" : format_duration(length);
  };
  return {name,
          fmt::to_string(statistics.sent()),
          fmt::to_string(statistics.done()),
          fmt::to_string(statistics.failed()),
          fmt::to_string(statistics.lost()),
          time(response.mean()),
          time(response.quantile(0.5)),
          time(response.quantile(0.99)),
          time(response.greatest()),
          time(statistics.mean_waiting().value_or(Duration::zero())),
          percent_or_dash(statistics.in_time_rate()),
          percent_or_dash(statistics.share_run(RanAt::local)),
          percent_or_dash(statistics.share_run(RanAt::neighbour)),
          percent_or_dash(statistics.share_run(RanAt::cloud))};
}

/// Lines aligned in columns: two spaces between them where that fits, else one; names are cut
/// where that is still too wide.
std::string align(std::vector<Line> lines) {
  constexpr std::size_t shortest_name = 8;
  std::array<std::size_t, column_count> widths{};
  std::size_t sum = 0;
  for (std::size_t column = 0; column < column_count; ++column) {
    for (const Line& line : lines) widths[column] = std::max(widths[column], line[column].size());
    sum += widths[column];
  }
  const std::size_t gap = sum + 2 * (column_count - 1) <= report_width ? 2 : 1;
  const std::size_t wide = sum + gap * (column_count - 1);
  const std::size_t excess = wide > report_width ? wide - report_width : 0;
  const std::size_t name_width =
      std::max(widths[0] - std::min(excess, widths[0]), std::min(widths[0], shortest_name));
  std::string text;
  for (Line& line : lines) {
    if (line[0].size() > name_width) line[0] = line[0].substr(0, name_width - 2) + "..";
    std::string aligned = fmt::format("{:<{}}", line[0], name_width);
    for (std::size_t column = 1; column < column_count; ++column) {
      aligned += fmt::format("{:>{}}", line[column], widths[column] + gap);
    }
    aligned.erase(aligned.find_last_not_of(' ') + 1);
    text += aligned + '\n';
  }
  return text;
}

std::string per_second_text(std::uint64_t count, Duration elapsed) {
  if (elapsed <= Duration::zero()) return "0";
  const double rate = static_cast<double>(count) / to_seconds(elapsed);
  return rate < 100 ? fmt::format("{:.3g}", rate) : fmt::format("{:.0f}", rate);
}

void write_figures(ObjectWriter& writer, const Statistics& statistics) {
  const Histogram& response = statistics.response();
  const auto seconds = [&](Duration length) {
    return response.count() == 0 ? std::nullopt : std::optional(to_seconds(length));
  };
  writer.count("sent", statistics.sent());
  writer.count("done", statistics.done());
  writer.count("failed", statistics.failed());
  writer.count("lost", statistics.lost());
  writer.number("response_average_s", seconds(response.mean()));
  writer.number("response_p50_s", seconds(response.quantile(0.5)));
  writer.number("response_p99_s", seconds(response.quantile(0.99)));
  writer.number("response_max_s", seconds(response.greatest()));
  writer.number("waiting_average_s", seconds(statistics.mean_waiting().value_or(Duration::zero())));
  writer.number("in_time_rate", statistics.in_time_rate());
  writer.number("local_share", statistics.share_run(RanAt::local));
  writer.number("neighbour_share", statistics.share_run(RanAt::neighbour));
  writer.number("cloud_share", statistics.share_run(RanAt::cloud));
}

/// Empty where the first connection did for all.
std::string again_text(const Report& report) {
  std::string text;
  if (report.sent_again + report.reconnects > 0) {
    text = fmt::format("sent again: {}; {}\n", counted(report.sent_again, "task"),
                       counted(report.reconnects, "reconnection"));
  }
  if (report.hedged > 0) {
    text += fmt::format("hedged: {}\n", counted(report.hedged, "task"));
  }
  return text;
}

}  // namespace

Statistics total_of(const Report& report) {
  Statistics total;
  for (const ClassReport& entry : report.classes) total.merge(entry.statistics);
  return total;
}

std::string table_text(const Report& report) {
  const Statistics total = total_of(report);
  std::vector<Line> lines = {upper_heading, lower_heading};
  for (const ClassReport& entry : report.classes) {
    lines.push_back(line_of(entry.name, entry.statistics));
  }
  if (report.classes.size() > 1) lines.push_back(line_of("total", total));
  return fmt::format("{}: {} in {}, {} done a second\n", report.address,
                     counted(total.sent(), "task"), format_duration(report.elapsed),
                     per_second_text(total.done(), report.elapsed)) +
         again_text(report) + align(std::move(lines));
}

std::string json_text(const Report& report) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("address", report.address);
  writer.number("elapsed_s", to_seconds(report.elapsed));
  writer.begin("classes") += '[';
  for (const ClassReport& entry : report.classes) {
    if (out.back() != '[') out += ',';
    ObjectWriter members(out);
    members.text("name", entry.name);
    if (entry.weight) {
      members.text("class", to_string(*entry.weight));
    } else {
      members.value("class", "null");
    }
    write_figures(members, entry.statistics);
    members.end();
  }
  out += ']';
  ObjectWriter total(writer.begin("total"));
  write_figures(total, total_of(report));
  total.end();
  ObjectWriter errors(writer.begin("errors"));
  for (const auto& [code, reason] : report.failures) errors.count(to_string(code), reason.count);
  errors.end();
  json::append_strings(writer.begin("failed_uids"), report.failed_uids);
  writer.count("late_answers", report.stray.late);
  writer.count("repeated_answers", report.stray.repeated);
  writer.count("unknown_answers", report.stray.unknown);
  writer.count("sent_again", report.sent_again);
  writer.count("reconnects", report.reconnects);
  writer.count("hedged", report.hedged);
  writer.count("node_errors", report.node_errors);
  writer.count("not_sent", report.not_sent);
  writer.end();
  out += '\n';
  return out;
}

std::vector<std::string> notes_on(const Report& report) {
  std::vector<std::string> notes;
  if (!report.ended_early.empty()) notes.push_back(report.ended_early);
  if (report.not_sent > 0) {
    notes.push_back(counted(report.not_sent, "task was not sent", "tasks were not sent"));
  }
  for (const auto& [code, reason] : report.failures) {
    notes.push_back(fmt::format("{} failed: {}: {}{}", counted(reason.count, "task"),
                                to_string(code), reason.count > 1 ? "the first: " : "",
                                reason.first_message));
  }
  if (const std::uint64_t lost = total_of(report).lost(); lost > 0) {
    notes.push_back(counted(lost, "task had no answer", "tasks had no answer"));
  }
  if (!report.failed_uids.empty()) {
    notes.push_back(fmt::format("the first of them, for 'fogctl explain': {}",
                                fmt::join(report.failed_uids, " ")));
  }
  if (report.node_errors > 0) {
    notes.push_back(fmt::format("the node sent {}", counted(report.node_errors, "error message")));
  }
  if (report.stray.late > 0) {
    notes.push_back(fmt::format("{} came after the time-out: those tasks count as lost",
                                counted(report.stray.late, "answer")));
  }
  if (report.stray.repeated > 0) {
    notes.push_back(counted(report.stray.repeated, "second answer to a task was ignored",
                            "second answers to tasks were ignored"));
  }
  if (report.stray.unknown > 0) {
    notes.push_back(counted(report.stray.unknown, "message that answers no task was ignored",
                            "messages that answer no task were ignored"));
  }
  return notes;
}

}  // namespace fogctl
