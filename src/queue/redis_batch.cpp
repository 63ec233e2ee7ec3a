#include "queue/redis_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>
#include <tuple>

#include "base/check.hpp"
#include "queue/record.hpp"

namespace fogctl {
namespace {

constexpr std::size_t time_width = 16;
constexpr std::size_t digest_width = 8;
constexpr std::size_t holder_at = 2 * digest_width;  // its length, then the name
constexpr std::size_t times_width = 16;              // arrival, start-by

void append_digits(std::string& out, std::uint64_t number, std::size_t width) {
  const std::size_t start = out.size();
  out.append(width, '0');
  for (std::size_t i = start + width; i > start; --i, number /= 10) {
    out[i - 1] = static_cast<char>('0' + number % 10);
  }
}

char mode_of(const TaskEntry& entry) {
  if (entry.away) return entry.task->uid_chosen ? 'x' : 'w';
  return entry.task->uid_chosen ? 'c' : 'q';
}

void append_ticket(std::string& out, const TaskEntry& entry) {
  append_digits(out, static_cast<std::uint64_t>(entry.arrival), time_width);
  append_digits(out, 0, 12);
  append_digits(out, static_cast<std::uint64_t>(entry.start_by), time_width);
  append_digits(out, entry.position, 4);
  out += static_cast<char>('0' + index_of(entry.task->weight));
  append_digits(out, body_size(entry), 8);
  out += mode_of(entry);
}

}  // namespace

void add_want(RedisArguments& arguments, const LeaseWant& want) {
  arguments.add(want.order == QueueOrder::fifo ? "fifo" : "start_by");
  arguments.add_number(static_cast<std::int64_t>(want.idle));
  arguments.add_number(static_cast<std::int64_t>(want.at_most));
  arguments.add_number(want.ahead.count());
  for (const Duration estimate : want.estimates) arguments.add_number(estimate.count());
  arguments.add(want.away ? "1" : "0");
}

std::size_t body_size(const TaskEntry& entry) {
  return holder_at + 1 + entry.holder.size() + times_width + record_size(*entry.task);
}

void add_body(RedisArguments& arguments, const TaskEntry& entry) {
  arguments.add(entry.task->uid);
  std::string& body = arguments.open(body_size(entry));
  append_fixed(body, content_digest(*entry.task));
  append_fixed(body, entry.call);
  body += static_cast<char>(entry.holder.size());
  body += entry.holder;
  append_fixed(body, static_cast<std::uint64_t>(entry.arrival));
  append_fixed(body, static_cast<std::uint64_t>(entry.start_by));
  append_record(body, *entry.task);
  arguments.close();
}

std::string ticket_of(const TaskEntry& entry) {
  std::string ticket;
  append_ticket(ticket, entry);
  return ticket;
}

void add_held(RedisArguments& arguments, const TaskEntry& entry, char flag, std::uint32_t number) {
  const std::string number_text = std::to_string(number);
  std::string& held = arguments.open(ticket_width + 1 + number_text.size());
  append_ticket(held, entry);
  held += flag;
  held += number_text;
  arguments.close();
}

TaskBody read_body(std::string_view uid, std::string_view body) {
  const auto unreadable = [&] { return TaskBody{unreadable_task(uid), 0, 0, ""}; };
  if (body.size() <= holder_at) return unreadable();
  const auto holder_size = static_cast<unsigned char>(body[holder_at]);
  const std::size_t times_at = holder_at + 1 + holder_size;
  if (body.size() < times_at + times_width) return unreadable();
  auto task = read_task(body.substr(times_at + times_width));
  return {task ? std::move(*task) : unreadable_task(uid),
          static_cast<std::int64_t>(read_fixed(body.substr(times_at))),
          static_cast<std::int64_t>(read_fixed(body.substr(times_at + 8))),
          body.substr(holder_at + 1, holder_size)};
}

TaskPtr unreadable_task(std::string_view uid) {
  auto task = std::make_shared<Task>();
  task->uid = uid;
  task->name = "unreadable";
  task->is_unreadable = true;
  return task;
}

TaskResult unreadable_result(std::string_view uid) {
  TaskResult result;
  result.uid = uid;
  result.error = {TaskErrorCode::task_failed, "its result was kept by another version of fogctl"};
  return result;
}

std::string time_digits(std::int64_t queue_time) {
  std::string digits;
  append_digits(digits, static_cast<std::uint64_t>(queue_time), time_width);
  return digits;
}

std::string digest_bytes(const Task& task) {
  std::string bytes;
  append_fixed(bytes, content_digest(task));
  return bytes;
}

Result<KeptResult> read_kept(std::string_view kept) {
  constexpr std::size_t head = time_width + digest_width;
  if (kept.size() < head) return failure(ErrorCode::failed, "not a kept result");
  auto result = read_result(kept.substr(head));
  if (!result) return failure(ErrorCode::failed, std::move(result.error().message));
  return KeptResult{read_number(kept.substr(0, time_width)), std::move(*result)};
}

std::string eight_digits(std::uint32_t count) {
  std::string digits;
  append_digits(digits, count, 8);
  return digits;
}

Result<DeadValue> read_dead(std::string_view uid, std::string_view value) {
  constexpr std::size_t head = time_width + 8 + 8;
  if (value.size() < head) return failure(ErrorCode::failed, "not a dead task");
  const auto size = static_cast<std::size_t>(read_number(value.substr(time_width + 8, 8)));
  if (value.size() < head + size) return failure(ErrorCode::failed, "not a dead task");
  auto result = read_result(value.substr(head, size));
  return DeadValue{read_number(value.substr(0, time_width)),
                   static_cast<std::uint32_t>(read_number(value.substr(time_width, 8))),
                   result ? std::move(*result) : unreadable_result(uid),
                   read_body(uid, value.substr(head + size))};
}

std::int64_t read_number(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::vector<std::vector<std::uint32_t>> parts_without_repeats(std::span<const NewTask> tasks) {
  std::vector<std::vector<std::uint32_t>> parts;
  std::vector<std::uint32_t> pending(tasks.size());
  std::iota(pending.begin(), pending.end(), 0U);
  // An open-addressing set of positions: this runs for every batch.
  std::size_t slots = 16;
  while (slots < 2 * tasks.size()) slots *= 2;
  constexpr std::uint32_t none = ~std::uint32_t{0};
  while (!pending.empty()) {
    std::vector<std::uint32_t> table(slots, none), part, repeats;
    part.reserve(pending.size());
    for (const std::uint32_t i : pending) {
      const std::string& uid = tasks[i].task->uid;
      std::size_t slot = std::hash<std::string_view>{}(uid) & (slots - 1);
      while (table[slot] != none && tasks[table[slot]].task->uid != uid) {
        slot = (slot + 1) & (slots - 1);
      }
      (table[slot] == none ? part : repeats).push_back(i);
      if (table[slot] == none) table[slot] = i;
    }
    parts.push_back(std::move(part));
    pending = std::move(repeats);
  }
  return parts;
}

std::vector<std::uint32_t> urgency_order(std::span<const NewTask> tasks,
                                         std::span<const std::uint32_t> part, QueueOrder order,
                                         Instant now) {
  const auto urgency = [&](std::uint32_t position) {
    const NewTask& task = tasks[part[position]];
    const bool late = order == QueueOrder::start_by && task.start_by < now;
    const bool by_age = late || order == QueueOrder::fifo;
    return std::tuple(late, by_age ? task.arrival : task.start_by);
  };
  std::vector<std::uint32_t> positions(part.size());
  std::iota(positions.begin(), positions.end(), 0U);
  if (std::ranges::is_sorted(positions, {}, urgency)) return {};
  std::ranges::stable_sort(positions, {}, urgency);
  return positions;
}

std::string position_digits(std::span<const std::uint32_t> positions) {
  std::string text;
  for (const std::uint32_t position : positions) append_digits(text, position + 1, 4);
  return text;
}

}  // namespace fogctl
