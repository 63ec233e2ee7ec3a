// The Scheduler's part about asking the policy, and remembering for people what it saw, what it
// said, and what came of that.
#include <algorithm>
#include <span>
#include <utility>

#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// Neighbours that are gone are still named, so many of them.
constexpr std::size_t most_departed = 1000;

float seconds_of(Duration length) {
  return static_cast<float>(length.count()) * 1e-9F;
}

SeenPlace seen(const Policy& policy, const Candidate& candidate, PeerId link,
               const std::optional<Duration>& run) {
  const bool reads_start_wait = policy.reads_start_wait;
  SeenPlace place;
  place.link = link;
  place.wait = seconds_of(reads_start_wait ? candidate.start_wait.mean : candidate.expected_wait);
  place.deviation = reads_start_wait ? seconds_of(candidate.start_wait.deviation) : 0;
  place.link_delay = seconds_of(candidate.link_delay);
  place.run = run ? seconds_of(*run) : -1;
  place.age = seconds_of(candidate.report_age);
  place.site = candidate.site;
  return place;
}

/// What the policy holds of a place that it saw, of all places what is known.
Considered considered(const Policy& policy, const Decision& decision, const SeenPlace& place) {
  Considered one{.site = place.site, .link = place.link, .verdict = place.verdict};
  const bool was_candidate =
      place.verdict == PlaceVerdict::in_time || place.verdict == PlaceVerdict::has_handed_on;
  if (!was_candidate) return one;
  Candidate candidate;
  candidate.site = place.site;
  candidate.expected_wait = candidate.start_wait.mean = from_seconds(place.wait);
  candidate.start_wait.deviation = from_seconds(place.deviation);
  candidate.link_delay = from_seconds(place.link_delay);
  Task task;
  task.time_requirement = decision.requirement;
  task.offload_times = decision.offload_times;
  task.max_offload = decision.max_offload;
  ClusterView view;
  view.slack = decision.slack;
  const Judgement judgement = judge(policy, task, view, candidate);
  one.wait = candidate.expected_wait;
  one.link_delay = candidate.link_delay;
  one.run = place.run < 0 ? decision.run : from_seconds(place.run);
  if (place.site == Site::neighbour) one.age = from_seconds(place.age);
  one.headroom = judgement.headroom;
  const Choice& choice = decision.choice;
  const auto copies = std::span(decision.copies).first(decision.copy_count);
  if (choice.is_somewhere && choice.site == place.site && choice.link == place.link) {
    one.verdict = PlaceVerdict::chosen;
  } else if (place.site == Site::neighbour &&
             std::ranges::find(copies, place.link, &DecidedCopy::link) != copies.end()) {
    one.verdict = PlaceVerdict::copied;
  } else if (place.verdict == PlaceVerdict::in_time) {
    one.verdict = judgement.verdict;
  }
  return one;
}

DecisionView view_of(const Policy& policy, const DecisionLog::Found& found) {
  DecisionView view{found.decision, {}};
  for (const SeenPlace& place : found.places) {
    view.places.push_back(considered(policy, found.decision, place));
  }
  return view;
}

}  // namespace

Plan Scheduler::ask_policy(const Task& task, const ClusterView& view, std::uint64_t draw) const {
  Plan plan = options_.policy->place(task, view, tuning_, draw);
  if (plan.placements.empty() && is_unplaceable(task)) plan.reason = "no node in reach can run it";
  return plan;
}

Plan Scheduler::decide(Entry& entry, Instant now) {
  entry.expected_run = estimates_.of(*entry.task);
  const ClusterView& view = view_for(entry, now);
  const std::uint64_t draw = random_.next();
  Plan plan = ask_policy(*entry.task, view, draw);
  if (decisions_.is_on()) remember(entry, plan, draw, now);
  return plan;
}

/// What was decided in view of view_.
void Scheduler::remember(Entry& entry, const Plan& plan, std::uint64_t draw, Instant now) {
  if (Decision* before = decisions_.find(entry.decision)) before->is_last = false;
  Decision& decision = decisions_.add(now);
  fill(decision, entry, plan, now);
  entry.decision = decisions_.decided();
  if (options_.shadow) decision.shadow = ask_shadow(*entry.task, decision.choice, draw);
  remember_places(decisions_, *entry.task, now);
  if (options_.watch) {
    const Neighbour* to = neighbours_.find(decision.choice.link);
    options_.watch->on_placed(decision, to == nullptr ? nullptr : &to->who);
  }
}

/// It goes there because a node asked for it, whatever the policy says.
void Scheduler::note_steal(Entry& entry, const Placement& to, std::string_view why, Instant now) {
  entry.expected_run = estimates_.of(*entry.task);
  if (!decisions_.is_on()) return;
  (void)view_for(entry, now);
  remember(entry, {{to}, why}, random_.next(), now);
}

