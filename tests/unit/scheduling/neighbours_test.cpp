#include "scheduling/neighbours.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using support::fogctl_node;
using support::original_node;

constexpr Instant start{1000s};

NodeState state_with(std::optional<Duration> wait) {
  NodeState state;
  state.expected_wait = wait;
  return state;
}

/// Neighbours of the node `m`, each of which said that a task waits 1 ms there.
struct Known {
  explicit Known(std::size_t most = 32, Duration interval = 1s)
      : neighbours({"m", interval, most}) {}

  Neighbour& add(PeerId link, const NeighbourIdentity& who) {
    neighbours.add(link, who, start);
    Neighbour& added = *neighbours.find(link);
    added.state = state_with(1ms);
    added.has_state = true;
    added.state_at = start;
    return added;
  }
  Neighbour& add(PeerId link, const std::string& node, Duration delay) {
    Neighbour& added = add(link, fogctl_node(node));
    added.delay = delay;
    return added;
  }
  [[nodiscard]] bool is_candidate(PeerId link, Instant now = start) {
    return !neighbours.why_none(*neighbours.find(link), now);
  }

  Neighbours neighbours;
};

TEST_CASE("Neighbours are found by link and by id, and are sorted by id") {
  Known known;
  known.add(3, fogctl_node("c"));
  known.add(4, fogctl_node("a"));
  known.add(5, original_node("b"));
  REQUIRE(known.neighbours.all().size() == 3);
  CHECK(known.neighbours.all()[0].link == 4);
  CHECK(known.neighbours.all()[1].link == 5);
  CHECK(known.neighbours.all()[2].link == 3);
  CHECK(known.neighbours.find(PeerId{3})->who.name == "fog-c");
  CHECK(known.neighbours.find("b")->link == 5);
  CHECK(known.neighbours.find("bb") == nullptr);
  CHECK(known.neighbours.find("d") == nullptr);
  CHECK(known.neighbours.find(PeerId{9}) == nullptr);

  known.neighbours.remove(5);
  known.neighbours.remove(9);
  CHECK(known.neighbours.find("b") == nullptr);
  CHECK(known.neighbours.all().size() == 2);
}

/// The link that takes tasks at the node `own`, which hears of two links to `other` in this order.
/// A link's number is who opened it, by the one letter of its id.
PeerId link_that_stays(const std::string& own, const std::string& other,
                       std::pair<PeerId, PeerId> order) {
  Neighbours neighbours({own, 1s, 32});
  const auto opener = static_cast<PeerId>(own.front());
  for (const PeerId link : {order.first, order.second}) {
    neighbours.add(link, fogctl_node(other, link == opener), start);
  }
  CHECK(neighbours.all().size() == 2);
  CHECK(neighbours.all()[0].is_retired != neighbours.all()[1].is_retired);
  REQUIRE(neighbours.find(other) != nullptr);
  return neighbours.find(other)->link;
}

TEST_CASE("Of two links between two nodes, both keep the one that the smaller id opened") {
  for (const auto& at_a : {std::pair<PeerId, PeerId>{'a', 'b'}, {'b', 'a'}}) {
    CHECK(link_that_stays("a", "b", at_a) == 'a');
    CHECK(link_that_stays("b", "a", at_a) == 'a');
  }
}

TEST_CASE("Of two links that the same node opened, the newer one stays at both ends") {
  for (const bool is_opened_here : {true, false}) {
    for (const std::string other : {"a", "z"}) {
      Known known;
      known.add(8, fogctl_node(other, is_opened_here));
      known.add(7, fogctl_node(other, is_opened_here));
      CHECK(known.neighbours.find(other)->link == 7);
      CHECK(known.neighbours.find(PeerId{8})->is_retired);
    }
  }
}

TEST_CASE("Of two links to an original neighbour the newer one stays, whoever opened it") {
  for (const bool is_older_opened_here : {true, false}) {
    for (const bool is_newer_opened_here : {true, false}) {
      Known known;
      NeighbourIdentity who = original_node("10.0.0.9");
      who.is_opened_here = is_older_opened_here;
      known.add(8, who);
      who.is_opened_here = is_newer_opened_here;
      known.add(7, who);
      CHECK(known.neighbours.find("10.0.0.9")->link == 7);
      CHECK(known.neighbours.find(PeerId{8})->is_retired);
    }
  }
}

