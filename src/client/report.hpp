// What a client prints at its end: a table for a person, or one JSON object with the same figures,
// and notes on what went wrong. Pure: a report in, text out. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "client/outstanding.hpp"
#include "client/statistics.hpp"
#include "task/task.hpp"

namespace fogctl {

struct ClassReport {
  std::string name;                 // of the task
  std::optional<TaskClass> weight;  // none: nobody said
  Statistics statistics;
};

struct FailureReason {
  std::uint64_t count = 0;
  std::string first_message;
};

struct Report {
  std::string address;  // of the node that was connected to first
  Duration elapsed{};   // from the first task sent to the last fate known
  std::vector<ClassReport> classes;
  std::map<TaskErrorCode, FailureReason> failures;
  std::vector<std::string> failed_uids;  // of a load: the first tasks that failed or were lost
  StrayAnswers stray;
  std::uint64_t node_errors = 0;  // `error` messages from the node
  std::uint64_t sent_again = 0;   // tasks that were sent more than once
  std::uint64_t hedged = 0;       // tasks that a second node got, since the first was silent
  std::uint64_t reconnects = 0;   // connections after the first
  std::uint64_t not_sent = 0;     // tasks that were due, or asked for, and not sent
  std::string ended_early;        // why, or empty
};

inline constexpr std::size_t most_failed_uids = 10;

[[nodiscard]] Statistics total_of(const Report& report);

inline constexpr std::size_t report_width = 100;
/// A line on the whole, one on what was sent again where that was so, two of headings, a line for
/// each class, and one for the total of several; no line longer than `report_width` while counts
/// have no more than 7 digits.
[[nodiscard]] std::string table_text(const Report& report);

/// One line. Times in seconds (…_s), shares and rates from 0 to 1, null where there is none.
[[nodiscard]] std::string json_text(const Report& report);

/// What a person should know beside the figures, a sentence each.
[[nodiscard]] std::vector<std::string> notes_on(const Report& report);

}  // namespace fogctl
