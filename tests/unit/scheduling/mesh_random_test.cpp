// Thousands of random histories of a few nodes that hand tasks to each other, while links, nodes,
// their queues and the cloud come and go. A failure names its seed, which alone tells the history.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/mesh_world.hpp"

namespace fogctl {
namespace {

using support::MeshOptions;
using support::MeshWorld;
using namespace std::chrono_literals;

constexpr int steps = 40;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* wanted = std::getenv(name);
  return wanted == nullptr ? otherwise : std::stoull(wanted);
}

/// What may go wrong in a history, beside what the queue does.
struct Faults {
  bool nodes = false;      // they crash, stop, freeze
  bool links = false;      // they break, and come twice
  bool queues = false;     // they go away and come back, sometimes with less
  bool originals = false;  // there are nodes of the original system
  bool given_up = false;   // clients send to two nodes, and need only one
  bool kinds = false;      // nodes, and the cloud, differ in what they can run
  bool shared = false;     // some nodes serve one queue
  bool pauses = false;     // queues are paused for a while
  bool copyless = false;   // most tasks are exclusive: they wait where they came, or are stolen
};

class History {
 public:
  History(std::uint64_t seed, Faults faults, const MeshOptions& options)
      : draw_(seed ^ 0x5eed),
        faults_(faults),
        copies_(find_policy(options.policy)->ties_copies),
        world(seed, options) {
    nodes_ = 2 + draw_.below(3);
    for (std::size_t i = 0; i < nodes_; ++i) world.add_node(1 + draw_.below(2));
    all_ = nodes_;
    if (faults.originals) all_ += 1 + draw_.below(2);
    for (std::size_t i = nodes_; i < all_; ++i) world.add_original();
    for (std::size_t i = 1; i < all_; ++i) {  // each has a way to each
      world.want(i, draw_.below(std::min(i, nodes_)));
    }
    for (std::size_t i = draw_.below(all_ * 2); i > 0; --i) {
      const std::size_t one = draw_.below(all_);
      const std::size_t two = draw_.below(nodes_);
      if (one != two) world.want(one, two);
    }
    for (std::size_t i = 0; i < all_ + 2; ++i) clients_.push_back(world.add_client(i % all_));
    if (faults.kinds) {
      for (std::size_t i = 0; i < nodes_; ++i) world.set_kinds(i, some_kinds());
    }
    if (faults.shared) {
      world.share_queue(1, 0);
      for (std::size_t i = 2; i < nodes_; ++i) {
        if (chance(50)) world.share_queue(i, 0);
      }
    }
    if (chance(60)) world.add_cloud(chance(50), faults.kinds ? some_kinds() : first_kinds());
  }

  void live() {
    for (int i = 0; i < steps && world.broken().empty(); ++i) {
      step();
      world.run_for(chance(5) ? 4s : std::chrono::milliseconds(draw_.below(300)));
    }
  }

 private:
  bool chance(unsigned percent) { return draw_.below(100) < percent; }

  void step() {
    const auto kind = draw_.below(20);
    if (kind < 11) return client_sends();
    if (kind == 11) return cloud_changes();
    if (kind < 14 && faults_.nodes) return node_changes(draw_.below(all_));
    if (kind < 17 && faults_.links) return links_change();
    if (kind < 19 && faults_.queues) return queue_changes(draw_.below(nodes_));
    if (kind > 16 && faults_.pauses) return world.pause(draw_.below(nodes_), chance(40));
  }

  void client_sends() {
    const std::size_t client = clients_[draw_.below(clients_.size())];
    // Where nodes share a queue, half of the tasks are never cancelled: no answer may say so.
    const std::uint64_t uids = faults_.shared ? 4 : 8;
    if (chance(15)) world.cancel(client, "chosen-" + std::to_string(draw_.below(uids)));
    if (faults_.given_up && chance(30)) {
      const std::string uid = "chosen-" + std::to_string(draw_.below(8));
      if (faults_.shared) world.send(client, chosen(uid));
      if (faults_.shared && chance(70)) world.run_for(std::chrono::microseconds(draw_.below(5000)));
      world.give_up(client, uid);
      if (faults_.shared) world.send(clients_[draw_.below(clients_.size())], chosen(uid));
    }
    for (std::uint64_t i = 1 + draw_.below(chance(20) ? 30 : 4); i > 0; --i) {
      world.send(client, task());
    }
  }

  Task task() {
    constexpr const char* names[] = {"light", "medium", "heavy", "echo"};
    Task task;
    task.name = names[draw_.below(4)];
    task.weight = parse_task_class(task.name).value_or(TaskClass::light);
    task.content = chance(90) ? "1" : "2";
    task.cloud_processing = chance(10);
    task.time_requirement = chance(70) ? std::chrono::milliseconds(1 + draw_.below(50)) : 2s;
    task.max_offload = static_cast<int>(draw_.below(5));
    task.exclusive = copies_ && chance(faults_.copyless ? 80 : 10);
    if (faults_.copyless && chance(50)) task.time_requirement = 10s;
    if (chance(25)) {
      task.uid = "chosen-" + std::to_string(draw_.below(8));
      task.uid_chosen = true;
    }
    return task;
  }

