#include "client/statistics.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Where a task ran follows from process_by, else from its hops") {
  struct Case {
    std::string_view process_by;
    int offload_times;
    RanAt site;
  };
  const Case cases[] = {
      {"local", 0, RanAt::local}, {"fog", 1, RanAt::neighbour},   {"cloud", 0, RanAt::cloud},
      {"cloud", 2, RanAt::cloud}, {"f", 0, RanAt::local},         {"f", 1, RanAt::neighbour},
      {"", 0, RanAt::local},      {"elsewhere", 0, RanAt::local},
  };
  for (const Case& row : cases) {
    CAPTURE(row.process_by);
    CHECK(site_of(row.process_by, row.offload_times) == row.site);
  }
}

TEST_CASE("Waiting time is response time less execution time, and never negative") {
  CHECK(waiting_time(5s, 2s) == 3s);
  CHECK(waiting_time(2s, 5s) == 0s);
}

TEST_CASE("A task is in time up to and at its requirement") {
  struct Case {
    const char* name;
    Duration response;
    Duration execution;
    std::uint64_t in_time;
  };
  const Case cases[] = {{"exactly", 3s, 1s, 1},
                        {"a nanosecond more", 3s + 1ns, 1s, 0},
                        {"long execution does not count", 60s, 59s, 1},
                        {"a clock that runs fast there", 1s, 2s, 1}};
  for (const Case& row : cases) {
    CAPTURE(row.name);
    Statistics statistics;
    statistics.add_sent();
    statistics.add_done({row.response, row.execution, 2s, RanAt::local});
    CHECK(statistics.in_time() == row.in_time);
  }
}

Statistics some_figures() {
  Statistics statistics;
  for (int i = 0; i < 8; ++i) statistics.add_sent();
  statistics.add_done({100ms, 60ms, 200ms, RanAt::local});
  statistics.add_done({500ms, 100ms, 200ms, RanAt::neighbour});
  statistics.add_done({200ms, 100ms, 200ms, RanAt::cloud});
  statistics.add_done({100ms, 100ms, 200ms, RanAt::local});
  statistics.add_failed();
  statistics.add_lost();
  statistics.add_lost();
  return statistics;
}

TEST_CASE("Counts add up, and what has no fate yet is in flight") {
  const Statistics statistics = some_figures();
  CHECK(statistics.sent() == 8);
  CHECK(statistics.done() == 4);
  CHECK(statistics.failed() == 1);
  CHECK(statistics.lost() == 2);
  CHECK(statistics.in_flight() == 1);
}

TEST_CASE("The in-time rate is over the tasks sent, the one so far over those with a fate") {
  const Statistics statistics = some_figures();
  CHECK(*statistics.in_time_rate() == doctest::Approx(3.0 / 8));
  CHECK(*statistics.in_time_rate_so_far() == doctest::Approx(3.0 / 7));
}

TEST_CASE("Waiting and the shares of sites are over the tasks that are done") {
  const Statistics statistics = some_figures();
  CHECK(*statistics.mean_waiting() == Duration(135ms));
  CHECK(*statistics.share_run(RanAt::local) == doctest::Approx(0.5));
  CHECK(*statistics.share_run(RanAt::neighbour) == doctest::Approx(0.25));
  CHECK(*statistics.share_run(RanAt::cloud) == doctest::Approx(0.25));
}

TEST_CASE("With nothing to divide by there is no rate, share or mean") {
  const Statistics statistics;
  CHECK_FALSE(statistics.in_time_rate());
  CHECK_FALSE(statistics.in_time_rate_so_far());
  CHECK_FALSE(statistics.mean_waiting());
  CHECK_FALSE(statistics.share_run(RanAt::cloud));
}

TEST_CASE("Merged statistics are those of all tasks together") {
  Statistics total = some_figures();
  total.merge(some_figures());
  CHECK(total.sent() == 16);
  CHECK(total.done() == 8);
  CHECK(total.failed() == 2);
  CHECK(total.lost() == 4);
  CHECK(total.in_flight() == 2);
  CHECK(total.in_time() == 6);
  CHECK(*total.mean_waiting() == Duration(135ms));
  CHECK(*total.share_run(RanAt::neighbour) == doctest::Approx(0.25));
}

TEST_CASE("A percentage is cut, never rounded up") {
  struct Case {
    double share;
    std::string_view text;
  };
  const Case cases[] = {{1, "100%"},        {0.99999, "99.9%"}, {0.983, "98.3%"}, {0.5, "50.0%"},
                        {1.0 / 3, "33.3%"}, {0.0009, "0.0%"},   {0, "0%"}};
  for (const Case& row : cases) CHECK(percent_text(row.share) == row.text);
}

}  // namespace
}  // namespace fogctl
