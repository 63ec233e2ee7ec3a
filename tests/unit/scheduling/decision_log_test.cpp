#include "scheduling/decision_log.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

void decide(DecisionLog& log, std::string_view uid, Instant at = start) {
  log.add(at).uid.set(uid);
}

SeenPlace neighbour(PeerId link, float age = 0) {
  SeenPlace place;
  place.site = Site::neighbour;
  place.link = link;
  place.age = age;
  return place;
}

TEST_CASE("Decisions about a task come back with their places, the oldest first") {
  DecisionLog log(10);
  decide(log, "a");
  log.see({});
  decide(log, "b");
  decide(log, "a", start + 1s);
  const auto found = log.of("a", start + 2s);
  REQUIRE(found.size() == 2);
  CHECK(found[0].decision.at == start);
  CHECK(found[0].places.size() == 1);
  CHECK(found[1].decision.at == start + 1s);
  CHECK(found[1].places.empty());
  CHECK(log.of("c", start).empty());
}

TEST_CASE("The last decisions are kept, so many, and no longer than an hour") {
  DecisionLog log(3);
  for (int i = 0; i < 5; ++i) decide(log, fmt::format("t{}", i), start + i * 1s);
  CHECK(log.of("t1", start + 5s).empty());
  CHECK(log.find(2) == nullptr);
  REQUIRE(log.find(3) != nullptr);
  CHECK(log.find(3)->uid.text() == "t2");
  CHECK(log.find(0) == nullptr);
  CHECK(log.of("t2", start + 5s).size() == 1);
  CHECK(log.of("t2", start + 2s + 1h).size() == 1);
  CHECK(log.of("t2", start + 3s + 1h).empty());
}

TEST_CASE("Neighbours that did not change are kept once, and age from decision to decision") {
  DecisionLog log(10);
  decide(log, "a");
  log.see_neighbours(std::vector{neighbour(7, .5F), neighbour(8, 0)});
  decide(log, "b", start + 2s);
  log.see({});
  log.see_neighbours_again();
  const auto found = log.of("b", start + 2s);
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].places.size() == 3);
  CHECK(found[0].places[1].link == 7);
  CHECK(found[0].places[1].age == doctest::Approx(2.5));
  CHECK(log.of("a", start + 2s)[0].places[0].age == doctest::Approx(.5));
}

TEST_CASE("A decision whose places were overwritten is forgotten, not mixed up with others") {
  DecisionLog log(10'000);
  const std::vector<SeenPlace> many(1000, neighbour(1));
  decide(log, "first");
  log.see_neighbours(many);
  std::size_t decisions = 1;
  for (; decisions * many.size() <= DecisionLog::most_places; ++decisions) {
    decide(log, "other");
    log.see_neighbours(many);
  }
  CHECK(log.of("first", start).empty());
  CHECK(log.of("other", start).size() == decisions - 1);
  CHECK(log.keeps_neighbours());
}

TEST_CASE("Neighbours of long ago are to be told again before they are overwritten") {
  DecisionLog log(10);
  decide(log, "a");
  log.see_neighbours(std::vector{neighbour(7)});
  std::size_t decisions = 0;
  for (; log.keeps_neighbours() && decisions < DecisionLog::most_places; ++decisions) {
    decide(log, "b");
    log.see({});
  }
  CHECK(decisions > 100);
  CHECK(decisions < DecisionLog::most_places);
}

TEST_CASE("After a million decisions the last ones are there, each with its own places") {
  constexpr std::size_t most = 10'000;
  constexpr int decisions = 1'000'000;
  DecisionLog log(most);
  for (int i = 1; i <= decisions; ++i) {
    decide(log, fmt::format("t{}", i), start + i * 1ms);
    SeenPlace here;
    here.wait = static_cast<float>(i);
    log.see(here);
    if (i % 100 == 0 || !log.keeps_neighbours()) {
      log.see_neighbours(std::vector(24, neighbour(static_cast<PeerId>(i))));
    } else {
      log.see_neighbours_again();
    }
  }
  const Instant now = start + decisions * 1ms;
  CHECK(log.of(fmt::format("t{}", decisions - 10'000), now).empty());
  for (const int i : {decisions - 9'999, decisions - 5'050, decisions}) {
    const auto found = log.of(fmt::format("t{}", i), now);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].places.size() == 25);
    CHECK(found[0].places[0].wait == static_cast<float>(i));
    CHECK(found[0].places[24].link == static_cast<PeerId>(i - i % 100));
  }
}

TEST_CASE("The longest uid is kept whole") {
  const std::string uid(64, 'x');
  DecisionLog log(2);
  decide(log, uid);
  REQUIRE(log.of(uid, start).size() == 1);
  CHECK(log.of(uid.substr(1), start).empty());
}

}  // namespace
}  // namespace fogctl
