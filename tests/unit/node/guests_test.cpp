#include "node/guests.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/caught_errors.hpp"

namespace fogctl {
namespace {

std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++count;
  return count;
}

TEST_CASE("Guests get what is left beside all that else needs files, and at least half") {
  struct Row {
    const char* name;
    std::size_t limit;
    FileNeeds needs;
    std::size_t guests;
  };
  for (const Row& row : {Row{"few files", 64, {.workers = 2, .links = 32}, 32},
                         Row{"the usual limit", 1024, {.workers = 4, .links = 33}, 863},
                         Row{"many workers", 1024, {.workers = 64, .links = 33}, 512},
                         Row{"no workers", 1024, {.workers = 0, .links = 0}, 960},
                         Row{"many files", 1'048'576, {.workers = 1024, .links = 1000}, 1'031'128},
                         Row{"an odd one", 9, {.workers = 1, .links = 0}, 5}}) {
    CAPTURE(row.name);
    const FileShares shares = share_files(row.limit, row.needs);
    CHECK(shares.guests == row.guests);
    CHECK(shares.kept() == row.limit - row.guests);
  }
}

TEST_CASE("A limit under which not all that is needed can be kept is said to be low, once") {
  CaughtErrors errors;
  const Guests low(share_files(64, {.workers = 2, .links = 32}));
  const std::string text = errors.text();
  CHECK(count_of(text, "'ulimit -n' is 64") == 1);
  CHECK(count_of(text, "96 more") == 1);
}

TEST_CASE("A limit under which all that is needed can be kept is not spoken of") {
  CaughtErrors errors;
  const Guests high(share_files(1024, {.workers = 4, .links = 33}));
  CHECK(errors.text().empty());
}

TEST_CASE("The log says once that guests are refused, and once that there is room again") {
  CaughtErrors errors;
  Guests guests({.limit = 64, .needed = 32, .guests = 32});
  for (PeerId peer = 1; peer <= 32; ++peer) {
    CHECK(guests.has_room());
    guests.add(peer);
  }
  CHECK_FALSE(guests.has_room());
  const std::string said = guests.refuse();
  CHECK(said.find("32 connections") != std::string::npos);
  CHECK(said.find("32 of the 64 files") != std::string::npos);
  CHECK(guests.refuse() == said);

  guests.remove(99);  // a link that the node opened
  CHECK_FALSE(guests.has_room());
  guests.remove(1);
  CHECK(guests.has_room());
  guests.add(33);
  (void)guests.refuse();
  guests.remove(2);
  guests.remove(3);
  guests.remove(4);
  guests.remove(5);
  const std::string text = errors.text();
  CHECK(count_of(text, "a connection is refused") == 1);
  CHECK(count_of(text, "there is room for connections again") == 1);
}

}  // namespace
}  // namespace fogctl
