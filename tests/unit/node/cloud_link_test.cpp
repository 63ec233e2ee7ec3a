#include "node/cloud_link.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "support/loopback.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using support::Loop;
using support::Peer;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* greeting =
    "{\"message_type\":\"cloud_ready\",\"node\":\"ab\",\"name\":\"cloud-1\",\"protocol\":2}\n";

constexpr const char* question = "{\"message_type\":\"kinds_query\"}\n";
constexpr const char* no_such_message =
    "{\"message_type\":\"error\",\"code\":\"invalid_message\",\"message\":\"what?\"}";

/// Something that listens where the cloud should be, and does as the test says.
class FakeCloud {
 public:
  explicit FakeCloud(asio::io_context& io, std::uint16_t port = 0)
      : acceptor_(io, {asio::ip::address_v4::loopback(), port}) {
    accept();
  }
  [[nodiscard]] HostPort address() const {
    return {"127.0.0.1", acceptor_.local_endpoint().port()};
  }
  Peer& link() { return links.back(); }

  std::list<Peer> links;  // every connection that came
  std::string says;       // first on each
  bool hangs_up = false;  // at once

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
      if (error) return;
      Peer& link = links.emplace_back(std::move(socket));
      link.write(says);
      if (hangs_up) {
        link.close();
      } else {
        link.start_reading();
      }
      accept();
    });
  }
  tcp::acceptor acceptor_;
};

/// A link to a cloud, and what it told.
struct LinkBench {
  LinkBench() { set_log_level(LogLevel::off); }
  ~LinkBench() {
    if (link) link->stop();
    loop.run_ready();
    set_log_level(LogLevel::info);
  }
  void start(const HostPort& address) {
    link.emplace(
        loop.io, std::vector{address}, ConnectionOptions{}, Random(1),
        CloudLink::Events{
            .on_up = [this](bool is_original, std::size_t) { ups.push_back(is_original); },
            .on_down = [this] { ++downs; },
            .on_result =
                [this](wire::ResultMessage result) { results.push_back(std::move(result)); },
            .on_kinds = [this](TaskKinds kinds) { told.push_back(std::move(kinds)); },
            .on_progress = [this](const wire::Progress& one) { progress.push_back(one.share); },
            .on_batch = [this] { ++batches; }});
    link->start();
  }
  bool run_until_up(std::size_t times = 1) {
    return loop.run_until([&] { return ups.size() >= times; });
  }
  void send_tasks(int count) {
    for (int i = 0; i < count; ++i) {
      Task task;
      task.name = "heavy";
      task.uid = "u" + std::to_string(i);
      link->send(task, 100 + i);
    }
    link->flush();
  }

  Loop loop;
  std::vector<bool> ups;  // whether it was an original one
  int downs = 0;
  int batches = 0;
  std::vector<wire::ResultMessage> results;
  std::vector<TaskKinds> told;
  std::vector<double> progress;
  std::optional<CloudLink> link;
};

TEST_CASE("A cloud that says cloud_ready is up as fogctl's, and gets tasks under this node's ids") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  CHECK(bench.ups == std::vector<bool>{false});
  bench.send_tasks(10);
  REQUIRE(
      bench.loop.run_until([&] { return std::ranges::count(cloud.link().received, '\n') == 11; }));
  CHECK(cloud.link().received.starts_with(std::string(question) +
                                          "{\"message_type\":\"task\",\"task_id\":100,"));
  CHECK(cloud.link().received.find("\"task_id\":109,") != std::string::npos);
  CHECK(bench.link->round_trip() > Duration::zero());
  CHECK(bench.downs == 0);
}

TEST_CASE("A cloud that stays silent is an original one, and its tasks are paced") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  const auto begin = SteadyClock::now();
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  CHECK(SteadyClock::now() - begin >= 300ms);
  CHECK(bench.ups == std::vector<bool>{true});
  CHECK(cloud.link().received.empty());  // it understands nothing but tasks

  const auto sent = SteadyClock::now();
  bench.send_tasks(10);
  REQUIRE(
      bench.loop.run_until([&] { return std::ranges::count(cloud.link().received, '\n') == 10; }));
  CHECK(SteadyClock::now() - sent >= 9ms);
}

TEST_CASE("A cloud of protocol 1 is an original one") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = "{\"message_type\":\"cloud_ready\",\"protocol\":1}";
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  CHECK(bench.ups == std::vector<bool>{true});
}

TEST_CASE("A fogctl cloud that is slow to say so is taken for an original one until it does") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  cloud.link().write(greeting);
  REQUIRE(bench.run_until_up(2));
  CHECK(bench.ups == std::vector<bool>{true, false});
  cloud.link().write(greeting);  // once is enough
  cloud.link().write("{\"message_type\":\"result\",\"task_id\":1}");
  REQUIRE(bench.loop.run_until([&] { return !bench.results.empty(); }));
  CHECK(bench.ups.size() == 2);
  CHECK(bench.downs == 0);
}

TEST_CASE("Results are delivered as they came, and a batch ends after them") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  const int before = bench.batches;
  cloud.link().write(
      "{\"message_type\":\"result\",\"task_id\":100,\"content\":3,\"execution_time\":1.50}"
      "{\"message_type\":\"result\",\"task_id\":101}");
  REQUIRE(bench.loop.run_until([&] { return bench.batches > before; }));
  REQUIRE(bench.results.size() == 2);
  CHECK(bench.results[0].task_id == "100");
  CHECK(bench.results[0].execution_time == "1.50");
}