DecisionView Scheduler::plan(Task task, Instant now) {
  Entry entry;
  entry.origin.peer = nobody;
  entry.arrival = now;
  entry.start_by = start_by(task, now);
  entry.expected_run = estimates_.of(task);
  entry.task = std::make_shared<Task>(std::move(task));
  Random same_draws = random_;
  const std::uint64_t draw = same_draws.next();
  const Plan plan = ask_policy(*entry.task, view_for(entry, now), draw);
  DecisionLog log(1);
  Decision& decision = log.add(now);
  fill(decision, entry, plan, now);
  if (options_.shadow) {
    decision.shadow = choice_of(options_.shadow->place(*entry.task, view_, tuning_, draw));
  }
  is_seen_kept_ = false;
  remember_places(log, *entry.task, now);
  is_seen_kept_ = false;  // but in a log that ends
  DecisionView decided = view_of(*options_.policy, log.of(entry.task->uid, now).front());
  decided.is_refused = plan.placements.empty() && is_unplaceable(*entry.task);
  return decided;
}

std::vector<DecisionView> Scheduler::decisions_about(std::string_view uid, Instant now) const {
  std::vector<DecisionView> views;
  for (const DecisionLog::Found& found : decisions_.of(uid, now)) {
    views.push_back(view_of(*options_.policy, found));
  }
  return views;
}

Choice Scheduler::choice_of(const Plan& plan) {
  Choice choice;
  choice.reason = plan.reason;
  choice.is_somewhere = !plan.placements.empty();
  if (!choice.is_somewhere) return choice;
  const Placement& first = plan.placements.front();
  choice.site = first.site;
  if (first.site == Site::neighbour) choice.link = neighbours_.find(first.node)->link;
  const std::size_t copies = std::min(plan.placements.size() - 1, Choice::most_copies);
  for (std::size_t i = 0; i < copies; ++i) {
    choice.copies[i] = neighbours_.find(plan.placements[i + 1].node)->link;
  }
  return choice;
}

void Scheduler::note_copies(Decision& decision, const Plan& plan, Instant now) {
  for (std::size_t i = 1; i < plan.placements.size(); ++i) {
    const Neighbour& at = *neighbours_.find(plan.placements[i].node);
    const Duration way = at.delay.value_or(Duration::zero());
    decision.add_copy({.link = at.link,
                       .after = now - decision.at,
                       .expected = add_saturating(plan.placements[i].expected_wait, way)});
  }
}

void Scheduler::note_copy(const Entry& entry, PeerId link, DecidedCopy::Fate fate) {
  Decision* decision = decisions_.find(entry.decision);
  DecidedCopy* copy = decision == nullptr ? nullptr : decision->copy_at(link);
  if (copy != nullptr) copy->fate = fate;
}

/// What the shadow would do, counted.
std::optional<Choice> Scheduler::ask_shadow(const Task& task, const Choice& live,
                                            std::uint64_t draw) {
  const Choice choice = choice_of(options_.shadow->place(task, view_, tuning_, draw));
  ++shadow_counts_.decisions;
  if (!choice.is_same(live)) ++shadow_counts_.differing;
  if (choice.is_somewhere) {
    ++shadow_counts_.sites[static_cast<std::size_t>(choice.site)];
  } else {
    ++shadow_counts_.nowhere;
  }
  return choice;
}

void Scheduler::fill(Decision& decision, Entry& entry, const Plan& plan, Instant now) {
  const Task& task = *entry.task;
  decision.choice = choice_of(plan);
  decision.slack = view_.slack;
  decision.requirement = task.time_requirement;
  decision.waited = add_saturating(entry.waited, now - entry.arrival);
  decision.run = entry.expected_run;
  decision.offload_times = task.offload_times;
  decision.max_offload = task.max_offload;
  decision.weight = task.weight;
  decision.cloud_processing = task.cloud_processing;
  decision.uid.set(task.uid);
  decision.name.set(task.name);
  decision.expected = {};
  note_copies(decision, plan, now);
  if (decision.choice.is_somewhere) {
    const Neighbour* to = neighbours_.find(decision.choice.link);
    Duration way = to == nullptr ? Duration::zero() : to->delay.value_or(Duration::zero());
    if (decision.choice.site == Site::cloud) way = view_.cloud->link_delay;
    decision.expected = add_saturating(plan.placements.front().expected_wait, way);
  }
}

