// The node's part beyond tasks and results: what people and clients ask of it and of its queue, and
// handing on what is queued when it stops.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "node/node.hpp"
#include "node/nodes_report.hpp"
#include "node/queue_words.hpp"
#include "queue/desk.hpp"

namespace fogctl {
namespace {

constexpr std::size_t handed_over_at_once = 1000;

/// What became of a task that was given up, by what the queue says. `is_told`: who waited for it
/// here was told so; then it is not unknown, whatever the queue knows of it.
std::string_view cancel_status(const Result<std::vector<CancelStatus>>& said, std::size_t i,
                               bool is_told) {
  const bool is_held = said && (*said)[i] == CancelStatus::will_apply;
  if (is_told && !is_held) return to_string(CancelStatus::cancelled);
  return said ? to_string((*said)[i]) : std::string_view(said.error().message);
}

}  // namespace

void Node::on_message(PeerId peer, const wire::NodesQuery&) {
  const bool is_ready = crew_.is_ready() && !is_queue_broken_;
  NodesReportInput input{identity(), scheduler_.own_state(), is_ready, {}, {}};
  if (cloud_ && cloud_->is_up()) {
    input.cloud = {to_string(cloud_->address()), cloud_->round_trip(), cloud_->is_original()};
  }
  for (const Neighbour& neighbour : scheduler_.neighbours()) {
    if (!neighbour.is_retired) {
      input.neighbours.push_back({&neighbour, mesh_.address_of(neighbour.link)});
    }
  }
  input.dropped_results = scheduler_.repeated_results();
  input.predictions = &scheduler_.predictions();
  if (options_.shadow) input.shadow = options_.shadow->name;
  input.shadow_counts = scheduler_.shadow_counts();
  buffer_.clear();
  wire::append_nodes_report(buffer_, nodes_report(input, clock_.now()));
  connections_.send(peer, buffer_);
}

/// After what was decided before it: a task that is asked for may have just come.
void Node::ask_queue(LaneCall call) {
  perform_all();
  LaneWork work;
  work.calls.push_back(std::move(call));
  lane_.submit(std::move(work));
}

void Node::on_message(PeerId peer, const wire::Cancel& cancel) {
  const auto reply = [this, peer, uid = cancel.uid](std::string_view status) {
    buffer_.clear();
    wire::append_cancelled(buffer_, {uid, std::string(status)});
    connections_.send(peer, buffer_);
  };
  if (!scheduler_.may_cancel(peer, cancel.uid)) return reply(to_string(CancelStatus::unknown));
  const bool is_told = scheduler_.on_cancel(cancel.uid, actions_);
  ask_queue([this, reply, is_told, uid = cancel.uid](TaskQueue& queue) -> std::function<void()> {
    const std::string status(cancel_status(queue.cancel({&uid, 1}, clock_.now()), 0, is_told));
    return [reply, status] { reply(status); };
  });
}

/// A cancel goes by the Scheduler first: what is with a peer ends there, and what waits for a place
/// ends here; other nodes may have asked the queue for either.
void Node::on_message(PeerId peer, wire::QueueQuery query) {
  std::vector<std::string> told;
  if (query.action == "cancel") {
    std::erase_if(query.uids, [&](const std::string& uid) {
      if (!scheduler_.on_cancel(uid, actions_)) return false;
      told.push_back(uid);
      return true;
    });
  }
  QueueRequest request{query.action, query.state, std::move(query.uids), query.most};
  ask_queue([this, peer, request = std::move(request),
             told = std::move(told)](TaskQueue& queue) -> std::function<void()> {
    const Instant now = clock_.now();
    wire::QueueReport report;
    const auto statuses =
        told.empty() ? Result<std::vector<CancelStatus>>() : queue.cancel(told, now);
    for (std::size_t i = 0; i < told.size(); ++i) {
      report.objects.push_back(status_object(told[i], cancel_status(statuses, i, true)));
    }
    auto answered = answer(queue, request, now);
    std::string text;
    if (answered) {
      std::ranges::move(*answered, std::back_inserter(report.objects));
      wire::append_queue_report(text, report);
    } else {
      const Error& why = answered.error();
      wire::append_error(text, is_transient(why) ? "unavailable" : "invalid_message", why.message);
    }
    return [this, peer, text = std::move(text)] { connections_.send(peer, text); };
  });
}

/// The queue says that somebody gave up what this node holds; its workers know by themselves.
void Node::on_cancelled(const std::vector<std::string>& uids) {
  for (const std::string& uid : uids) (void)scheduler_.on_cancel(uid, actions_);
  perform();
}

void Node::perform(TellAccepted& action, LaneWork&) {
  const Task& task = *action.task;
  const std::string placement = task.process_by == "f" ? "local" : task.process_by;
  buffer_.clear();
  wire::append_accepted(buffer_, {action.origin.task_id, task.uid, placement,
                                  from_seconds(task.estimated_queuing_time)});
  connections_.send(action.origin.peer, buffer_);
}

void Node::perform(GiveUp& action, LaneWork&) {
  buffer_.clear();
  wire::append_cancel(buffer_, action.uid);
  if (action.link == cloud_link) return cloud_->send_text(buffer_);
  connections_.send(action.link, buffer_);
}

/// It came here before this node's tasks were others, as in an earlier life: it goes to a node that
/// can run it, or waits for one, unless others that serve the queue may have it.
void Node::on_unrunnable(const Lease& lease, bool has_others) {
  const Task& task = *lease.task;
  if (has_others) return crew_.pool().leave_to_others(task, {task.uid, lease.number});
  if (unrunnable_.insert(task.name).second) {
    log(LogLevel::warning,
        "task '{}' was found in the queue and has no handler here: it goes to a node that can run "
        "it, or waits for one",
        task.name);
  }
  (void)scheduler_.on_taken(
      {lease.task, lease.number, lease.attempt, lease.arrival, lease.reply_to}, clock_.now(),
      actions_);
  perform();
}

/// While the node stops, what is queued goes to whoever can start it, the most urgent first; not
/// where other workers serve the queue.
void Node::hand_over() {
  if (has_handed_over_ || is_handing_over_) return;
  const bool others_serve = queue_.blocks() && scheduler_.own_state().workers > options_.workers;
  if (others_serve || !scheduler_.has_elsewhere(clock_.now())) {
    has_handed_over_ = true;
    return;
  }
  take_queued();
}

/// Workers serve the queue no more, and there is somewhere else.
void Node::rescue() {
  if (is_draining_ || is_handing_over_ || !scheduler_.has_stranded_tasks(clock_.now())) return;
  take_queued();
}

void Node::take_queued() {
  is_handing_over_ = true;
  LeaseWant want;
  want.idle = want.at_most = handed_over_at_once;
  want.away = true;
  ask_queue([this, want](TaskQueue& queue) -> std::function<void()> {
    const Instant now = clock_.now();
    auto taken = queue.lease(want, now);
    const auto load = queue.load(now);
    // What waits to be tried again ends with a queue that ends with this process.
    const bool is_last = !load || queue.blocks() || load->delayed == 0;
    return [this, taken = std::move(taken), is_last] { on_taken(taken, is_last); };
  });
}

/// `is_last`: nothing more can come into the queue. The next tick asks again, while it is of use.
void Node::on_taken(const Result<std::vector<Lease>>& taken, bool is_last) {
  is_handing_over_ = false;
  if (is_draining_) has_handed_over_ = !taken || (taken->empty() && is_last);
  if (!taken) return log(LogLevel::warning, "queued tasks stay: {}", taken.error().message);
  std::vector<Lease> leases = *taken;
  std::ranges::stable_sort(leases, {},
                           [](const Lease& one) { return start_by(*one.task, one.arrival); });
  const Instant now = clock_.now();
  std::size_t handed = 0;
  for (const Lease& lease : leases) {
    const bool is_away = scheduler_.on_taken(
        {lease.task, lease.number, lease.attempt, lease.arrival, lease.reply_to}, now, actions_);
    handed += is_away ? 1 : 0;
  }
  if (is_draining_ && !leases.empty() && handed == 0) has_handed_over_ = is_last;
  if (handed > 0) {
    log(LogLevel::info, "handed on {}{}", counted(handed, "queued task"),
        is_draining_ ? "" : ": no worker serves the queue");
  }
}

}  // namespace fogctl