TEST_CASE("A message that concerns neighbours changes nothing, and the results after it are read") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  cloud.link().write(
      "{\"message_type\":\"fog_ready\",\"send_time\":1}{\"message_type\":\"state\",\"task_time\":0}"
      "{\"message_type\":\"result\",\"task_id\":101}");
  REQUIRE(bench.loop.run_until([&] { return bench.results.size() == 1; }));
  CHECK(bench.downs == 0);
  CHECK(cloud.links.size() == 1);
}

TEST_CASE("The cloud dies and comes back: down is told once, then it is up again") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  cloud.link().close();
  REQUIRE(bench.loop.run_until([&] { return bench.downs > 0; }));
  bench.send_tasks(1);  // dropped: the node takes its tasks back when it hears of it
  REQUIRE(bench.run_until_up(2));
  CHECK(bench.downs == 1);
  CHECK(bench.ups == std::vector<bool>{false, false});
  REQUIRE(bench.loop.run_until([&] { return !cloud.link().received.empty(); }));
  CHECK(cloud.link().received == question);
}

TEST_CASE(
    "A cloud that comes up and breaks, of no use in between, is dialled less and less often") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  const auto begin = std::chrono::steady_clock::now();
  bench.start(cloud.address());
  for (std::size_t times = 1; times <= 5; ++times) {
    REQUIRE(bench.run_until_up(times));
    cloud.link().close();
  }
  REQUIRE(bench.run_until_up(6));
  // 100 ms, doubled each time, of which up to a half is left out
  CHECK(std::chrono::steady_clock::now() - begin >= 1550ms);
}

TEST_CASE("A fogctl cloud is asked what it can run, and says how far tasks are") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  CHECK(bench.link->name() == "cloud-1");
  cloud.link().write(
      "{\"message_type\":\"kinds\",\"tasks\":[{\"name\":\"ocr\",\"class\":\"heavy\"}]}"
      "{\"message_type\":\"progress\",\"task_id\":100,\"progress\":0.5}");
  REQUIRE(bench.loop.run_until([&] { return !bench.progress.empty(); }));
  CHECK(bench.told == std::vector<TaskKinds>{{{"ocr", TaskClass::heavy, {}, 0}}});
  CHECK(bench.progress == std::vector<double>{0.5});
  // Now that it has answered, an error is about something else.
  cloud.link().write(no_such_message);
  REQUIRE(bench.run_until_up(2));
}

TEST_CASE("A cloud that is older than the question stays, and can run what the first ones could") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  cloud.link().write(no_such_message);
  REQUIRE(bench.loop.run_until([&] { return !bench.told.empty(); }));
  CHECK(bench.told == std::vector<TaskKinds>{first_kinds()});
  CHECK(bench.downs == 0);
}

TEST_CASE("A cloud that cannot be understood, or does not understand, is left and dialled again") {
  for (const char* text : {"HTTP/1.1 400 Bad Request", "{not json}", "{\"message_type\":\"bogus\"}",
                           "{\"message_type\":\"result\"}",
                           "{\"message_type\":\"error\",\"code\":\"x\",\"message\":\"y\"}"}) {
    CAPTURE(text);
    LinkBench bench;
    FakeCloud cloud(bench.loop.io);
    cloud.says = greeting;
    bench.start(cloud.address());
    REQUIRE(bench.run_until_up());
    Peer& first = cloud.link();
    first.write(text);
    REQUIRE(bench.run_until_up(2));
    CHECK(bench.downs == 1);
    CHECK(first.is_closed);
  }
}

TEST_CASE("A cloud that is not there yet is dialled until it is") {
  LinkBench bench;
  HostPort address;
  {
    const FakeCloud gone(bench.loop.io);
    address = gone.address();
  }
  bench.start(address);
  const auto begin = SteadyClock::now();
  (void)bench.loop.run_until([&] { return SteadyClock::now() - begin > 120ms; });
  CHECK(bench.ups.empty());
  CHECK(bench.downs == 0);
  FakeCloud cloud(bench.loop.io, address.port);
  cloud.says = greeting;
  REQUIRE(bench.run_until_up());
  CHECK(bench.downs == 0);
}

TEST_CASE("A cloud that hangs up at once is dialled less and less often, and was never up") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.hangs_up = true;
  const auto begin = SteadyClock::now();
  bench.start(cloud.address());
  REQUIRE(bench.loop.run_until([&] { return cloud.links.size() == 4; }));
  CHECK(SteadyClock::now() - begin >= 50ms + 100ms + 200ms);  // half of each at least
  CHECK(bench.ups.empty());
  CHECK(bench.downs == 0);
}

TEST_CASE("Once it is stopped a link closes, and tells and dials no more") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  REQUIRE(bench.run_until_up());
  bench.link->stop();
  REQUIRE(bench.loop.run_until([&] { return cloud.link().is_closed; }));
  bench.send_tasks(1);
  bench.loop.run_ready();
  CHECK(bench.downs == 0);
  CHECK(cloud.links.size() == 1);
  CHECK(bench.link->round_trip() == Duration::zero());
}

TEST_CASE("A link that is stopped while it dials or waits tells nothing") {
  LinkBench bench;
  FakeCloud cloud(bench.loop.io);
  cloud.says = greeting;
  bench.start(cloud.address());
  bench.link->stop();
  bench.loop.run_ready();
  CHECK(bench.ups.empty());
  CHECK(bench.downs == 0);
}

}  // namespace
}  // namespace fogctl
