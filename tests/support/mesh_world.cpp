#include "support/mesh_world.hpp"

#include <algorithm>
#include <utility>

#include "support/mesh_node.hpp"
#include "support/mesh_original.hpp"

namespace fogctl::support {

MeshWorld::MeshWorld(std::uint64_t seed, const MeshOptions& options)
    : random_(seed), options_(options) {}

MeshWorld::~MeshWorld() = default;

MeshWorld::Node MeshWorld::add_place(std::unique_ptr<MeshPeer> peer, MeshNode* node) {
  auto place = std::make_unique<Place>();
  place->peer = std::move(peer);
  place->node = node;
  place->address = "10.0.0." + std::to_string(places_.size() + 1);
  places_.push_back(std::move(place));
  start(places_.size() - 1);
  return places_.size() - 1;
}

MeshWorld::Node MeshWorld::add_node(std::size_t workers) {
  auto node = std::make_unique<MeshNode>(*this, places_.size(), workers);
  MeshNode* const shell = node.get();
  return add_place(std::move(node), shell);
}

MeshWorld::Node MeshWorld::add_original() {
  return add_place(std::make_unique<OriginalNode>(*this, places_.size()), nullptr);
}

void MeshWorld::add_cloud(bool is_original, const TaskKinds& kinds) {
  has_cloud_ = true;
  cloud_kinds_ = kinds;
  cloud_is_original_ = is_original;
  cloud_comes();
}

void MeshWorld::set_kinds(Node node, TaskKinds kinds) {
  places_[node]->node->set_kinds(std::move(kinds));
  crash(node);
  restart(node);
}

void MeshWorld::share_queue(Node node, Node with) {
  auto& store = places_[with]->store;
  if (store == nullptr) store = std::make_shared<MeshStore>(*this);
  places_[node]->store = store;
  for (const Node one : {with, node}) {
    crash(one);
    restart(one);
  }
}

std::shared_ptr<MeshStore> MeshWorld::store_of(Node node) {
  const auto& shared = places_[node]->store;
  return shared != nullptr ? shared : std::make_shared<MeshStore>(*this);
}

void MeshWorld::want(Node dialler, Node target) {
  places_[dialler]->wanted.push_back(target);
  after(dialler, drawn(Duration::zero(), options_.longest_link * 2),
        [this, dialler, target] { dial(dialler, target); });
}

std::size_t MeshWorld::add_client(Node node) {
  clients_.push_back({.node = node, .sent = {}});
  return clients_.size() - 1;
}

Scheduler& MeshWorld::scheduler(Node node) {
  return places_[node]->node->scheduler();
}

// Time.

void MeshWorld::after(Node node, Duration delay, std::function<void()> what) {
  events_.push({now_ + delay, ++last_order_, node, places_[node]->life, std::move(what)});
}

void MeshWorld::run_next() {
  const Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.at);
  Place& place = *places_[event.node];
  if (!place.is_up || place.life != event.life) return;
  if (place.is_frozen) {
    place.deferred.push_back(event.what);
    return;
  }
  ++ran_;
  mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  mix(event.node);
  event.what();
}

void MeshWorld::run_for(Duration length) {
  const Instant end = now_ + length;
  while (broken_.empty() && !events_.empty() && events_.top().at <= end) run_next();
  now_ = std::max(now_, end);
}

bool MeshWorld::run_until(const std::function<bool()>& is_true, Duration longest) {
  const Instant end = now_ + longest;
  while (broken_.empty() && !is_true() && now_ < end) run_for(std::chrono::milliseconds(50));
  return is_true();
}

Duration MeshWorld::drawn(Duration least, Duration most) {
  const double share = random_.unit();
  return least +
         Duration(static_cast<Duration::rep>(share * static_cast<double>((most - least).count())));
}

Duration MeshWorld::run_time(TaskClass weight) {
  const Duration mean = options_.run_times[index_of(weight)];
  return drawn(mean / 2, mean * 3 / 2);
}

