// What the scripts take and return, in C++: the layouts that scripts.hpp describes, written and
// read. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "queue/redis_arguments.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

/// The eight arguments of a want.
void add_want(RedisArguments& arguments, const LeaseWant& want);

/// A new task as the enqueue script takes it.
struct TaskEntry {
  const Task* task = nullptr;
  std::size_t position = 0;   // in its batch, < 10,000
  std::int64_t start_by = 0;  // queue time
  std::int64_t arrival = 0;   // queue time
  std::uint64_t call = 0;     // equal for two calls only when one repeats the other
  bool away = false;
  std::string_view holder;
};

/// Adds uid and body.
void add_body(RedisArguments& arguments, const TaskEntry& entry);
/// Adds what held says of the task under this lease: `flag` as in scripts.hpp.
void add_held(RedisArguments& arguments, const TaskEntry& entry, char flag, std::uint32_t number);
/// Where it stands in the queue: so many characters.
inline constexpr std::size_t ticket_width = 58;
[[nodiscard]] std::string ticket_of(const TaskEntry& entry);
[[nodiscard]] std::size_t body_size(const TaskEntry& entry);

/// A body that came back.
struct TaskBody {
  TaskPtr task;
  std::int64_t arrival = 0;   // queue time
  std::int64_t start_by = 0;  // queue time
  std::string_view holder;    // that enqueued it; a view into the body
};
/// Of one that this version cannot read the task is unreadable_task(uid).
[[nodiscard]] TaskBody read_body(std::string_view uid, std::string_view body);
[[nodiscard]] TaskPtr unreadable_task(std::string_view uid);
/// What stands for a result that this version cannot read: the task failed.
[[nodiscard]] TaskResult unreadable_result(std::string_view uid);

/// How long replies wait for their holder, ms.
inline constexpr std::string_view replies_wait_ms = "3600000";

/// A time as 16 digits.
[[nodiscard]] std::string time_digits(std::int64_t queue_time);
[[nodiscard]] std::string digest_bytes(const Task& task);

/// A count as 8 digits.
[[nodiscard]] std::string eight_digits(std::uint32_t count);

/// A value of `dead`; its times are queue time.
struct DeadValue {
  std::int64_t died_at = 0;
  std::uint32_t attempts = 0;
  TaskResult result;
  TaskBody body;
};
/// Error: failed, when it is none.
[[nodiscard]] Result<DeadValue> read_dead(std::string_view uid, std::string_view value);

struct KeptResult {
  std::int64_t expiry = 0;  // queue time
  TaskResult result;
};
[[nodiscard]] Result<KeptResult> read_kept(std::string_view kept);

/// Positions as the enqueue script takes them: counted from 1, 4 digits each.
[[nodiscard]] std::string position_digits(std::span<const std::uint32_t> positions);

/// A whole number in decimal digits; 0 when it is none.
[[nodiscard]] std::int64_t read_number(std::string_view digits);

/// The batch cut so that no uid is twice in one part: first all first occurrences, and so on.
/// Positions into `tasks`, in order within each part.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> parts_without_repeats(
    std::span<const NewTask> tasks);

/// The positions in `part`, the most urgent first; empty when they are in that order already.
[[nodiscard]] std::vector<std::uint32_t> urgency_order(std::span<const NewTask> tasks,
                                                       std::span<const std::uint32_t> part,
                                                       QueueOrder order, Instant now);

}  // namespace fogctl
