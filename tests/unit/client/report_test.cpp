#include "client/report.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "json/json.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Statistics figures(std::uint64_t sent, std::uint64_t done, Duration response) {
  Statistics statistics;
  for (std::uint64_t i = 0; i < sent; ++i) statistics.add_sent();
  for (std::uint64_t i = 0; i < done; ++i) {
    const RanAt site = i % 4 == 0 ? RanAt::cloud : i % 4 == 1 ? RanAt::neighbour : RanAt::local;
    statistics.add_done({response, 1ms, 200ms, site});
  }
  for (std::uint64_t i = done; i < sent; ++i) statistics.add_lost();
  return statistics;
}

Report two_classes() {
  Report report;
  report.address = "127.0.0.1:10000";
  report.elapsed = 60s;
  report.classes.push_back({"light", TaskClass::light, figures(200, 200, 11ms)});
  report.classes.push_back({"medium", TaskClass::medium, figures(40, 36, 1251ms)});
  return report;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("The table has a line for each class and one for the total") {
  const auto lines = lines_of(table_text(two_classes()));
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] == "127.0.0.1:10000: 240 tasks in 60s, 3.93 done a second");
  const auto words = [](const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) result.push_back(word);
    return result;
  };
  using Words = std::vector<std::string>;
  CHECK(words(lines[2]) == Words{"task", "sent", "done", "failed", "lost", "average", "p50", "p99",
                                 "max", "waiting", "time", "local", "bour", "cloud"});
  CHECK(words(lines[3]) == Words{"light", "200", "200", "0", "0", "11ms", "11ms", "11ms", "11ms",
                                 "10ms", "100%", "50.0%", "25.0%", "25.0%"});
  CHECK(words(lines[4]) == Words{"medium", "40", "36", "0", "4", "1.25s", "1.25s", "1.25s", "1.25s",
                                 "1.25s", "0%", "50.0%", "25.0%", "25.0%"});
  CHECK(words(lines[5])[0] == "total");
  CHECK(words(lines[5])[1] == "240");
}

TEST_CASE("One class has no total, and no figures where nothing is done") {
  Report report;
  report.address = "a:1";
  report.classes.push_back({"echo", TaskClass::light, figures(3, 0, 0s)});
  const auto lines = lines_of(table_text(report));
  REQUIRE(lines.size() == 4);
  CHECK(lines[3].find("0%") != std::string::npos);
  CHECK(std::ranges::count(lines[3], '-') == 8);
}

TEST_CASE("No line of the table is wider than 100 columns") {
  Report report;
  report.address = "127.0.0.1:10000";
  report.classes.push_back({std::string(64, 'n'), TaskClass::light, figures(1999999, 2, 119s)});
  report.classes.push_back({"x", TaskClass::heavy, figures(3000000, 3000000, 999us)});
  const auto lines = lines_of(table_text(report));
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(line.size() <= report_width);
  }
  CHECK(lines[3].find("nn..") != std::string::npos);
}

TEST_CASE("The JSON object has the same figures under stable names") {
  const std::string text = json_text(two_classes());
  CHECK(text.ends_with("}\n"));
  CHECK(std::ranges::count(text, '\n') == 1);
  json::Object object;
  REQUIRE(object.parse(text));
  std::vector<std::string> names;
  for (const json::Member& member : object.members()) names.emplace_back(member.name);
  CHECK(names == std::vector<std::string>{"address", "elapsed_s", "classes", "total", "errors",
                                          "failed_uids", "late_answers", "repeated_answers",
                                          "unknown_answers", "sent_again", "reconnects", "hedged",
                                          "node_errors", "not_sent"});
  json::Object total;
  REQUIRE(total.parse(*object.find("total")));
  names.clear();
  for (const json::Member& member : total.members()) names.emplace_back(member.name);
  CHECK(names == std::vector<std::string>{"sent", "done", "failed", "lost", "response_average_s",
                                          "response_p50_s", "response_p99_s", "response_max_s",
                                          "waiting_average_s", "in_time_rate", "local_share",
                                          "neighbour_share", "cloud_share"});
  CHECK(json::read_integer(*total.find("sent")) == 240);
  CHECK(*json::read_number(*total.find("in_time_rate")) == doctest::Approx(200.0 / 240));
  CHECK(object.find("classes")->starts_with(R"([{"name":"light","class":"light","sent":200,)"));
}

TEST_CASE("Where there is no figure, JSON has null") {
  Report report;
  report.classes.push_back({"echo", TaskClass::light, {}});
  const std::string text = json_text(report);
  CHECK(text.find(R"("response_p50_s":null)") != std::string::npos);
  CHECK(text.find(R"("waiting_average_s":null)") != std::string::npos);
  CHECK(text.find(R"("in_time_rate":null)") != std::string::npos);
}

TEST_CASE("What went wrong is told, and nothing where all went well") {
  Report report;
  report.classes.push_back({"echo", TaskClass::light, figures(2, 2, 1ms)});
  CHECK(notes_on(report).empty());
  report.classes.push_back({"x", TaskClass::light, figures(3, 2, 1ms)});
  report.ended_early = "the connection to a:1 broke: closed by peer";
  report.not_sent = 2;
  report.failures[TaskErrorCode::unknown_task] = {5, "no handler 'x'"};
  report.stray = {.late = 1, .repeated = 2, .unknown = 3};
  report.failed_uids = {"ab1", "ab2"};
  report.node_errors = 1;
  CHECK(notes_on(report) ==
        std::vector<std::string>{
            "the connection to a:1 broke: closed by peer", "2 tasks were not sent",
            "5 tasks failed: unknown_task: the first: no handler 'x'", "1 task had no answer",
            "the first of them, for 'fogctl explain': ab1 ab2", "the node sent 1 error message",
            "1 answer came after the time-out: those tasks count as lost",
            "2 second answers to tasks were ignored",
            "3 messages that answer no task were ignored"});
  CHECK(json_text(report).find(R"("failed_uids":["ab1","ab2"],)") != std::string::npos);
}

TEST_CASE("What was sent again is told, in the table only where there was any") {
  Report report = two_classes();
  CHECK(table_text(report).find("sent again") == std::string::npos);
  CHECK(json_text(report).find("\"sent_again\":0,\"reconnects\":0") != std::string::npos);
  report.hedged = 3;
  CHECK(lines_of(table_text(report))[1] == "hedged: 3 tasks");
  CHECK(json_text(report).find("\"hedged\":3") != std::string::npos);
  report.sent_again = 12;
  report.reconnects = 1;
  CHECK(lines_of(table_text(report))[1] == "sent again: 12 tasks; 1 reconnection");
  CHECK(json_text(report).find("\"sent_again\":12,\"reconnects\":1") != std::string::npos);
}

}  // namespace
}  // namespace fogctl