void MeshWorld::fail(const std::string& what) {
  if (!broken_.empty()) return;
  broken_ = what + ", after " + std::to_string(ran_) + " events, at " +
            format_duration(now_.time_since_epoch());
}

void MeshWorld::mix(std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte, value >>= 8) {
    digest_ = (digest_ ^ (value & 0xff)) * 0x100000001b3ULL;
  }
}

// Lives.

void MeshWorld::start(Node node) {
  Place& place = *places_[node];
  ++place.life;
  place.is_up = true;
  place.is_frozen = place.knows_cloud = false;
  place.peer->start();
  after(node, drawn(Duration::zero(), std::chrono::milliseconds(100)),
        [this, node] { look_after_links(node); });
  if (cloud_is_up_) tell_of_cloud(node);
}

void MeshWorld::crash(Node node, bool says_so) {
  if (places_[node]->is_up) end_life(node, says_so);
}

void MeshWorld::end_life(Node node, bool says_so) {
  Place& place = *places_[node];
  for (const auto& [peer, end] : std::exchange(place.links, {})) {
    Link& link = links_[end.link];
    link.open[end.side] = false;
    if (!says_so) link.wire[end.side].clear();
    if (says_so) lose(end.link, end.side);
  }
  place.is_up = place.is_frozen = false;
  place.deferred.clear();
  place.clients.clear();
  ++place.cloud_link;
  for (SentTask& task : sent_) {
    if (task.node == node && task.life == place.life && task.answers == 0) task.is_excused = true;
  }
  place.peer->end();
}

/// As node/node.cpp: no new task, its neighbours are told, and after a while the rest is refused.
void MeshWorld::stop(Node node) {
  MeshNode* const shell = places_[node]->node;
  if (shell == nullptr || !places_[node]->is_up) return;
  after(node, Duration::zero(), [shell] { shell->drain(); });
  after(node, drawn(std::chrono::milliseconds(100), std::chrono::seconds(2)), [this, node, shell] {
    shell->stop();
    crash(node);
    if (is_calm_) restart(node);
  });
}

void MeshWorld::restart(Node node) {
  if (!places_[node]->is_up) start(node);
}

void MeshWorld::freeze(Node node) {
  if (places_[node]->is_up) places_[node]->is_frozen = true;
}

void MeshWorld::thaw(Node node) {
  Place& place = *places_[node];
  place.is_frozen = false;
  for (auto& what : std::exchange(place.deferred, {})) {
    after(node, Duration::zero(), std::move(what));
  }
}

void MeshWorld::queue_goes(Node node) {
  if (places_[node]->is_up) places_[node]->node->queue().go_away();
}

void MeshWorld::queue_comes(Node node, bool has_lost) {
  if (places_[node]->is_up) places_[node]->node->queue().come_back(has_lost);
}

void MeshWorld::pause(Node node, bool is_paused) {
  if (places_[node]->is_up) places_[node]->node->queue().pause(is_paused);
}

void MeshWorld::set_workers(Node node, std::size_t workers) {
  places_[node]->node->set_workers(workers);
}

// Clients.

/// A client connects when it sends, and again when its node has a new life.
void MeshWorld::send(std::size_t number, Task task) {
  Client& client = clients_[number];
  Place& place = *places_[client.node];
  if (!place.is_up) return;
  if (place.node == nullptr) {  // of an original node: what becomes of its tasks is its affair
    auto* const original = static_cast<OriginalNode*>(place.peer.get());
    return after(client.node, Duration::zero(), [original, task] { original->hand_on_own(task); });
  }
  if (client.peer == 0 || client.life != place.life) {
    client.life = place.life;
    client.peer = place.next_peer++;
    client.last_id = 0;
    client.sent.clear();
    place.clients[client.peer] = number;
  }
  const std::string task_id = std::to_string(++client.last_id);
  client.sent[task_id] = sent_.size();
  SentTask sent;
  sent.node = client.node;
  sent.life = client.life;
  if (task.uid_chosen) sent.uid = task.uid;
  sent.requirement = task.time_requirement;
  sent.at = now_;
  sent_.push_back(std::move(sent));
  const Origin origin{client.peer, task_id, task.uid_chosen, task.uid_chosen, true};
  after(client.node, Duration::zero(),
        [shell = place.node, task, origin] { shell->on_task(task, origin); });
}

