// The simulator against queueing theory: each known system within 1 % or three standard errors of
// what is published. Expected values are the formulas', or of the table that a case names.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "simulation/queueing_model.hpp"

namespace {

using namespace fogctl;
using namespace fogctl::support;
using Kind = sim::ExecutionShape::Kind;

constexpr std::uint64_t repetitions = 8;

/// Several runs of a system, each with a seed of its own.
class Runs {
 public:
  explicit Runs(const QueueingSystem& system) {
    for (std::uint64_t seed = 1; seed <= repetitions; ++seed) {
      runs_.push_back(run_queueing(system, seed * 7919));
    }
  }

  /// What was seen is as expected, within `share` of it or three standard errors.
  void check(double QueueingRun::* figure, double expected, double share = .01) const {
    double mean = 0;
    for (const QueueingRun& run : runs_) mean += run.*figure / repetitions;
    double squares = 0;
    for (const QueueingRun& run : runs_) squares += (run.*figure - mean) * (run.*figure - mean);
    const double error = std::sqrt(squares / (repetitions - 1) / repetitions);
    CAPTURE(mean);
    CAPTURE(expected);
    CAPTURE(error);
    CHECK(std::abs(mean - expected) <= std::max(share * expected, 3 * error));
  }

 private:
  std::vector<QueueingRun> runs_;
};

/// The probability that one of M/M/c waits (Erlang C).
double erlang_c(std::size_t servers, double load) {
  const double offered = load * static_cast<double>(servers);
  double blocked = 1;  // Erlang B
  for (std::size_t k = 1; k <= servers; ++k) {
    blocked = offered * blocked / (static_cast<double>(k) + offered * blocked);
  }
  return blocked / (1 - load * (1 - blocked));
}

QueueingSystem servers_of(std::size_t servers, double load) {
  QueueingSystem system;
  system.servers = servers;
  system.load = load;
  system.tasks = load > .92 ? 300'000 : 150'000;
  return system;
}

TEST_CASE("M/M/c: response, waiting and the share that waits are Erlang's") {
  for (const std::size_t servers : {1, 4, 10, 20}) {
    for (const double load : {.5, .8, .9, .95}) {
      CAPTURE(servers);
      CAPTURE(load);
      const auto c = static_cast<double>(servers);
      const double waits = erlang_c(servers, load);
      const double wait = waits / (c * (1 - load));
      const Runs runs(servers_of(servers, load));
      runs.check(&QueueingRun::delayed, waits);
      runs.check(&QueueingRun::wait, wait);
      runs.check(&QueueingRun::response, wait + 1);
      const double longer = waits * std::exp(-c * (1 - load));
      if (longer > 1e-4) runs.check(&QueueingRun::long_wait, longer);  // else too rare to be seen
    }
  }
}

TEST_CASE("the table of M/M/c that the formulas above are held against") {
  CHECK(erlang_c(4, .9) == doctest::Approx(.78775).epsilon(1e-4));
  CHECK(erlang_c(10, .95) == doctest::Approx(.82559).epsilon(1e-4));
  CHECK(erlang_c(20, .8) == doctest::Approx(.25608).epsilon(1e-4));
}

TEST_CASE("M/G/1: waiting is Pollaczek and Khinchine's") {
  struct Row {
    sim::ExecutionShape service;
    double squared_variation;
  };
  const Row rows[] = {
      {{.kind = Kind::constant}, 0},
      {{.kind = Kind::lognormal, .variation = .5}, .25},
      {{.kind = Kind::lognormal, .variation = 1.5}, 2.25},
  };
  for (const Row& row : rows) {
    for (const double load : {.5, .8, .9}) {
      CAPTURE(row.squared_variation);
      CAPTURE(load);
      QueueingSystem system = servers_of(1, load);
      system.service = row.service;
      Runs(system).check(&QueueingRun::wait, load * (1 + row.squared_variation) / (2 * (1 - load)));
    }
  }
}

TEST_CASE("who does not start in time and goes away is as often there as is known") {
  struct Row {
    std::size_t servers;
    double load;
    double patience;
    double lost;
  };
  const Row rows[] = {
      {1, .9, 4, .1320}, {4, .9, 1, .10063}, {4, .95, 2, .06910}, {10, .9, .5, .06388}};
  for (const Row& row : rows) {
    CAPTURE(row.servers);
    CAPTURE(row.load);
    QueueingSystem system = servers_of(row.servers, row.load);
    system.patience = from_seconds(row.patience);
    Runs(system).check(&QueueingRun::lost, row.lost);
  }
}

/// Mean tasks a server, drawn with replacement (Gast and Van Houdt, 2017).
TEST_CASE("the shorter of two queues drawn with replacement") {
  struct Row {
    double load;
    double tasks[4];  // at 10, 20, 50 and 100 stations
  };
  const Row rows[] = {{.70, {1.2193, 1.1737, 1.1471, 1.1387}},
                      {.80, {1.7299, 1.6406, 1.5911, 1.5739}},
                      {.90, {2.8003, 2.5662, 2.4350, 2.3931}},
                      {.95, {4.2993, 3.7123, 3.3983, 3.3066}}};
  const std::size_t sizes[] = {10, 20, 50, 100};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(row.load);
      CAPTURE(sizes[i]);
      QueueingSystem system;
      system.stations = sizes[i];
      system.load = row.load;
      system.choices = 2;
      system.tasks = 200'000;
      const double share = sizes[i] == 10 ? .015 : .01;
      Runs(system).check(&QueueingRun::response, row.tasks[i] / row.load, share);
    }
  }
}

/// The study that is cited in the architecture had one run a row; hence 5 %.
TEST_CASE("the least loaded by a board that is old is worse than a random one") {
  struct Row {
    double every;
    double response;
  };
  const Row rows[] = {{.1, 1.51}, {1, 3.91}, {5, 11.7}, {10, 21.8}};
  for (const Row& row : rows) {
    CAPTURE(row.every);
    QueueingSystem system;
    system.stations = 100;
    system.dispatch = Dispatch::stale_board;
    system.board_every = from_seconds(row.every);
    system.tasks = 100'000;
    Runs(system).check(&QueueingRun::response, row.response, .05);
  }
}

TEST_CASE("tied copies start each task when joining the least work would") {
  for (const std::size_t choices : {2, 3}) {
    QueueingSystem system;
    system.stations = 10;
    system.choices = choices;
    system.tasks = 50'000;
    system.keeps_starts = true;
    system.dispatch = Dispatch::tied_copies;
    const auto copies = run_queueing(system, 5).starts;
    system.dispatch = Dispatch::least_work;
    CHECK(copies == run_queueing(system, 5).starts);
    system.dispatch = Dispatch::one_of_drawn;
    CHECK(copies != run_queueing(system, 5).starts);
  }
}

}  // namespace