  Task chosen(const std::string& uid) {
    Task one = task();
    one.uid = uid;
    one.uid_chosen = true;
    return one;
  }

  TaskKinds some_kinds() {
    TaskKinds kinds = {{"light", TaskClass::light, {}, 0}};
    for (const TaskKind& kind : first_kinds()) {
      if (kind.name != "light" && chance(40)) kinds.push_back(kind);
    }
    return kinds;
  }

  void node_changes(std::size_t node) {
    if (faults_.kinds && node < nodes_ && chance(20)) return world.set_kinds(node, some_kinds());
    if (!world.is_up(node)) return world.restart(node);
    if (world.is_frozen(node)) return world.thaw(node);
    switch (draw_.below(5)) {
      case 0:
      case 1:
        return world.freeze(node);
      case 2:
        return world.crash(node, chance(60));
      case 3:
        return world.stop(node);
      default:
        if (node < nodes_) world.set_workers(node, draw_.below(3));
    }
  }

  void links_change() {
    const std::size_t one = draw_.below(all_);
    const std::size_t two = draw_.below(nodes_);
    if (chance(40)) return world.heal();
    if (one == two) return;
    if (chance(50)) {
      std::vector<std::size_t> some;
      std::vector<std::size_t> others;
      for (std::size_t node = 0; node < all_; ++node) (chance(50) ? some : others).push_back(node);
      return world.partition(some, others);
    }
    if (chance(50)) world.partition({one}, {two});
    world.dial(one, two);
    if (two < nodes_) world.dial(two, one);
  }

  void queue_changes(std::size_t node) {
    if (chance(50)) return world.queue_goes(node);
    world.queue_comes(node, chance(30));
  }

  void cloud_changes() { world.is_cloud_up() ? world.cloud_goes() : world.cloud_comes(); }

  Random draw_;
  Faults faults_;
  bool copies_;
  std::size_t nodes_ = 0;  // of fogctl; the first ones
  std::size_t all_ = 0;
  std::vector<std::size_t> clients_;

