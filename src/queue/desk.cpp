#include "queue/desk.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "json/object_writer.hpp"

namespace fogctl {
namespace {

using Objects = std::vector<std::string>;

constexpr std::array live_states = {TaskState::queued, TaskState::delayed, TaskState::leased,
                                    TaskState::away};
constexpr std::size_t every_one = 1'000'000;

double seconds_since(Instant then, Instant now) {
  return to_seconds(std::max(now - then, Duration::zero()));
}

void write_counts(std::string& out, const std::array<std::size_t, task_class_count>& counts) {
  ObjectWriter writer(out);
  for (const TaskClass weight : task_classes) {
    writer.count(to_string(weight), counts[index_of(weight)]);
  }
  writer.count("total", std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  writer.end();
}

Result<Objects> counts(TaskQueue& queue, Instant now) {
  const auto load = queue.load(now);
  if (!load) return std::unexpected(load.error());
  const auto oldest = queue.oldest(now);
  if (!oldest) return std::unexpected(oldest.error());
  std::string out;
  ObjectWriter writer(out);
  write_counts(writer.begin("queued"), load->queued);
  write_counts(writer.begin("leased"), load->leased);
  writer.count("delayed", load->delayed);
  writer.count("away", load->away);
  writer.count("dead", load->dead);
  writer.count("dead_bytes", load->dead_bytes);
  ObjectWriter ages(writer.begin("oldest"));
  for (const auto& [state, since] : *oldest) {
    ages.number(to_string(state), seconds_since(since, now));
  }
  ages.end();
  writer.value("paused", load->is_paused ? "true" : "false");
  writer.count("workers", load->workers);
  writer.count("bytes", load->bytes);
  writer.end();
  return Objects{std::move(out)};
}

void write_task(ObjectWriter& writer, const Task& task, TaskState state) {
  writer.text("task_uid", task.uid);
  writer.text("state", to_string(state));
  writer.text("task_name", task.name);
  writer.text("task_type", to_string(task.weight));
  writer.value("content", task.content);
  writer.value("time_requirement", task.time_requirement_text);
}

std::string object_of(const TaskInfo& info, Instant now) {
  std::string out;
  ObjectWriter writer(out);
  write_task(writer, *info.task, info.state);
  writer.count("attempts", info.attempt - 1);
  writer.text("holder", info.holder);
  writer.number("age", seconds_since(info.arrival, now));
  writer.number("start_within", to_seconds(info.start_by - now));
  writer.end();
  return out;
}

std::string object_of(const DeadTask& dead, Instant now) {
  std::string out;
  ObjectWriter writer(out);
  write_task(writer, *dead.task, TaskState::dead);
  writer.count("attempts", dead.attempts);
  writer.text("node", dead.result.node);
  writer.number("age", seconds_since(dead.died_at, now));
  writer.text("reason", dead.result.error ? dead.result.error->message : "");
  writer.end();
  return out;
}

Result<Objects> list(TaskQueue& queue, const QueueRequest& request, Instant now) {
  Objects objects;
  for (const TaskState state : live_states) {
    if (!request.state.empty() && request.state != to_string(state)) continue;
    const auto tasks = queue.list(state, request.most, now);
    if (!tasks) return std::unexpected(tasks.error());
    for (const TaskInfo& info : *tasks) objects.push_back(object_of(info, now));
  }
  if (!request.state.empty() && request.state != to_string(TaskState::dead)) return objects;
  const auto dead = queue.dead(request.most);
  if (!dead) return std::unexpected(dead.error());
  for (const DeadTask& task : *dead) objects.push_back(object_of(task, now));
  return objects;
}

Result<Objects> show(TaskQueue& queue, const QueueRequest& request, Instant now) {
  const auto dead = queue.dead(every_one);
  if (!dead) return std::unexpected(dead.error());
  Objects objects;
  for (const std::string& uid : request.uids) {
    const auto info = queue.find(uid, now);
    if (!info) return std::unexpected(info.error());
    if (*info) {
      objects.push_back(object_of(**info, now));
      continue;
    }
    const auto found = std::ranges::find(*dead, uid, [](const DeadTask& t) { return t.task->uid; });
    objects.push_back(found == dead->end() ? status_object(uid, "unknown")
                                           : object_of(*found, now));
  }
  return objects;
}

Result<Objects> cancel(TaskQueue& queue, const QueueRequest& request, Instant now) {
  const auto statuses = queue.cancel(request.uids, now);
  if (!statuses) return std::unexpected(statuses.error());
  Objects objects;
  for (std::size_t i = 0; i < statuses->size(); ++i) {
    objects.push_back(status_object(request.uids[i], to_string((*statuses)[i])));
  }
  return objects;
}

/// Does it to each, and says what became of each: `done`, or the state of one that is not dead.
template <typename Do>
Result<Objects> for_each_dead(TaskQueue& queue, const QueueRequest& request, Instant now,
                              std::string_view done, Do act) {
  Objects objects;
  for (const std::string& uid : request.uids) {
    const Result<std::size_t> changed = act(std::span(&uid, 1));
    if (!changed) return std::unexpected(changed.error());
    if (*changed > 0) {
      objects.push_back(status_object(uid, done));
      continue;
    }
    const auto info = queue.find(uid, now);
    if (!info) return std::unexpected(info.error());
    objects.push_back(status_object(uid, *info ? to_string((*info)->state) : "unknown"));
  }
  return objects;
}

}  // namespace

std::string status_object(const std::string& uid, std::string_view status) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("task_uid", uid);
  writer.text("status", status);
  writer.end();
  return out;
}

std::string_view to_string(TaskState state) {
  constexpr std::array<std::string_view, 5> names = {"queued", "delayed", "leased", "away", "dead"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(CancelStatus status) {
  constexpr std::array<std::string_view, 4> names = {"cancelled", "will apply", "already done",
                                                     "unknown"};
  return names[static_cast<std::size_t>(status)];
}

Result<std::vector<std::string>> answer(TaskQueue& queue, const QueueRequest& request,
                                        Instant now) {
  const std::string& action = request.action;
  if (action == "counts") return counts(queue, now);
  if (action == "pause" || action == "resume") {
    if (const auto done = queue.pause(action == "pause"); !done) {
      return std::unexpected(done.error());
    }
    return counts(queue, now);
  }
  if (action == "ls") return list(queue, request, now);
  if (action == "show") return show(queue, request, now);
  if (action == "cancel") return cancel(queue, request, now);
  if (action == "retry") {
    return for_each_dead(queue, request, now, "queued again",
                         [&](auto uids) { return queue.revive(uids, now); });
  }
  if (action == "rm") {
    return for_each_dead(queue, request, now, "removed",
                         [&](auto uids) { return queue.bury(uids); });
  }
  return failure(ErrorCode::invalid, "'" + action + "' cannot be asked of a queue");
}

}  // namespace fogctl
