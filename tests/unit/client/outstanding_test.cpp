#include "client/outstanding.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using Match = Outstanding::Match;

Instant at(Duration since) {
  return Instant(since);
}

TEST_CASE("Ids count from 1, and an answer finds its task in any order") {
  Outstanding outstanding;
  CHECK(outstanding.add(7, at(1s)) == 1);
  CHECK(outstanding.add(8, at(2s)) == 2);
  CHECK(outstanding.add(9, at(3s)) == 3);
  for (const std::uint64_t id : {2, 3, 1}) {
    CAPTURE(id);
    const auto answer = outstanding.take(id);
    REQUIRE(answer.match == Match::first);
    CHECK(answer.task.id == id);
    CHECK(answer.task.stream == id + 6);
    CHECK(answer.task.sent == at(std::chrono::seconds(id)));
  }
  CHECK(outstanding.is_empty());
  CHECK(outstanding.add(1, at(4s)) == 4);
}

TEST_CASE("A second answer is repeated, also long after") {
  Outstanding outstanding;
  for (int i = 0; i < 3; ++i) outstanding.add(0, at(1s));
  outstanding.take(2);
  CHECK(outstanding.take(2).match == Match::repeated);
  outstanding.take(1);
  outstanding.take(3);
  CHECK(outstanding.take(1).match == Match::repeated);
  CHECK(outstanding.take(3).match == Match::repeated);
}

TEST_CASE("An id that was never given is unknown") {
  Outstanding outstanding;
  CHECK(outstanding.take(1).match == Match::unknown);
  outstanding.add(0, at(1s));
  CHECK(outstanding.take(0).match == Match::unknown);
  CHECK(outstanding.take(2).match == Match::unknown);
  CHECK(outstanding.take(~std::uint64_t{0}).match == Match::unknown);
  CHECK(outstanding.size() == 1);
}

TEST_CASE("A task that a second node got is with the first one that accepts it") {
  Outstanding outstanding;
  for (int i = 0; i < 3; ++i) {
    outstanding.give_to(outstanding.add(0, at(1s)), 4);
    outstanding.hedge_to(static_cast<std::uint64_t>(i) + 1, 5);
  }
  outstanding.note_accepted(1, 5);
  CHECK(outstanding.find(1)->node == 5);
  CHECK(outstanding.find(1)->other == no_node);
  CHECK(outstanding.find(1)->is_accepted);
  const auto answer = outstanding.take(2);
  CHECK(answer.node == 4);
  CHECK(answer.other == 5);
  outstanding.hedge_to(3, no_node);  // it does not take it
  CHECK(outstanding.take_all_back(4) == std::vector<std::uint64_t>{3});
}

TEST_CASE("Where one of two nodes is gone the other one has the task") {
  Outstanding outstanding;
  for (std::uint64_t id = 1; id <= 3; ++id) outstanding.give_to(outstanding.add(0, at(1s)), 4);
  outstanding.hedge_to(1, 5);
  outstanding.hedge_to(2, 5);
  SUBCASE("the first") {
    CHECK(outstanding.take_all_back(4) == std::vector<std::uint64_t>{3});
    CHECK(outstanding.find(1)->node == 5);
    CHECK(outstanding.take_all_back(5) == std::vector<std::uint64_t>{1, 2});
  }
  SUBCASE("the second") {
    CHECK(outstanding.take_all_back(5).empty());
    CHECK(outstanding.take_all_back(4) == std::vector<std::uint64_t>{1, 2, 3});
  }
  SUBCASE("the first has it no more") {
    CHECK(outstanding.take_back(1));
    CHECK(outstanding.find(1)->node == 5);
    CHECK_FALSE(outstanding.take_back(1));
  }
}

TEST_CASE("The oldest unanswered task is given up first") {
  Outstanding outstanding;
  for (int i = 1; i <= 4; ++i) outstanding.add(0, at(std::chrono::seconds(i)));
  outstanding.take(1);
  outstanding.take(3);
  CHECK(outstanding.oldest_sent() == at(2s));
  CHECK(outstanding.give_up_oldest().id == 2);
  CHECK(outstanding.oldest_sent() == at(4s));
  CHECK(outstanding.give_up_oldest().id == 4);
  CHECK(outstanding.is_empty());
  CHECK_FALSE(outstanding.oldest_sent());
}

TEST_CASE("An answer to a task that was given up is late, one to its neighbours is repeated") {
  Outstanding outstanding;
  for (int i = 1; i <= 7; ++i) outstanding.add(0, at(1s));
  outstanding.take(3);
  outstanding.take(6);
  while (!outstanding.is_empty()) outstanding.give_up_oldest();
  for (const std::uint64_t id : {1, 2, 4, 5, 7}) CHECK(outstanding.take(id).match == Match::late);
  for (const std::uint64_t id : {3, 6}) CHECK(outstanding.take(id).match == Match::repeated);
}

TEST_CASE(
    "What a lost node had is taken back in order of the ids, and knows when it is sent again") {
  Outstanding outstanding;
  for (int i = 1; i <= 4; ++i) outstanding.add(0, at(std::chrono::seconds(i)));
  for (const std::uint64_t id : {4, 1, 2}) CHECK_FALSE(outstanding.give_to(id, 0));
  CHECK_FALSE(outstanding.give_to(3, 1));
  outstanding.take(2);
  CHECK(outstanding.take_all_back(0) == std::vector<std::uint64_t>{1, 4});
  CHECK(outstanding.find(1)->node == no_node);
  CHECK(outstanding.find(3)->node == 1);
  CHECK_FALSE(outstanding.find(2));
  CHECK(outstanding.find(1)->task.sent == at(1s));
  CHECK(outstanding.give_to(1, 1));
  CHECK_FALSE(outstanding.give_to(1, 0));  // the third time
}

}  // namespace
}  // namespace fogctl