 public:
  MeshWorld world;
};

MeshOptions options(bool with_faults) {
  MeshOptions options;
  options.load_interval = 250ms;
  options.overdue_min = 1s;
  if (!with_faults) return options;
  options.queue_refuses = 2;
  options.tasks_fail = 5;
  options.peers_lose = 20;
  return options;
}

/// Lives through the history from a seed; says so where it breaks. How many tasks were stolen.
std::size_t live(std::uint64_t seed, Faults faults, const MeshOptions& with) {
  CAPTURE(seed);
  History history(seed, faults, with);
  history.live();
  history.world.settle();
  REQUIRE(history.world.broken() == "");
  return history.world.stolen();
}

/// From FOGCTL_SEEDS seeds, the first of them FOGCTL_FIRST_SEED.
void live_all(Faults faults, const MeshOptions& with) {
  const std::uint64_t first = from_environment("FOGCTL_FIRST_SEED", 0);
  const std::uint64_t last = first + from_environment("FOGCTL_SEEDS", 500);
  std::size_t stolen = 0;
  for (std::uint64_t seed = first; seed < last; ++seed) stolen += live(seed, faults, with);
  const bool steals = find_policy(with.policy)->steals;
  CHECK((stolen > 0) == steals);
}

TEST_CASE("Nodes that nothing befalls hand tasks on and answer each of them once") {
  live_all({}, options(false));
}

TEST_CASE("Whatever happens to links, every task is answered once and the mesh is whole again") {
  live_all({.links = true}, options(true));
}

TEST_CASE("Whatever happens to nodes, every task of one that lived is answered once") {
  live_all({.nodes = true, .links = true}, options(true));
}

TEST_CASE("Whatever happens to queues, every task is answered once") {
  MeshOptions with = options(true);
  with.answers_lost = 5;
  with.calls_repeated = 3;
  live_all({.links = true, .queues = true}, with);
}

TEST_CASE("Nodes of the original system among them lose tasks, and yet every task is answered") {
  live_all({.nodes = true, .links = true, .originals = true}, options(true));
}

TEST_CASE("Whatever happens to all of them, every task of a node that lived is answered once") {
  MeshOptions with = options(true);
  with.answers_lost = 3;
  with.calls_repeated = 3;
  with.sharing_interval = 300ms;
  live_all({.nodes = true, .links = true, .queues = true, .originals = true}, with);
}

TEST_CASE("Nodes that differ in what they can run are handed nothing else, whatever happens") {
  MeshOptions with = options(true);
  with.answers_lost = 3;
  with.calls_repeated = 3;
  live_all({.kinds = true}, options(false));
  live_all({.nodes = true, .links = true, .queues = true, .originals = true, .kinds = true}, with);
}

MeshOptions in_time(MeshOptions options) {
  options.policy = "in-time";
  return options;
}

TEST_CASE("Of tied copies one is answered, and none is left") {
  live_all({}, in_time(options(false)));
}

TEST_CASE("Whatever happens to links and nodes, a task with copies is answered once") {
  live_all({.links = true}, in_time(options(true)));
  live_all({.nodes = true, .links = true}, in_time(options(true)));
}

TEST_CASE("Whatever happens to all of them, a task with copies is answered once") {
  MeshOptions with = in_time(options(true));
  with.answers_lost = 3;
  with.calls_repeated = 3;
  live_all({.links = true, .queues = true}, with);
  live_all({.nodes = true, .links = true, .queues = true, .originals = true, .kinds = true}, with);
}

TEST_CASE("A task that is tried again, here and where it has copies, is answered once") {
  MeshOptions with = in_time(options(false));
  with.runs_fail = 70;
  with.longest_link = 30ms;  // the word that a copy has begun comes late: both have
  live_all({}, with);
  live_all({.links = true, .given_up = true, .pauses = true}, with);
  live_all({.shared = true, .pauses = true}, with);
  with = in_time(options(true));
  with.answers_lost = with.calls_repeated = 3;
  with.runs_fail = 50;
  with.longest_link = 30ms;
  Faults faults{.nodes = true, .links = true, .queues = true, .given_up = true, .pauses = true};
  live_all(faults, with);
  faults.shared = faults.kinds = true;
  live_all(faults, with);
}

TEST_CASE("Whatever happens while tasks are stolen, each is answered once") {
  live_all({.copyless = true}, in_time(options(false)));
  live_all({.links = true, .given_up = true, .copyless = true}, in_time(options(true)));
  MeshOptions with = in_time(options(true));
  with.answers_lost = 3;
  with.calls_repeated = 3;
  live_all({.nodes = true, .links = true, .copyless = true}, with);
  live_all({.nodes = true,
            .links = true,
            .queues = true,
            .originals = true,
            .given_up = true,
            .kinds = true,
            .copyless = true},
           with);
}

TEST_CASE("What is asked of the queue twice is done once") {
  MeshOptions with = in_time(options(false));
  with.calls_repeated = 20;
  live_all({}, with);
  live_all({.given_up = true}, with);
  live_all({.shared = true}, with);
}

TEST_CASE("A task that its client gives up ends, unless somebody else waits for it") {
  live_all({.given_up = true}, in_time(options(false)));
  live_all({.links = true, .given_up = true}, options(true));
  MeshOptions with = in_time(options(true));
  with.answers_lost = 3;
  with.calls_repeated = 3;
  live_all({.nodes = true, .links = true, .queues = true, .given_up = true}, with);
}

TEST_CASE("Nodes that serve one queue answer each task once") {
  live_all({.shared = true}, options(false));
  live_all({.shared = true}, in_time(options(false)));
  live_all({.given_up = true, .shared = true}, in_time(options(false)));
}

TEST_CASE("Whatever happens to nodes that serve one queue, every task is answered once") {
  Faults faults{.links = true, .given_up = true, .shared = true};
  live_all(faults, options(true));
  faults.nodes = true;
  live_all(faults, in_time(options(true)));
  faults.queues = faults.originals = true;
  live_all(faults, options(true));
  MeshOptions with = in_time(options(true));
  with.answers_lost = 3;
  with.calls_repeated = 3;
  live_all(faults, with);
  faults.kinds = true;
  live_all(faults, options(true));
  live_all(faults, with);
}

TEST_CASE("Links of which most are full bring every task to an end all the same") {
  MeshOptions with = options(false);
  with.most_unsent = 2;
  live_all({.kinds = true}, with);
  live_all({.copyless = true}, in_time(with));
  with = options(true);
  with.most_unsent = 2;
  with.answers_lost = 3;
  with.calls_repeated = 3;
  Faults faults{.nodes = true, .links = true, .queues = true, .originals = true, .kinds = true};
  live_all(faults, with);
  live_all(faults, in_time(with));
}

TEST_CASE("Histories that went wrong once") {
  MeshOptions with = options(true);
  with.answers_lost = 3;
  with.calls_repeated = 3;
  // What was answered while the queue was away ran all the same, for nobody, once it was back.
  (void)live(25486,
             {.nodes = true, .links = true, .queues = true, .originals = true, .kinds = true},
             with);
}

TEST_CASE("Same seed, same trace") {
  const auto trace_of = [](std::uint64_t seed) {
    History history(seed, {.nodes = true, .links = true, .queues = true, .originals = true},
                    options(true));
    history.live();
    history.world.settle();
    CHECK(history.world.broken() == "");
    return history.world.digest();
  };
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    CHECK(trace_of(seed) == trace_of(seed));
    CHECK(trace_of(seed) != trace_of(seed + 1));
  }
}

}  // namespace
}  // namespace fogctl
