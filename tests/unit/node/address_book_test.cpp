#include "node/address_book.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

/// The book of the node `me`, and time that only the test advances.
struct Bench {
  Addresses due(std::size_t room = 100) { return book.take_due(room, now); }
  void hear_of(const std::string& address, const std::string& node,
               AddressBook::Source source = AddressBook::Source::hearsay) {
    book.hear_of(address, node, source, now);
  }
  void add_static(const std::string& address) { book.add_static(address, now); }
  void fail(const std::string& address) { book.on_unreachable(address, now); }
  void link(const std::string& address, const std::string& node) {
    book.on_linked(address, node, now);
  }
  void unlink(const std::string& address, const std::string& node) {
    book.on_unlinked(address, node, now);
  }
  /// Lets the time pass until something is due, which may be at once: how long it took.
  Duration wait_for_due() {
    REQUIRE(book.next_due());
    const Duration pause = std::max(*book.next_due() - now, Duration::zero());
    now += pause;
    return pause;
  }

  AddressBook book{"me", Random(1)};
  Instant now{1000s};
};

TEST_CASE("An address that was named or heard of is dialled at once, and by one attempt") {
  Bench bench;
  CHECK_FALSE(bench.book.next_due());
  CHECK(bench.due().empty());
  bench.add_static("a:1");
  bench.hear_of("b:2", "b");
  bench.hear_of("c:3", "");
  CHECK(bench.book.next_due() == bench.now);
  CHECK(bench.due() == Addresses{"a:1", "b:2", "c:3"});
  CHECK(bench.due().empty());
  CHECK_FALSE(bench.book.next_due());
}

TEST_CASE("Where there is no room for all, the longest due and the named ones are dialled") {
  Bench bench;
  for (const char* address : {"d:1", "c:1", "b:1"}) {
    bench.hear_of(address, "");
    bench.now += 1s;
  }
  bench.add_static("e:1");
  CHECK(bench.due(1) == Addresses{"d:1", "e:1"});
  CHECK(bench.due(0).empty());
  CHECK(bench.due(1) == Addresses{"c:1"});
  CHECK(bench.due(5) == Addresses{"b:1"});
}

TEST_CASE("Named addresses are dialled although there is no room") {
  Bench bench;
  bench.hear_of("a:1", "");
  bench.add_static("b:1");
  bench.add_static("c:1");
  CHECK(bench.due(0) == Addresses{"b:1", "c:1"});
}

TEST_CASE("Attempts at a node that is alive back off, with jitter, up to 2 s") {
  Bench bench;
  bench.hear_of("a:1", "a");
  (void)bench.due();
  for (const Duration longest : {100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms, 2000ms}) {
    bench.hear_of("a:1", "a");  // that does not start it again
    bench.fail("a:1");
    const Duration pause = bench.wait_for_due();
    CHECK(pause >= longest / 2);
    CHECK(pause <= longest);
    CHECK(bench.due() == Addresses{"a:1"});
  }
}

TEST_CASE("Attempts at a named address where nobody is back off up to 30 s, and go on for ever") {
  Bench bench;
  bench.add_static("a:1");
  (void)bench.due();
  Duration pause{};
  for (int i = 0; i < 100; ++i) {
    bench.fail("a:1");
    pause = bench.wait_for_due();
    CHECK(pause <= 30s);
    CHECK(bench.due() == Addresses{"a:1"});
  }
  CHECK(pause >= 15s);
}

TEST_CASE("Pauses differ from node to node: they do not come back all at once") {
  std::vector<Duration> pauses;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bench bench{AddressBook("me", Random(seed))};
    bench.add_static("a:1");
    (void)bench.due();
    bench.fail("a:1");
    pauses.push_back(bench.wait_for_due());
  }
  CHECK(std::ranges::max(pauses) - std::ranges::min(pauses) > 20ms);
}

TEST_CASE("Somebody speaks of a node that was long away: it is dialled at once, as a new one") {
  Bench bench;
  bench.add_static("a:1");
  (void)bench.due();
  for (int i = 0; i < 10; ++i) {
    bench.fail("a:1");
    (void)bench.wait_for_due();
    (void)bench.due();
  }
  bench.fail("a:1");
  bench.hear_of("a:1", "");
  CHECK(bench.due() == Addresses{"a:1"});
  bench.fail("a:1");
  CHECK(bench.wait_for_due() <= 100ms);
}

TEST_CASE("Another node at the same address is dialled at once") {
  Bench bench;
  bench.hear_of("a:1", "a");
  (void)bench.due();
  for (int i = 0; i < 3; ++i) bench.fail("a:1");
  bench.hear_of("a:1", "a");
  CHECK(bench.due().empty());
  bench.hear_of("a:1", "");  // an unnamed one may be the same
  CHECK(bench.due().empty());
  bench.hear_of("a:1", "b");
  CHECK(bench.due() == Addresses{"a:1"});
}

TEST_CASE("What could not be reached is forgotten a minute after it was last spoken of") {
  Bench bench;
  bench.hear_of("a:1", "a");
  bench.add_static("b:1");
  (void)bench.due();
  bench.fail("a:1");
  bench.fail("b:1");
  bench.now += 30s;
  CHECK(bench.book.address_of("a") == "a:1");
  bench.hear_of("a:1", "a");
  bench.now += 60s;
  CHECK(bench.due().size() == 2);
  bench.fail("a:1");
  bench.now += 1ns;
  CHECK(bench.due().empty());
  CHECK(bench.book.address_of("a").empty());
  bench.now += 1h;
  bench.fail("b:1");
  bench.now += 30s;
  CHECK(bench.due() == Addresses{"b:1"});
}