void MeshWorld::cancel(std::size_t number, const std::string& uid) {
  cancelled_.insert(uid);
  const Client& client = clients_[number];
  MeshNode* const node = places_[client.node]->node;
  if (!places_[client.node]->is_up || node == nullptr) return;
  after(client.node, Duration::zero(), [node, uid] { node->on_cancel(uid); });
}

void MeshWorld::give_up(std::size_t number, const std::string& uid) {
  Client& client = clients_[number];
  const Place& place = *places_[client.node];
  if (!place.is_up || place.node == nullptr || client.life != place.life) return;
  std::set<std::string> ids;
  for (const auto& [task_id, index] : client.sent) {
    if (sent_[index].uid != uid) continue;
    sent_[index].is_excused = true;
    ids.insert(task_id);
  }
  after(client.node, Duration::zero(),
        [node = place.node, peer = client.peer, uid, ids] { node->on_given_up(peer, uid, ids); });
}

bool MeshWorld::answer_client(Node node, const ReturnResult& answer) {
  const Place& place = *places_[node];
  const auto client = place.clients.find(answer.origin.peer);
  if (client == place.clients.end()) return false;
  SentTask& sent = sent_[clients_[client->second].sent.at(answer.origin.task_id)];
  if (++sent.answers > 1) fail("a task was answered twice to its client");
  const auto& error = answer.result.error;
  const bool is_cancelled = error && error->code == TaskErrorCode::cancelled;
  if (is_cancelled && !cancelled_.contains(answer.result.uid)) {
    fail("a task was answered as cancelled, and nobody had cancelled it");
  }
  sent.answered_at = now_;
  sent.execution = answer.result.execution_time;
  sent.ran_on = answer.result.node;
  sent.has_failed = answer.result.error.has_value();
  return true;
}

std::size_t MeshWorld::unanswered() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sent_, [](const SentTask& task) { return task.answers == 0 && !task.is_excused; }));
}

double MeshWorld::in_time_rate() const {
  const auto in_time = std::ranges::count_if(sent_, &SentTask::is_in_time);
  return static_cast<double>(in_time) / static_cast<double>(sent_.size());
}

std::size_t MeshWorld::ran_on(Node node) const {
  const std::string name = "node-" + std::to_string(node);
  return static_cast<std::size_t>(std::ranges::count(sent_, name, &SentTask::ran_on));
}

// The end.

void MeshWorld::settle(Duration longest) {
  is_calm_ = true;
  for (Node node = 0; node < places_.size(); ++node) {
    if (is_up(node)) thaw(node);
    restart(node);
    if (places_[node]->node == nullptr) continue;
    queue_comes(node);
    pause(node, false);
    places_[node]->node->learn_kinds(first_kinds());
    set_workers(node, std::max<std::size_t>(1, places_[node]->node->workers()));
  }
  if (has_cloud_) cloud_comes();
  heal();
  const auto is_quiet = [this] {
    return unanswered() == 0 && std::ranges::all_of(places_, [](const auto& place) {
             return place->is_up && place->peer->is_quiet();
           });
  };
  // Queues that have just come back are given their strays, and what the dead held is queued again.
  run_for(std::chrono::seconds(3));
  if (!run_until(is_quiet, longest) && broken_.empty()) {
    fail(std::to_string(unanswered()) + " tasks are lost, or something never comes to rest");
  }
  if (!run_until([this] { return is_whole(); }, longest)) fail("the mesh is not whole again");
  run_for(std::chrono::seconds(3));
  check_quiet();
}

void MeshWorld::check_quiet() {
  if (!is_whole()) fail("the mesh does not stay whole");
  for (const auto& place : places_) {
    if (place->node == nullptr) continue;
    if (const std::string left = place->node->left_over(); !left.empty()) {
      fail("all is quiet, but: " + left);
    }
  }
}

}  // namespace fogctl::support