/// The neighbours are as they were for the last decision: they are kept once.
bool Scheduler::sees_the_same(const Task& task, Instant now) {
  const bool was_handed_on = !task.offloading_nodes.empty() || !task.offloading_fog.empty();
  const bool reads_start_wait = options_.policy->reads_start_wait;
  const auto& candidates = view_.neighbours;
  bool is_same = is_seen_kept_ && seen_.size() == candidates.size() && !was_handed_on;
  seen_.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& one = candidates[i];
    const SeenNeighbour sees{view_links_[i].link,
                             reads_start_wait ? one.start_wait.mean : one.expected_wait,
                             reads_start_wait ? one.start_wait.deviation : Duration::zero(),
                             one.link_delay,
                             now - one.report_age,
                             view_links_[i].there->time};
    is_same = is_same && seen_[i] == sees;
    if (!is_same) seen_[i] = sees;
  }
  is_seen_kept_ = !was_handed_on;  // who has handed it on is true of that task alone
  return is_same;
}

/// What was thought of for the decision that the log has just begun.
void Scheduler::remember_places(DecisionLog& log, const Task& task, Instant now) {
  const Policy& policy = *options_.policy;
  if (view_.local) log.see(seen(policy, *view_.local, 0, std::nullopt));
  if (view_.cloud) log.see(seen(policy, *view_.cloud, cloud_link, expected_run(task, cloud_link)));
  for (const LeftOut& one : left_out_) {
    SeenPlace place;
    place.link = one.link;
    place.site = one.site;
    place.verdict = one.why;
    log.see(place);
  }
  if (sees_the_same(task, now) && log.keeps_neighbours()) return log.see_neighbours_again();
  places_.clear();
  for (std::size_t i = 0; i < view_.neighbours.size(); ++i) {
    const Candidate& candidate = view_.neighbours[i];
    places_.push_back(seen(policy, candidate, view_links_[i].link, view_links_[i].there->time));
    if (has_handed_on(candidate, task)) places_.back().verdict = PlaceVerdict::has_handed_on;
  }
  log.see_neighbours(places_);
}

void Scheduler::note_ending(const Entry& entry, const TaskResult& result) {
  if (!decisions_.is_on()) return;
  TaskEnding ending;
  const Duration passed = add_saturating(entry.waited, now_ - entry.arrival);
  ending.waited = std::max(Duration::zero(), passed - result.execution_time);
  ending.execution = result.execution_time;
  ending.is_in_time = !result.error && ending.waited <= entry.task->time_requirement;
  ending.node.set(result.node);
  if (result.error) ending.error = result.error->code;
  if (Decision* decision = decisions_.find(entry.decision)) decision->ending = ending;
  if (options_.watch) options_.watch->on_ended(result, ending, now_);
}

/// Learns from a task that ended where its last decision sent it.
void Scheduler::judge_prediction(const Entry& entry, const TaskResult& result, Instant now) {
  const Decision* decision = decisions_.find(entry.decision);
  if (decision == nullptr || result.error || !decision->choice.is_somewhere) return;
  const Choice& choice = decision->choice;
  const bool went_there = entry.where == Where::here
                              ? choice.site == Site::here
                              : choice.site != Site::here && choice.link == entry.link;
  if (!went_there) return;
  const Duration waited = now - decision->at - result.execution_time;
  predictions_.add(entry.task->name, choice.site, choice.link, waited - decision->expected);
}

/// A copy began, as the neighbour said just now: its way there and this word's way back took part
/// of the time.
void Scheduler::judge_copy(const Entry& entry, std::int64_t id, Instant now) {
  if (!decisions_.is_on()) return;
  const Copy& copy = *std::ranges::find(entry.copies, id, &Copy::id);
  const Neighbour* neighbour = neighbours_.find(copy.link);
  const Duration way = neighbour ? neighbour->delay.value_or(Duration::zero()) : Duration::zero();
  const Duration expected = add_saturating(copy.expected_wait, way);
  predictions_.add(entry.task->name, Site::neighbour, copy.link, now - copy.sent_at - expected);
}

void Scheduler::note_departed(const Neighbour& neighbour) {
  predictions_.forget(neighbour.link);
  if (!decisions_.is_on()) return;
  departed_.emplace_back(neighbour.link, neighbour.who);
  if (departed_.size() > most_departed) departed_.pop_front();
}

const NeighbourIdentity* Scheduler::who_is(PeerId link) const {
  const auto neighbour = std::ranges::find(neighbours_.all(), link, &Neighbour::link);
  if (neighbour != neighbours_.all().end()) return &neighbour->who;
  const auto departed = std::ranges::find(departed_, link, &decltype(departed_)::value_type::first);
  return departed == departed_.end() ? nullptr : &departed->second;
}

}  // namespace fogctl
