#include "base/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

#include "task/task.hpp"

namespace fogctl {
namespace {

TEST_CASE("The generator is SplitMix64: the numbers of its authors' program for seed 1234567") {
  Random random(1234567);
  constexpr std::array<std::uint64_t, 5> expected = {6457827717110365317ULL, 3203168211198807973ULL,
                                                     9817491932198370423ULL, 4593380528125082431ULL,
                                                     16408922859458223821ULL};
  for (const std::uint64_t number : expected) CHECK(random.next() == number);
}

TEST_CASE("Equal seeds give equal draws, and a copy goes on where the original was") {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) CHECK(a.next() == b.next());
  Random copy = a;
  CHECK(copy.next() == a.next());
}

TEST_CASE("A draw below a bound stays below it and reaches every number") {
  Random random(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen.at(random.below(6));
  for (const int count : seen) CHECK(std::abs(count - 1000) < 150);
  for (int i = 0; i < 100; ++i) CHECK(random.below(1) == 0);
  constexpr std::uint64_t large = std::uint64_t{1} << 52;
  for (int i = 0; i < 1000; ++i) CHECK(random.below(large) < large);
}

TEST_CASE("A draw from the unit interval is at least 0 and less than 1, on average a half") {
  Random random(3);
  double sum = 0;
  double least = 1;
  double most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double draw = random.unit();
    sum += draw;
    least = std::min(least, draw);
    most = std::max(most, draw);
  }
  CHECK(least >= 0);
  CHECK(least < 0.01);
  CHECK(most < 1);
  CHECK(most > 0.99);
  CHECK(std::abs(sum / 10'000 - 0.5) < 0.02);
}

TEST_CASE("A random id has 32 hexadecimal digits, is a valid name and comes once") {
  Random random(9);
  const std::string id = random_hex_id(random);
  CHECK(id.size() == 32);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(is_valid_name(id));
  CHECK(random_hex_id(random) != id);
  Random again(9);
  CHECK(random_hex_id(again) == id);
}

TEST_CASE("A short id has 15 characters of a name, and all 64 of them occur") {
  Random random(9);
  std::set<char> seen;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random_short_id(random);
    CHECK(id.size() == 15);
    CHECK(is_valid_name(id));
    seen.insert(id.begin(), id.end());
    ids.insert(id);
  }
  CHECK(seen.size() == 64);
  CHECK(ids.size() == 1000);
}

TEST_CASE("The system's entropy differs from call to call") {
  CHECK(entropy() != entropy());
}

}  // namespace
}  // namespace fogctl