TEST_CASE("Links to different nodes stay all, original ones at different addresses too") {
  Known known;
  known.add(1, fogctl_node("a"));
  known.add(2, fogctl_node("b"));
  known.add(3, original_node("10.0.0.8"));
  known.add(4, original_node("10.0.0.9"));
  for (const Neighbour& neighbour : known.neighbours.all()) CHECK_FALSE(neighbour.is_retired);
}

TEST_CASE("A second link takes over when the one that stayed goes: a node that woke up sees both") {
  Known known;
  known.add(1, fogctl_node("a", false));
  known.add(2, fogctl_node("a", true));
  CHECK(known.neighbours.find("a")->link == 1);  // `a` is smaller than `m`
  known.neighbours.remove(1);
  REQUIRE(known.neighbours.find("a") != nullptr);
  CHECK(known.neighbours.find("a")->link == 2);
  CHECK_FALSE(known.neighbours.find("a")->is_second);
  known.add(3, fogctl_node("a", true));
  CHECK(known.neighbours.find("a")->link == 3);
}

TEST_CASE("A link that is retired for another reason does not take over") {
  Known known;
  known.add(1, fogctl_node("a", true));
  known.neighbours.find(PeerId{1})->is_retired = true;  // its peer said that it leaves
  known.add(2, fogctl_node("a", true));
  known.neighbours.remove(2);
  CHECK(known.neighbours.find("a") == nullptr);
}

TEST_CASE("A neighbour is a place for a task with what it said of itself") {
  Known known;
  Neighbour& fogctl = known.add(1, "a", 3ms);
  fogctl.state.workers = 3;
  Candidate place;
  Neighbours::describe(fogctl, start + 2s, place);
  CHECK(place.site == Site::neighbour);
  CHECK(place.node == "a");
  CHECK(place.address == "10.0.0.a");
  CHECK_FALSE(place.is_original);
  CHECK(place.expected_wait == 1ms);
  CHECK(place.link_delay == 3ms);
  CHECK(place.report_age == 2s);
  CHECK(place.workers == 3);

  Candidate other;
  Neighbours::describe(known.add(2, original_node("10.0.0.9")), start, other);
  CHECK(other.node == "10.0.0.9");
  CHECK(other.is_original);
  CHECK(other.link_delay == 0ms);
}

