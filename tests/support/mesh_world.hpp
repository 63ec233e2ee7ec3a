// Several nodes, the links between them, their clients and a cloud on virtual time. Each node is
// the real Scheduler with a queue and workers of the test's own; what happens is drawn from a seed:
// same seed, same trace. The verbs are what a scenario is told in. What must hold is checked after
// every event; `broken` says what did not.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "scheduling/scheduler.hpp"
#include "support/mesh_message.hpp"
#include "support/mesh_store.hpp"

namespace fogctl::support {

class MeshNode;
class OriginalNode;

struct MeshOptions {
  ClassDurations run_times{std::chrono::milliseconds(10), std::chrono::milliseconds(60),
                           std::chrono::milliseconds(250)};  // each drawn from half to 1.5 times
  Duration longest_link = std::chrono::milliseconds(5);      // one way; each link draws its own
  Duration longest_lane = std::chrono::milliseconds(2);  // until the queue answers, there and back
  Duration load_interval = std::chrono::milliseconds(100);
  Duration sharing_interval = std::chrono::seconds(1);
  Duration overdue_min = std::chrono::seconds(60);
  const char* policy = "original";
  std::size_t most_unsent = 0;  // bytes of contents for one link; 0: any number is sent at once
  unsigned queue_refuses = 0;   // per cent of the enqueues
  unsigned answers_lost = 0;    // ... that take effect although they say unavailable
  unsigned calls_repeated = 0;  // per cent: their answer is lost, and they are made again at once
  unsigned tasks_fail = 0;      // per cent of the runs
  unsigned runs_fail = 0;       // ... that are tried again, after a while
  unsigned peers_lose = 0;      // per cent of the tasks that an original node or cloud gets
};

/// One task of a client, and what became of it.
struct SentTask {
  std::size_t node = 0;
  std::uint64_t life = 0;  // of the node
  std::string uid;         // if the client chose one
  Duration requirement{};
  Instant at;
  Instant answered_at;
  Duration execution{};
  std::string ran_on;
  int answers = 0;
  bool has_failed = false;
  bool is_excused = false;  // its node died with it, or its client gave it up

  [[nodiscard]] bool is_in_time() const {
    return answers == 1 && !has_failed && answered_at - at - execution <= requirement;
  }
};

class MeshWorld {
 public:
  using Node = std::size_t;
  using Nodes = std::initializer_list<Node>;

  explicit MeshWorld(std::uint64_t seed, const MeshOptions& options = {});
  ~MeshWorld();

  // Building. Nodes that want each other dial until they have a link.
  Node add_node(std::size_t workers = 1);
  Node add_original();
  void add_cloud(bool is_original = false, const TaskKinds& kinds = first_kinds());
  /// What a node can run, in its next life too; it starts a new one.
  void set_kinds(Node node, TaskKinds kinds);
  /// The node serves the queue of the other one; it starts a new life.
  void share_queue(Node node, Node with);
  void want(Node dialler, Node target);
  std::size_t add_client(Node node);

  // Verbs.
  void run_for(Duration length);
  /// False: `is_true` did not come about within `longest`.
  bool run_until(const std::function<bool()>& is_true, Duration longest);
  void send(std::size_t client, Task task);
  void cancel(std::size_t client, const std::string& uid);
  /// The client needs nothing of this uid any more: others may.
  void give_up(std::size_t client, const std::string& uid);
  void dial(Node dialler, Node target);
  void partition(const std::vector<Node>& some, const std::vector<Node>& others);
  void heal();
  /// The process is killed; `says_so`: its connections are reset, else the whole host is gone.
  void crash(Node node, bool says_so = true);
  void stop(Node node);     // in order
  void restart(Node node);  // under a new id
  void freeze(Node node);
  void thaw(Node node);
  void cloud_goes();
  void cloud_comes();
  void queue_goes(Node node);
  void queue_comes(Node node, bool has_lost = false);
  void pause(Node node, bool is_paused = true);  // its queue
  void set_workers(Node node, std::size_t workers);
  /// No more faults, everything is there again, and runs until all is answered; then checks what
  /// must hold when all is quiet.
  void settle(Duration longest = std::chrono::minutes(2));

  // What came of it.
  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::size_t events() const { return ran_; }
  [[nodiscard]] const std::deque<SentTask>& sent() const { return sent_; }
  [[nodiscard]] std::size_t unanswered() const;
  [[nodiscard]] double in_time_rate() const;
  [[nodiscard]] std::size_t ran_on(Node node) const;
  /// Tasks that came to a node which had asked for one.
  [[nodiscard]] std::size_t stolen() const { return stolen_; }
  [[nodiscard]] bool is_node(Node node) const {  // of fogctl
    return node < places_.size() && places_[node]->node != nullptr;
  }
  [[nodiscard]] bool is_up(Node node) const { return places_[node]->is_up; }
  [[nodiscard]] bool is_frozen(Node node) const { return places_[node]->is_frozen; }
  [[nodiscard]] bool is_cloud_up() const { return cloud_is_up_; }
  [[nodiscard]] Scheduler& scheduler(Node node);
  /// The links that take tasks from this node to the other one.
  [[nodiscard]] std::size_t links_between(Node node, Node other);
  [[nodiscard]] bool is_whole();

