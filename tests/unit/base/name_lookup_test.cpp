#include "base/name_lookup.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("An address is its own, at once and on the caller's thread") {
  for (const std::string address : {"10.0.0.7", "::1", "0.0.0.0"}) {
    std::thread::id told_on;
    std::string told;
    look_up(address, [&](const HostAddresses& found) {
      told_on = std::this_thread::get_id();
      REQUIRE(found);
      told = found->front();
    });
    CHECK(told == address);
    CHECK(told_on == std::this_thread::get_id());
  }
}

TEST_CASE("The names of this machine have addresses") {
  const auto found = look_up_within("localhost", 20s);
  REQUIRE(found);
  CHECK(std::ranges::find(*found, "127.0.0.1") != found->end());
}

TEST_CASE("What is no name of a host is said to be unknown") {
  const auto found = look_up_within("no such host", 20s);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::unavailable);
  CHECK(found.error().message == "Name or service not known");
}

TEST_CASE("An address needs no time, also where the time is over") {
  const std::atomic<Instant> long_ago = Instant{};
  CHECK(look_up_within("10.0.0.7", 0s).value().front() == "10.0.0.7");
  CHECK(look_up_within("10.0.0.7", 10s, &long_ago).value().front() == "10.0.0.7");
}

TEST_CASE("Who asks for the same name at once is told, each") {
  static std::atomic<int> told = 0;  // where one comes too late, it is still there
  for (int i = 0; i < 100; ++i) {
    look_up("localhost", [](const HostAddresses&) { ++told; });
  }
  const SystemClock clock;
  const Instant end = clock.now() + 20s;
  while (told < 100 && clock.now() < end) std::this_thread::yield();
  REQUIRE(told == 100);
}

}  // namespace
}  // namespace fogctl