TEST_CASE("A neighbour is no place for a task while it takes none") {
  struct Row {
    const char* name;
    void (*change)(Neighbour& neighbour);
    bool is_candidate;
  };
  constexpr Row rows[] = {
      {"as it was", [](Neighbour&) {}, true},
      {"retired", [](Neighbour& n) { n.is_retired = true; }, false},
      {"without a state", [](Neighbour& n) { n.has_state = false; }, false},
      {"with a state that takes no task", [](Neighbour& n) { n.state = state_with({}); }, false},
      {"with a state of three intervals ago", [](Neighbour& n) { n.state_at = start - 3s; }, true},
      {"with an older one", [](Neighbour& n) { n.state_at = start - 3s - 1ns; }, false},
      {"with an older one that was heard since",
       [](Neighbour& n) {
         n.state_at = start - 4s;
         n.heard_at = start;
       },
       false},
      {"that shares more seldom than this node",
       [](Neighbour& n) {
         n.state.sharing_interval = 5s;
         n.state_at = start - 15s;
       },
       true},
      {"that shares more often than this node",
       [](Neighbour& n) {
         n.state.sharing_interval = 10ms;
         n.state_at = start - 3s;
       },
       true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Known known;
    row.change(known.add(1, fogctl_node("a")));
    CHECK(known.is_candidate(1) == row.is_candidate);
  }
}

TEST_CASE("A neighbour is silent when nothing was heard of it for more than three intervals") {
  struct Row {
    const char* name;
    Duration own;
    std::optional<Duration> its;  // none: an original one
    Duration allowed;
  };
  const Row rows[] = {
      {"the same interval", 1s, 1s, 3s},
      {"it shares more seldom", 1s, 2s, 6s},
      {"it shares more often", 1s, 100ms, 3s},
      {"an original one shares every second", 100ms, std::nullopt, 3s},
      {"this node shares more seldom than an original one", 5s, std::nullopt, 15s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Known known(32, row.own);
    Neighbour& neighbour = known.add(1, row.its ? fogctl_node("a") : original_node("10.0.0.9"));
    neighbour.state.sharing_interval = row.its.value_or(1h);  // an original one says none
    CHECK_FALSE(known.neighbours.is_silent(neighbour, start + row.allowed));
    CHECK(known.neighbours.is_silent(neighbour, start + row.allowed + 1ns));
    neighbour.heard_at = start + 1s;
    CHECK_FALSE(known.neighbours.is_silent(neighbour, start + row.allowed + 1s));
  }
}

TEST_CASE("An interval as long as can be is no reason to call a neighbour silent") {
  for (const Duration interval : {Duration(std::chrono::hours(1'400'000)), Duration::max()}) {
    Known known;
    Neighbour& neighbour = known.add(1, fogctl_node("a"));
    neighbour.state.sharing_interval = interval;
    CHECK_FALSE(known.neighbours.is_silent(neighbour, start + 1h));
    CHECK(known.is_candidate(1, start + 1h));
  }
}

TEST_CASE("While this node did not run nobody was silent, but what was said grew old") {
  Known known;
  Neighbour& neighbour = known.add(1, fogctl_node("a"));
  known.neighbours.forgive(5s, start + 10s);
  known.neighbours.forgive(5s, start + 10s);
  known.neighbours.forgive(5s, start + 10s);  // nobody is ahead of the time
  CHECK_FALSE(known.neighbours.is_silent(neighbour, start + 13s));
  CHECK(known.neighbours.is_silent(neighbour, start + 13s + 1ns));
  CHECK_FALSE(known.is_candidate(1, start + 13s));
}

TEST_CASE("As many links as are allowed are kept, original and retired ones not counted") {
  Known known(2);
  known.add(1, "a", 1ms);
  known.add(2, "b", 2ms);
  known.add(3, original_node("10.0.0.9")).delay = 9s;
  known.add(4, "d", 9s).is_retired = true;
  CHECK(known.neighbours.retire_surplus(start) == nullptr);
}

/// Ids as nodes have them.
std::string node_of(int number) {
  Random random(static_cast<std::uint64_t>(number));
  return random_hex_id(random);
}

/// Whether no distance decides about the link between two nodes, as `own` sees it: it stays
/// although a nearer one is there.
bool is_spared(const std::string& own, const std::string& other) {
  for (int i = 0; i < 40; ++i) {  // until there is a nearer one that is not spared itself
    Neighbours neighbours({own, 1s, 1});
    neighbours.add(1, fogctl_node(node_of(-1 - i)), start);
    neighbours.add(2, fogctl_node(other), start);
    neighbours.find(PeerId{1})->delay = 1ms;
    neighbours.find(PeerId{2})->delay = 1s;
    const Neighbour* retired = neighbours.retire_surplus(start + 5s);
    REQUIRE(retired != nullptr);
    CHECK(retired->is_retired);
    CHECK(retired->retired_at == start + 5s);
    CHECK(neighbours.retire_surplus(start) == nullptr);
    if (retired->link == 1) return true;
  }
  return false;
}

TEST_CASE("Of too many links a quarter is spared, and both ends agree on which") {
  int spared = 0;
  for (int i = 0; i < 400; ++i) {
    const bool is_here = is_spared(node_of(1), node_of(1000 + i));
    REQUIRE(is_spared(node_of(1000 + i), node_of(1)) == is_here);
    spared += is_here ? 1 : 0;
  }
  CHECK(spared > 60);
  CHECK(spared < 140);
}

TEST_CASE("Of too many links that are not spared the farthest one is retired, one at a time") {
  Known known(2);
  constexpr Duration delays[] = {1ms, 2ms, 9ms, 4ms};
  std::size_t added = 0;
  for (int i = 0; added < 4; ++i) {
    if (is_spared("m", node_of(i))) continue;
    known.add(added + 1, node_of(i), delays[added]);
    ++added;
  }
  const Neighbour* first = known.neighbours.retire_surplus(start);
  REQUIRE(first != nullptr);
  CHECK(first->link == 3);
  const Neighbour* second = known.neighbours.retire_surplus(start);
  REQUIRE(second != nullptr);
  CHECK(second->link == 4);
  CHECK(known.neighbours.retire_surplus(start) == nullptr);
}

TEST_CASE("Where all links are spared the farthest one goes all the same") {
  Known known(1);
  constexpr Duration delays[] = {1ms, 2ms};
  std::size_t added = 0;
  for (int i = 0; added < 2; ++i) {
    if (!is_spared("m", node_of(i))) continue;
    known.add(added + 1, node_of(i), delays[added]);
    ++added;
  }
  CHECK(known.neighbours.retire_surplus(start)->link == 2);
}

}  // namespace
}  // namespace fogctl
