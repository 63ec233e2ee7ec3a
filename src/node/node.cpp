#include "node/node.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>
#include <variant>

#include "base/log.hpp"
#include "net/timer_length.hpp"
#include "node/queue_words.hpp"

namespace fogctl {
namespace {

/// Past this, who sends more tasks is read from again when half of them are in the queue.
constexpr std::size_t most_unconfirmed = 4096;
constexpr Duration look_interval = std::chrono::milliseconds(100);
/// Before what is overdue is looked at again.
constexpr Duration shortest_tick = std::chrono::milliseconds(1);
/// To take a task out of the queue, send it to the cloud and begin it there, the way apart.
constexpr Duration escape_margin = std::chrono::milliseconds(2);
/// For who asks why: with what is kept of them at most 14 MiB.
constexpr std::size_t kept_decisions = 10'000;
/// Some tenths of a second of a fast link's time, and of a slow one's no more than its tasks bear.
constexpr std::size_t most_unsent = std::size_t{4} << 20;

SchedulerOptions scheduler_options(const NodeOptions& options, const TaskQueue& queue,
                                   std::function<bool(PeerId peer)> is_connected) {
  SchedulerOptions scheduler;
  scheduler.is_connected = std::move(is_connected);
  scheduler.node = options.id;
  scheduler.name = options.name;
  scheduler.policy = options.policy;
  scheduler.shares_queue = queue.blocks();
  scheduler.is_cloud = options.is_cloud;
  scheduler.patience = options.patience;
  scheduler.max_message = options.connection.max_message;
  scheduler.max_attempts = static_cast<int>(options.max_attempts);
  scheduler.hands_to_neighbours = options.hands_to_neighbours;
  scheduler.sharing_interval = options.sharing_interval;
  scheduler.max_neighbours = options.mesh.max_neighbours;
  scheduler.kept_decisions = kept_decisions;
  scheduler.watch = options.recorder;
  scheduler.shadow = options.shadow;
  scheduler.overdue_factor = options.overdue_factor;
  scheduler.overdue_min = options.overdue_min;
  scheduler.escape_margin = escape_margin;
  scheduler.most_unsent = most_unsent;
  return scheduler;
}

FileNeeds file_needs(const NodeOptions& options) {
  const std::size_t neighbours = options.is_cloud ? 0 : options.mesh.max_neighbours;
  return {.workers = options.workers, .links = neighbours + options.clouds.size()};
}

}  // namespace

Node::Node(NodeOptions options, TaskQueue& queue, const Handlers& handlers, const Clock& clock)
    : options_(std::move(options)),
      queue_(queue),
      handlers_(handlers),
      clock_(clock),
      signals_(io_, SIGINT, SIGTERM),
      tick_timer_(io_),
      ending_timer_(io_),
      listener_(io_),
      connections_(options_.connection, connection_events()),
      guests_(share_files(options_.open_files, file_needs(options_))),
      scheduler_(
          scheduler_options(options_, queue,
                            [this](PeerId peer) { return connections_.find(peer) != nullptr; }),
          Random(entropy())),
      mesh_(io_, options_.mesh, connections_, scheduler_, actions_, clock,
            {.adopt = [this](asio::ip::tcp::socket socket) { return adopt(std::move(socket)); },
             .perform = [this] { perform(); }}),
      crew_(queue, handlers, clock, crew_options(),
            {.on_results =
                 [this](std::vector<TaskResult> results) {
                   asio::post(io_, [this, results = std::move(results)] { on_results(results); });
                 },
             .on_begun = begin_event(),
             .on_unrunnable =
                 [this](Lease lease, bool has_others) {
                   asio::post(io_, [this, lease = std::move(lease), has_others] {
                     on_unrunnable(lease, has_others);
                   });
                 },
             .on_cancelled =
                 [this](std::vector<std::string> uids) {
                   asio::post(io_, [this, uids = std::move(uids)] { on_cancelled(uids); });
                 },
             .on_progress =
                 [this](std::vector<TaskProgress> news) {
                   asio::post(io_, [this, news = std::move(news)] { on_progress(news); });
                 },
             .on_lost =
                 [this] {
                   asio::post(io_, [this] {
                     scheduler_.on_queue_lost(clock_.now(), actions_);
                     perform();
                   });
                 }}),
      lane_(queue, crew_.pool(), clock, lane_events(),
            [this](std::function<void()> event) {
              asio::post(io_, [this, event = std::move(event)] {
                event();
                perform();
              });
            }),
      spin_(clock) {
  if (!options_.clouds.empty()) {
    cloud_.emplace(io_, options_.clouds, options_.connection, Random(entropy()), cloud_events());
  }
}

CrewOptions Node::crew_options() const {
  CrewOptions crew;
  crew.lease = options_.lease;
  crew.watchdog = options_.watchdog;
  crew.pool.max_attempts = options_.max_attempts;
  crew.pool.retry_delay = options_.retry_delay;
  crew.pool.max_content = longest_content(options_.connection.max_message);
  crew.pool.threads = options_.workers;
  crew.pool.holder = options_.id;
  crew.pool.node_name = options_.name;
  crew.pool.order = queue_order(*options_.policy);
  return crew;
}

Result<void> Node::listen() {
  return listener_.open(options_.listen);
}

Result<void> Node::start() {
  return crew_.start();
}

bool Node::run() {
  begin_record();
  on_handlers_changed();
  lane_.ask_load();  // how busy it is already, before the first task comes
  lane_.start();
  listener_.accept([this](asio::ip::tcp::socket socket) { on_accepted(std::move(socket)); });
  if (cloud_) cloud_->start();
  if (!options_.is_cloud) mesh_.start(identity());
  tick();
  wait_for_signal();
  serve();
  return is_drained_;
}

/// io_.run(), but awake while a result of this process's own workers is due any moment.
void Node::serve() {
  while (!io_.stopped()) {
    const bool is_due = !queue_.blocks() && scheduler_.unanswered() > 0 && spin_.is_worth_it();
    if (!is_due || !spin_.wait([this] { return io_.poll_one() > 0; })) io_.run_one();
  }
}

wire::NodeIdentity Node::identity() const {
  return {options_.id, options_.name, wire::protocol_version, listener_.address(),
          options_.connection.max_message};
}

/// A node that dials this one is a guest like others. Where there is no room for it, this one may
/// still dial it: the links that it opens are not guests.
void Node::on_accepted(asio::ip::tcp::socket socket) {
  if (guests_.has_room()) return guests_.add(adopt(std::move(socket)));
  buffer_.clear();
  wire::append_error(buffer_, "overloaded", guests_.refuse());
  turn_away(std::move(socket), buffer_);
}

PeerId Node::adopt(asio::ip::tcp::socket socket) {
  std::string greeting;
  if (options_.is_cloud) {
    wire::append_cloud_ready(greeting, identity());
  } else {
    wire::append_fog_ready(greeting, clock_.wall_now(), identity());
  }
  return connections_.adopt(std::move(socket), greeting);
}

void Node::on_object(PeerId peer, std::string_view text) {
  auto message = wire::parse_message(text, scratch_);
  if (!message) {
    buffer_.clear();
    wire::append_error(buffer_, "invalid_message", message.error().message);
    return connections_.send(peer, buffer_);
  }
  std::visit([&](auto& kind) { on_message(peer, std::move(kind)); }, *message);
}

void Node::on_message(PeerId peer, wire::TaskMessage message) {
  Task& task = message.task;
  if (is_draining_) {
    return refuse(peer, message, {TaskErrorCode::unavailable, "this node is stopping"});
  }
  if (is_choked(peer) && message.extended) {
    return refuse(peer, message, {TaskErrorCode::unavailable, "results wait to be sent back"});
  }
  if (!message.has_class) task.weight = scheduler_.class_of(task.name);
  task.exclusive |= exclusive_.contains(task.name);
  if (!options_.is_cloud) {
    if (stamp_.empty()) stamp_ = wire::wall_time_text(clock_.wall_now());
    task.distribution_time = stamp_;
  }
  Origin origin{peer,
                std::move(message.task_id),
                message.extended,
                task.uid_chosen,
                message.wants_accept,
                message.steal};
  scheduler_.on_task(std::move(task), std::move(origin), clock_.now(), actions_);
}

void Node::on_message(PeerId peer, wire::BadTask bad) {
  refuse(peer, bad.message, std::move(bad.error));
}

void Node::refuse(PeerId peer, const wire::TaskMessage& message, TaskError error) {
  TaskResult result;
  result.uid = message.task.uid;
  result.node = options_.name;
  result.error = std::move(error);
  Origin origin{peer, message.task_id, message.extended, message.task.uid_chosen};
  actions_.push_back(ReturnResult{std::move(origin), std::make_shared<const Task>(message.task),
                                  std::move(result)});
}

void Node::on_link_result(PeerId link, const wire::ResultMessage& message) {
  const auto id = json::read_integer(message.task_id);
  TaskResult result = message.result;
  const Instant now = clock_.now();
  const bool is_known = id && (message.is_junk ? scheduler_.on_link_junk(link, *id, now, actions_)
                                               : scheduler_.on_link_result(
                                                     link, *id, std::move(result), now, actions_));
  if (!is_known) {
    log(LogLevel::debug, "dropped a result of peer {} for id {}", link, message.task_id);
    return;
  }
  forwarded_ = &message;
  perform_all();
  forwarded_ = nullptr;
}

void Node::on_results(const std::vector<TaskResult>& results) {
  const Instant now = clock_.now();
  spin_.learn(now - submitted_at_);
  for (const TaskResult& result : results) scheduler_.on_result(result, now, actions_);
  perform();
}

void Node::on_enqueued(const std::vector<LaneAnswer>& answers) {
  const Instant now = clock_.now();
  for (const LaneAnswer& answer : answers) {
    scheduler_.on_enqueued(answer.uid, enqueue_answer(answer), now, actions_);
  }
  unconfirmed_ -= answers.size();
  if (unconfirmed_ <= most_unconfirmed / 2) connections_.resume_all();
}

/// Others wait behind what one sends faster than the queue takes it. Not for a neighbour: what it
/// says of itself must be heard in time.
void Node::slow_down(PeerId peer) {
  if (unconfirmed_ > most_unconfirmed && scheduler_.who_is(peer) == nullptr) {
    connections_.pause(peer);
  }
}

void Node::perform() {
  perform_all();
  connections_.flush();
  if (cloud_) cloud_->flush();
}

/// What is performed may call back at once and add actions: they are next.
void Node::perform_all() {
  if (is_performing_) return;
  is_performing_ = true;
  while (!actions_.empty()) {
    std::swap(performed_, actions_);
    LaneWork work;
    for (Action& action : performed_) {
      std::visit([&](auto& kind) { perform(kind, work); }, action);
    }
    performed_.clear();
    if (!work.enqueue.empty()) submitted_at_ = clock_.now();
    lane_.submit(std::move(work));
    if (actions_.empty()) tell_unsent();
  }
  has_copies_ = scheduler_.has_copies();
  is_performing_ = false;
  arm_tick();
}

void Node::perform(EnqueueTask& action, LaneWork& work) {
  if (work.has_later()) {
    lane_.submit(std::exchange(work, {}));  // which it must not overtake
  } else if (work.enqueue.empty()) {
    work.enqueue.reserve(performed_.size());
  }
  ++unconfirmed_;
  work.enqueue.push_back({std::move(action.task), action.arrival, action.start_by, action.away});
}

void Node::perform(FinishAway& action, LaneWork& work) {
  LeaseRef lease{action.task->uid, action.lease_number};
  Finished end{std::move(lease), std::move(action.task), std::move(action.result),
               std::move(action.reply_to)};
  end.unless_asked = action.unless_asked;
  end.dead_after = action.dead_after;
  work.finish.push_back(std::move(end));
}

void Node::perform(TakeBack& action, LaneWork& work) {
  work.give_back.push_back({std::move(action.uid), action.lease_number});
}

void Node::tick() {
  tick_at_ = Instant::max();
  const Instant now = clock_.now();
  if (now >= look_at_) look_around(now);
  scheduler_.on_tick(now, actions_);
  perform();
  const bool is_over =
      has_handed_over_ && scheduler_.away() == 0 && withdrawing_ == 0 && !lane_.owes();
  if (is_over && !said_nothing_away_) {
    said_nothing_away_ = true;
    nothing_away_.set_value();
  }
}

/// What is not due at an instant, but now and then.
void Node::look_around(Instant now) {
  look_at_ = now + look_interval;
  if (cloud_) scheduler_.on_cloud_delay(cloud_->round_trip());
  if (!options_.is_cloud) mesh_.tick();
  if (!queue_.blocks()) lane_.ask_load();
  if (may_hand_over_) hand_over();
  rescue();
}

/// The next tick may have come nearer.
void Node::arm_tick() {
  const Instant due = std::min(look_at_, scheduler_.next_tick().value_or(look_at_));
  if (due >= tick_at_) return;
  tick_at_ = due;
  const Instant now = clock_.now();
  tick_timer_.expires_after(timer_length(due > now ? due - now : shortest_tick));
  tick_timer_.async_wait([this](asio::error_code error) {
    if (!error) tick();
  });
}

}  // namespace fogctl
