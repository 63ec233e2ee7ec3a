// What the node's parts tell it: the queue's lane, the link to the cloud, the connections.
#include <utility>

#include "base/log.hpp"
#include "node/node.hpp"
#include "node/queue_words.hpp"

namespace fogctl {

LaneEvents Node::lane_events() {
  return {.on_enqueued = [this](const auto& answers) { on_enqueued(answers); },
          .on_withdrawn = [this](const auto& answers) { on_withdrawn(answers); },
          .on_load =
              [this](const QueueLoad& load) {
                scheduler_.on_load(backlog_of(load), clock_.now(), actions_);
                if (!knows_held_) check_held_away();
              },
          .on_down =
              [this](const Error& why) {
                log(LogLevel::warning, "the queue is away: {}", why.message);
                is_queue_broken_ = !may_recover(why);
                scheduler_.on_queue_down();
              },
          .on_up =
              [this](bool restarted) {
                log(LogLevel::info, "the queue is back{}",
                    restarted ? "; giving it again what is unanswered" : "");
                is_queue_broken_ = false;
                scheduler_.on_queue_up(restarted, clock_.now(), actions_);
                knows_held_ &= !restarted;
              }};
}

/// A queue that restarted may have forgotten what ended, or came back, shortly before.
void Node::check_held_away() {
  if (std::exchange(is_checking_held_, true)) return;
  ask_queue([this](TaskQueue& queue) -> std::function<void()> {
    const auto held = queue.held(true);
    if (!held) return [this] { is_checking_held_ = false; };  // until the next look
    std::vector<TakeBack> all;
    for (const LeaseRef& lease : *held) all.push_back({lease.uid, lease.number});
    return [this, all = std::move(all)] {
      is_checking_held_ = false;
      knows_held_ = scheduler_.on_held_away(all, actions_);
    };
  });
}

CloudLink::Events Node::cloud_events() {
  return {.on_up =
              [this](bool is_original, std::size_t max_message) {
                scheduler_.on_cloud_up(is_original, max_message, clock_.now(), actions_);
                perform();
              },
          .on_down =
              [this] {
                scheduler_.on_cloud_down(clock_.now(), actions_);
                perform();
              },
          .on_result =
              [this](const wire::ResultMessage& message) { on_link_result(cloud_link, message); },
          .on_kinds =
              [this](TaskKinds kinds) {
                scheduler_.on_kinds(cloud_link, std::move(kinds), clock_.now(), actions_);
                perform();
              },
          .on_progress =
              [this](const wire::Progress& progress) { on_link_progress(cloud_link, progress); },
          .on_batch = [this] { perform(); },
          .on_written = [this] { on_written(cloud_link); }};
}

Connections::Events Node::connection_events() {
  return {.on_object = [this](PeerId peer, std::string_view text) { on_object(peer, text); },
          .on_batch =
              [this](PeerId peer) {
                stamp_.clear();
                perform();
                slow_down(peer);
              },
          .on_closed =
              [this](PeerId peer, const std::string& why) {
                guests_.remove(peer);
                mesh_.on_closed(peer, why);
                if (is_draining_ && connections_.empty() && is_goodbye_) io_.stop();
              },
          .on_written = [this](PeerId peer) { on_written(peer); },
          .on_unread = [this](PeerId peer) { scheduler_.on_peer_unread(peer); }};
}

}  // namespace fogctl
