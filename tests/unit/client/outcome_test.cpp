#include "client/outcome.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Outcome done_outcome() {
  Outcome outcome;
  outcome.id = 1;
  outcome.kind = Outcome::Kind::done;
  outcome.content = "{\"a\":\n1}";
  outcome.node = "fog-1";
  outcome.response = 1500ms;
  outcome.execution = 1s;
  outcome.site = RanAt::cloud;
  return outcome;
}

Outcome failed_outcome() {
  Outcome outcome;
  outcome.kind = Outcome::Kind::failed;
  outcome.error = {TaskErrorCode::unknown_task, "no handler 'x'"};
  return outcome;
}

TEST_CASE("A person reads where a task ran, its times, and whether it was in time") {
  CHECK(outcome_text(done_outcome(), "x", 2s) ==
        "ran in the cloud on fog-1: execution 1s, waiting 500ms, response 1.5s, in time "
        "(requirement 2s)");
  CHECK(outcome_text(done_outcome(), "x", 200ms).find(", late (requirement 200ms)") !=
        std::string::npos);
  CHECK(outcome_text(failed_outcome(), "x", 2s) == "task 'x' failed: unknown_task: no handler 'x'");
  CHECK(outcome_text(Outcome{}, "x", 2s) == "task 'x' is lost: no answer");
}

TEST_CASE("What was interrupted may still run, and is named so that it can be asked for") {
  Outcome outcome;
  outcome.interrupted_uid = "u-1";
  CHECK(outcome_text(outcome, "x", 2s) ==
        "task 'x' was interrupted, and may still run at the node: to ask for it again, send it "
        "with --uid u-1");
  CHECK(outcome_json(outcome, 2s) == R"({"status":"lost","task_uid":"u-1"})");
}

TEST_CASE("What a node sent does nothing to a terminal") {
  Outcome outcome = done_outcome();
  outcome.node = "fog\x1b[31m\n";
  CHECK(outcome_text(outcome, "x", 2s).starts_with("ran in the cloud on fog?[31m?: execution"));
  outcome = failed_outcome();
  outcome.error.message = "a\nb\x07";
  CHECK(outcome_text(outcome, "x", 2s) == "task 'x' failed: unknown_task: a?b?");
}

TEST_CASE("A program reads the same from one JSON object") {
  CHECK(outcome_json(done_outcome(), 2s) ==
        R"({"status":"done","content":{"a": 1},"process_by":"cloud","node":"fog-1",)"
        R"("response_s":1.5,"waiting_s":0.5,"execution_s":1,"in_time":true})");
  CHECK(outcome_json(failed_outcome(), 2s) ==
        R"({"status":"failed","error":{"code":"unknown_task","message":"no handler 'x'"}})");
  CHECK(outcome_json(Outcome{}, 2s) == R"({"status":"lost"})");
}

TEST_CASE("A result in base64 says so, and a file gets the bytes that it stands for") {
  Outcome outcome = done_outcome();
  CHECK(content_bytes(outcome) == "{\"a\": 1}\n");
  outcome.content = R"("AP/+")";
  outcome.is_base64 = true;
  CHECK(outcome_json(outcome, 2s).find(R"("content":"AP/+","content_encoding":"base64",)") !=
        std::string::npos);
  const std::string to_file = outcome_json(outcome, 2s, "out.png");
  CHECK(to_file.starts_with(R"({"status":"done","output":"out.png","process_by")"));
  CHECK(content_bytes(outcome) == std::string("\0\xff\xfe", 3));
  for (const char* wrong : {R"("AP/")", "7", "null"}) {
    CAPTURE(wrong);
    outcome.content = wrong;
    CHECK_FALSE(content_bytes(outcome).has_value());
  }
}

TEST_CASE("A result is one line, and null where there is none") {
  CHECK(content_line(done_outcome()) == "{\"a\": 1}");
  CHECK(content_line(failed_outcome()) == "null");
}

TEST_CASE("Progress counts what was sent and what became of it") {
  Statistics statistics;
  CHECK(progress_text(statistics) == "sent 0, done 0, failed 0, lost 0, in flight 0, in time -");
  for (int i = 0; i < 5; ++i) statistics.add_sent();
  statistics.add_done({1s, 1s, 1s, RanAt::local});
  statistics.add_failed();
  statistics.add_lost();
  CHECK(progress_text(statistics) ==
        "sent 5, done 1, failed 1, lost 1, in flight 2, in time 33.3%");
}

}  // namespace
}  // namespace fogctl