  // For the parts of this world.
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const MeshOptions& options() const { return options_; }
  [[nodiscard]] const Policy& policy() const { return *find_policy(options_.policy); }
  [[nodiscard]] bool chance(unsigned percent) { return random_.below(100) < percent; }
  /// A fault of so many per cent, while there are faults.
  [[nodiscard]] bool fault(unsigned percent) { return percent > 0 && !is_calm_ && chance(percent); }
  [[nodiscard]] Duration drawn(Duration least, Duration most);
  [[nodiscard]] Duration run_time(TaskClass weight);
  void fail(const std::string& what);
  void mix(std::uint64_t value);
  void note_stolen() { ++stolen_; }
  /// At this node, unless it has died by then; once it is thawed, where it is frozen.
  void after(Node node, Duration delay, std::function<void()> what);
  void send(Node from, PeerId peer, MeshMessage message);
  void close(Node node, PeerId peer, bool in_order);
  [[nodiscard]] Duration round_trip(Node node, PeerId peer) const;
  /// A node answers one of its clients. False: the peer is none.
  bool answer_client(Node node, const ReturnResult& answer);
  void send_to_cloud(Node node, const HandOn& task);
  [[nodiscard]] const std::string& address(Node node) const { return places_[node]->address; }
  /// Of its next life.
  [[nodiscard]] std::shared_ptr<MeshStore> store_of(Node node);
  [[nodiscard]] bool shares_queue(Node node) const { return places_[node]->store != nullptr; }
  [[nodiscard]] const TaskKinds& cloud_kinds() const { return cloud_kinds_; }
  [[nodiscard]] Duration cloud_delay() const { return std::chrono::milliseconds(15); }

 private:
  struct Event {
    Instant at;
    std::uint64_t order = 0;
    Node node = 0;
    std::uint64_t life = 0;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };
  struct LinkEnd {
    std::size_t link = 0;
    std::size_t side = 0;
  };
  struct Place {
    std::unique_ptr<MeshPeer> peer;
    MeshNode* node = nullptr;  // the peer, where it is one of fogctl
    std::string address;
    std::shared_ptr<MeshStore> store;  // where it shares one
    std::uint64_t life = 0;
    bool is_up = false;
    bool is_frozen = false;
    std::deque<std::function<void()>> deferred;
    PeerId next_peer = 1;
    std::map<PeerId, LinkEnd> links;
    std::map<PeerId, std::size_t> clients;
    std::vector<Node> wanted;
    bool knows_cloud = false;
    std::uint64_t cloud_link = 0;  // which of its links to the cloud
  };
  struct Link {
    std::array<Node, 2> ends{};
    std::array<PeerId, 2> peers{};
    std::array<std::uint64_t, 2> lives{};
    std::array<bool, 2> open{};
    Duration delay{};
    std::array<std::deque<MeshMessage>, 2> wire;  // from each side, in order
    std::array<std::size_t, 2> stalled{};         // arrivals that a cut holds up
  };
  struct Client {
    Node node = 0;
    std::uint64_t life = 0;
    PeerId peer = 0;
    int last_id = 0;
    std::map<std::string, std::size_t> sent;  // by task_id
  };

  Node add_place(std::unique_ptr<MeshPeer> peer, MeshNode* node);
  void start(Node node);
  void end_life(Node node, bool says_so);
  void run_next();
  void look_after_links(Node node);
  [[nodiscard]] bool is_cut(Node a, Node b) const;
  [[nodiscard]] bool has_link(Node node, Node other) const;
  void arrive(std::size_t link, std::size_t from);
  void take(std::size_t link, std::size_t side, const MeshMessage& message);
  void lose(std::size_t link, std::size_t side);
  void accept(std::size_t client, Task task, std::size_t sent);
  void tell_of_cloud(Node node);
  void cloud_answers(Node node, const HandOn& task, std::uint64_t link);
  void check_quiet();

  Random random_;
  MeshOptions options_;
  bool is_calm_ = false;
  std::string broken_;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL;
  Instant now_{std::chrono::seconds(1)};
  std::priority_queue<Event> events_;
  std::uint64_t last_order_ = 0;
  std::size_t ran_ = 0;
  std::size_t stolen_ = 0;

  std::vector<std::unique_ptr<Place>> places_;
  std::deque<Link> links_;
  std::set<std::pair<Node, Node>> cuts_;
  std::vector<Client> clients_;
  std::deque<SentTask> sent_;
  std::set<std::string> cancelled_;  // uids
  bool has_cloud_ = false;
  bool cloud_is_up_ = false;
  bool cloud_is_original_ = false;
  TaskKinds cloud_kinds_;
};

}  // namespace fogctl::support