TEST_CASE("What is being dialled, or linked, is not forgotten") {
  Bench bench;
  bench.hear_of("a:1", "a");
  bench.hear_of("b:1", "b");
  (void)bench.due();
  bench.link("b:1", "b");
  bench.hear_of("c:1", "c");
  bench.link("", "c");  // it dialled this node
  bench.now += 1h;
  CHECK(bench.due().empty());
  CHECK(bench.book.address_of("c") == "c:1");
  CHECK(bench.book.address_of("a") == "a:1");
  CHECK(bench.book.address_of("b") == "b:1");
}

TEST_CASE("A node that is linked is not dialled, whoever opened the link, and at no address") {
  for (const char* dialled : {"", "a:1"}) {
    CAPTURE(dialled);
    Bench bench;
    bench.hear_of("a:1", "a");
    if (*dialled != '\0') CHECK(bench.due() == Addresses{"a:1"});
    bench.link(dialled, "a");
    bench.hear_of("a:2", "a");
    CHECK_FALSE(bench.book.next_due());
    CHECK(bench.due().empty());

    bench.unlink(dialled, "a");
    CHECK(bench.wait_for_due() <= 100ms);
    bench.now += 100ms;
    CHECK(bench.due().size() == 2);
  }
}

TEST_CASE("Of two links to a node one is lost: it is linked still") {
  Bench bench;
  bench.hear_of("a:1", "a");
  (void)bench.due();
  bench.link("a:1", "a");
  bench.link("", "a");
  bench.unlink("a:1", "a");
  bench.now += 10s;
  CHECK(bench.due().empty());
  bench.unlink("", "a");
  bench.now += 10s;
  CHECK(bench.due() == Addresses{"a:1"});
}

TEST_CASE("An original node, which has no id, is dialled again only when its own link is lost") {
  Bench bench;
  bench.hear_of("a:1", "");
  bench.hear_of("b:1", "");
  CHECK(bench.due().size() == 2);
  bench.link("a:1", "");
  bench.link("b:1", "");
  bench.now += 1h;
  bench.hear_of("a:1", "");
  CHECK(bench.due().empty());
  bench.hear_of("c:1", "");
  bench.unlink("a:1", "");
  CHECK(bench.due() == Addresses{"c:1"});  // another one, which is not put off
  bench.now += 1s;
  CHECK(bench.due() == Addresses{"a:1"});
}

TEST_CASE("A node that was linked starts with a short pause, and is remembered for a minute") {
  Bench bench;
  bench.hear_of("a:1", "a");
  (void)bench.due();
  for (int i = 0; i < 5; ++i) {
    bench.fail("a:1");
    (void)bench.wait_for_due();
    (void)bench.due();
  }
  bench.link("a:1", "a");
  bench.now += 1h;
  bench.unlink("a:1", "a");
  CHECK(bench.wait_for_due() <= 100ms);
  CHECK(bench.due() == Addresses{"a:1"});
}

TEST_CASE("This node itself is not dialled: by its id, or once it answered") {
  Bench bench;
  bench.hear_of("a:1", "me");
  CHECK_FALSE(bench.book.next_due());
  bench.add_static("b:1");
  CHECK(bench.due() == Addresses{"b:1"});
  bench.book.on_self("b:1");
  CHECK_FALSE(bench.book.next_due());
  bench.now += 1h;
  CHECK(bench.due().empty());
  bench.hear_of("b:1", "other");  // the address is another node's now
  CHECK(bench.due() == Addresses{"b:1"});
}

TEST_CASE("A node that has enough neighbours is left alone for a minute, a named one too") {
  Bench bench;
  bench.add_static("a:1");
  bench.hear_of("b:1", "b");
  (void)bench.due();
  bench.link("a:1", "a");
  bench.link("b:1", "b");
  for (const char* node : {"a", "b"}) bench.book.leave_alone(node, bench.now);
  bench.unlink("a:1", "a");
  bench.unlink("b:1", "b");
  bench.now += 59s;
  bench.hear_of("b:1", "b");
  CHECK(bench.due().empty());
  bench.now += 1s;
  CHECK(bench.due() == Addresses{"a:1", "b:1"});
}

TEST_CASE("An address that nobody named or told of is not dialled, whatever happens there") {
  Bench bench;
  bench.fail("a:1");
  bench.book.on_self("a:1");
  bench.link("a:1", "a");
  bench.unlink("a:1", "a");
  bench.book.leave_alone("a", bench.now);
  CHECK_FALSE(bench.book.next_due());
  CHECK(bench.book.address_of("a").empty());
  CHECK(bench.book.address_of("").empty());
}

TEST_CASE("A node that says itself where it is goes before all that was told of, and finds room") {
  Bench bench;
  for (int i = 0; i < 10'000; ++i) bench.hear_of("a:" + std::to_string(i), "");
  bench.now += 1s;
  bench.hear_of("b:1", "b", AddressBook::Source::node_itself);
  CHECK(bench.due(1) == Addresses{"b:1"});
  for (int i = 0; i < 10'000; ++i) {
    bench.hear_of("c:" + std::to_string(i), "", AddressBook::Source::node_itself);
  }
  CHECK(bench.due(100'000).size() <= 4096);
}

TEST_CASE("A peer that tells of ever new addresses costs no more than a bounded book") {
  Bench bench;
  for (int i = 0; i < 10'000; ++i) bench.hear_of("a:" + std::to_string(i), "");
  const auto due = bench.due(100'000);
  CHECK(due.size() == 3072);
  bench.hear_of(due.front(), "known");  // what is there already is still updated
  CHECK(bench.book.address_of("known") == due.front());
  bench.add_static("b:1");  // an operator is not refused
  CHECK(bench.due() == Addresses{"b:1"});
}

}  // namespace
}  // namespace fogctl
