#include "cli/decision_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/time.hpp"
#include "cli/report_fields.hpp"
#include "cli/table.hpp"

namespace fogctl::cli {
namespace {

/// "here (one)", "neighbour two", "cloud above".
std::string place_of(const json::Object& place) {
  const std::string site = text_of(place, "site");
  const std::string name = text_of(place, "name", "that is gone");
  return site == "here" ? fmt::format("here ({})", name) : fmt::format("{} {}", site, name);
}

Row row_of(const json::Object& place) {
  const auto headroom = number_of(place, "headroom");
  return {place_of(place),
          length_of(place, "expected_wait"),
          length_of(place, "link_delay"),
          length_of(place, "expected_run"),
          length_of(place, "state_age"),
          headroom ? signed_length(*headroom) : "-",
          text_of(place, "verdict"),
          text_of(place, "why")};
}

std::string table_of(const json::Object& decision) {
  std::vector<Row> rows = {
      {"  place", "waits", "link", "runs", "age", "to spare", "verdict", "why"}};
  for (const json::Object& place : objects_of(decision, "candidates")) {
    rows.push_back(row_of(place));
    rows.back().front().insert(0, "  ");
  }
  return rows.size() > 1 ? table_text(rows, {.left = 1, .ends_in_text = true}) : "  no place\n";
}

/// "at once", "after 4ms".
std::string moment_of(const json::Object& copy) {
  return number_of(copy, "after").value_or(0) > 0 ? "after " + length_of(copy, "after") : "at once";
}

std::string copies_of(const json::Object& decision) {
  std::string text;
  for (const json::Object& copy : objects_of(decision, "copies")) {
    std::string fate = text_of(copy, "fate");
    std::ranges::replace(fate, '_', ' ');
    text += fmt::format("  copy: {} {}, expected: waits {}; {}\n", place_of(copy), moment_of(copy),
                        length_of(copy, "expected_wait"), fate);
  }
  return text;
}

std::string outcome_of(const json::Object& decision) {
  const auto outcome = object_of(decision, "outcome");
  if (!outcome) return "";
  const std::string error = text_of(*outcome, "error", "");
  const std::string node = text_of(*outcome, "node", "");
  std::string text = fmt::format("  came: waited {}", length_of(*outcome, "waited"));
  if (!error.empty()) {
    return text + fmt::format(", then ended at {}: {}\n", node.empty() ? "?" : node, error);
  }
  text += fmt::format(", ran {} at {}, ", length_of(*outcome, "execution_time"), node);
  text += flag_of(*outcome, "in_time") ? "in time\n" : "late\n";
  return text;
}

/// Where another policy would have sent it; empty: none was asked.
std::string shadow_of(const json::Object& decision) {
  const auto shadow = object_of(decision, "shadow");
  if (!shadow) return "";
  const bool is_placed = !text_of(*shadow, "site", "").empty();
  std::string where = is_placed ? place_of(*shadow) : "nowhere";
  for (const json::Object& copy : objects_of(*shadow, "copies")) {
    where += ", a copy at " + place_of(copy);
  }
  return fmt::format("  shadow {}: {}{}, {}\n", text_of(*shadow, "policy"), where,
                     flag_of(*shadow, "differs") ? "" : ", too", text_of(*shadow, "reason"));
}

}  // namespace

std::string signed_length(double seconds) {
  return (seconds < 0 ? '-' : '+') + format_duration(from_seconds(std::abs(seconds)));
}

std::string decision_text(const json::Object& decision) {
  const bool is_placed = !text_of(decision, "site", "").empty();
  std::string text =
      fmt::format("{} ({}) to start within {}, by {}: {}\n  {}\n", text_of(decision, "task_name"),
                  text_of(decision, "class"), length_of(decision, "time_requirement"),
                  text_of(decision, "policy"), is_placed ? place_of(decision) : "nowhere",
                  text_of(decision, "reason"));
  text += table_of(decision);
  if (is_placed) {
    text += fmt::format("  expected: waits {}, after {} before\n",
                        length_of(decision, "expected_wait"), length_of(decision, "waited"));
  }
  text += copies_of(decision);
  text += shadow_of(decision);
  if (flag_of(decision, "placed_again")) text += "  it was placed again:\n";
  return text + outcome_of(decision);
}

}  // namespace fogctl::cli
