// The Scheduler's part about which tasks can run where, what they take there, and how far one is.
#include <algorithm>
#include <utility>

#include "scheduling/original_peer.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// Measured times are told no more often than this, and only where one changed much: by half of
/// what was told, and this.
constexpr Duration times_interval = std::chrono::seconds(5);
constexpr Duration least_change = std::chrono::milliseconds(1);
/// Bytes of a kind in its message at most, the name apart.
constexpr std::size_t kind_size = 90;

bool has_changed_much(const TaskKind& told, const TaskKind& now) {
  if (!now.time) return false;
  if (!told.time) return true;
  return std::chrono::abs(*now.time - *told.time) >= std::max(least_change, *told.time / 2);
}

}  // namespace

void Scheduler::on_kinds(PeerId link, TaskKinds kinds, Instant now, Actions& out) {
  const bool is_cloud = link == cloud_link && cloud_ && !cloud_is_original_;
  const Neighbour* neighbour = neighbours_.find(link);
  const bool is_neighbour = neighbour != nullptr && !neighbour->who.is_original();
  if (!is_cloud && !is_neighbour) return;
  if (is_cloud) cloud_told_kinds_ = true;
  kinds_.set(link, std::move(kinds));
  place_parked(now, out, link);
  if (is_cloud) set_escapes(now);
}

void Scheduler::on_own_kinds(TaskKinds kinds, Instant now, Actions& out) {
  kinds_.set_here(std::move(kinds));
  share_kinds(fogctl_links(), out);
  place_parked(now, out);
}

TaskKinds Scheduler::own_kinds() const {
  TaskKinds kinds;
  std::size_t size = kind_size;
  for (TaskKind kind : kinds_.here()) {
    size += kind_size + kind.name.size();
    // A message that is longer than a peer reads costs the link.
    if (kinds.size() == most_kinds || size > options_.max_message) break;
    if (const Estimate* estimate = estimates_.find(kind.name)) {
      kind.time = estimate->value();
      kind.runs = estimate->runs();
    }
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

TaskClass Scheduler::class_of(std::string_view name) const {
  return kinds_.class_of(name).value_or(TaskClass::light);
}

std::vector<PeerId> Scheduler::fogctl_links() const {
  std::vector<PeerId> links;
  for (const Neighbour& neighbour : neighbours_.all()) {
    if (!neighbour.who.is_original()) links.push_back(neighbour.link);
  }
  return links;
}

void Scheduler::share_kinds(std::vector<PeerId> links, Actions& out) {
  if (links.empty()) return;
  told_kinds_ = own_kinds();
  out.push_back(ShareKinds{std::move(links), told_kinds_});
}

void Scheduler::share_times_if_changed(Instant now, Actions& out) {
  if (now - kinds_at_ < times_interval) return;
  kinds_at_ = now;
  const TaskKinds kinds = own_kinds();
  const bool is_changed =
      !std::ranges::equal(told_kinds_, kinds, [](const TaskKind& a, const TaskKind& b) {
        return a.name == b.name && !has_changed_much(a, b);
      });
  if (is_changed) share_kinds(fogctl_links(), out);
}

bool Scheduler::cloud_takes(const Task& task) const {
  if (!cloud_) return false;
  if (cloud_is_original_) return original_peer_takes(task);
  const Kinds::Places* places = kinds_.find(task.name);
  return places != nullptr && places->find(cloud_link) != nullptr &&
         largest_message(task) <= std::min(options_.max_message, cloud_max_message_);
}

bool Scheduler::link_takes(PeerId link, const Task& task) {
  if (is_full(link)) return false;
  if (link == cloud_link) return cloud_takes(task);
  const Neighbour* neighbour = neighbours_.find(link);
  const Kinds::Places* places = kinds_.find(task.name);
  const bool can_run = places != nullptr && places->find(link) != nullptr;
  return neighbour != nullptr && !neighbour->is_retired && can_run;
}

bool Scheduler::runs_here(const Task& task) const {
  const Kinds::Places* places = kinds_.find(task.name);
  return places != nullptr && places->is_here;
}

/// Some node that this one is connected to can run it, or this one: now or once it has room.
bool Scheduler::is_in_reach(const Task& task) const {
  const Kinds::Places* places = kinds_.find(task.name);
  if (places == nullptr) return false;
  return places->is_here || std::ranges::any_of(places->links, [&](const auto& one) {
           return one.link == cloud_link || options_.hands_to_neighbours;
         });
}

/// Some node has just come, and has not yet said what it can run.
bool Scheduler::may_hear_of_kinds() const {
  if (cloud_ && !cloud_is_original_ && !cloud_told_kinds_) return true;
  return std::ranges::any_of(neighbours_.all(), [&](const Neighbour& neighbour) {
    return kinds_.of(neighbour.link) == nullptr;
  });
}

/// What it takes at the peer, by its own word if it has one.
Duration Scheduler::expected_run(const Task& task, PeerId link) const {
  const Kinds::Places* places = kinds_.find(task.name);
  const auto* there = places == nullptr ? nullptr : places->find(link);
  return there != nullptr && there->time ? *there->time : estimates_.of(task);
}

/// The field travels with the task, so that each node on its way passes back what it hears.
void Scheduler::on_progress(const std::string& uid, double share, Actions& out) {
  const Entry* entry = entry_of(uid);
  if (entry == nullptr) return;
  const RawField wanted{"want_progress", "true"};
  const auto& fields = entry->task->other_fields;
  if (std::ranges::find(fields, wanted) == fields.end()) return;
  out.push_back(TellProgress{entry->origin, uid, share});
  for (const Origin& origin : entry->other_origins) {
    if (origin.extended) out.push_back(TellProgress{origin, uid, share});
  }
}

void Scheduler::on_link_progress(PeerId link, std::int64_t id, double share, Instant now,
                                 Actions& out) {
  const auto uid = handed_on_.find(id, link);
  if (!uid) return;
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->heard_at = now;
  on_progress(*uid, share, out);
}

bool Scheduler::is_unplaceable(const Task& task) const {
  return !is_in_reach(task) && !may_hear_of_kinds();
}

}  // namespace fogctl
