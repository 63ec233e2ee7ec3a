// How fast the task queue is, on a Redis of its own (append-only file, fsync every second), in
// memory, and in a file, beside what that Redis does at best. Prints a table; run it from a Release
// build. With the argument `file` only that one is measured.
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"
#include "queue/file_queue.hpp"
#include "queue/memory_queue.hpp"
#include "queue/record.hpp"
#include "queue/redis_connection.hpp"
#include "queue/redis_queue.hpp"
#include "support/redis_server.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_size = 256;
constexpr Duration measuring_time = 1s;
const SystemClock system_clock;

void row(std::string_view what, double value, std::string_view unit, std::string_view note = "") {
  fmt::print("{:<52} {:>12.2f}  {:<10} {}\n", what, value, unit, note);
}

std::vector<NewTask> make_tasks(const std::string& prefix, std::size_t count, Duration apart = {}) {
  std::vector<NewTask> tasks;
  const Instant now = system_clock.now();
  for (std::size_t i = 0; i < count; ++i) {
    Task task;
    task.uid = fmt::format("{}{:0>24}", prefix, i);
    task.name = "light";
    task.content = fmt::format("{{\"values\": \"{}\"}}", std::string(200, 'x'));
    task.offloading_fog = {"fog-node-1"};
    task.other_fields = {{"priority", "3"}};
    tasks.push_back({std::make_shared<const Task>(std::move(task)), now,
                     now + 1h + apart * static_cast<int>(i)});
  }
  return tasks;
}

template <typename T>
T must(Result<T> result) {
  if (!result) fmt::print(stderr, "queue_bench: {}\n", result.error().message);
  FOGCTL_CHECK(result.has_value());
  return std::move(*result);
}

LeaseWant up_to(std::size_t tasks) {
  return {.idle = tasks, .at_most = tasks, .ahead = {}, .estimates = {}, .order = {}};
}

// As often as fits in the time: `once` returns how many tasks it handled. Tasks per second.
double rate(const std::function<std::size_t()>& once, Duration time = measuring_time) {
  const Instant begin = system_clock.now();
  std::size_t tasks = 0;
  Instant now = begin;
  while (now - begin < time) {
    tasks += once();
    now = system_clock.now();
  }
  return static_cast<double>(tasks) / to_seconds(now - begin);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Finished finished(const TaskPtr& task, std::uint32_t number) {
  TaskResult result;
  result.uid = task->uid;
  result.content = "{\"sum\": 42}";
  return {{task->uid, number}, task, std::move(result), {}};
}

// Leased at once by the enqueue, as when workers are idle.
std::size_t straight(TaskQueue& queue, const std::vector<NewTask>& tasks) {
  const Instant now = system_clock.now();
  const auto done = must(queue.enqueue(tasks, up_to(tasks.size()), now));
  std::vector<Finished> ended;
  ended.reserve(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    FOGCTL_CHECK(done.outcomes[i].status == EnqueueStatus::leased);
    ended.push_back(finished(tasks[i].task, done.outcomes[i].number));
  }
  std::vector<Lease> none;
  for (const auto status : must(queue.finish(ended, {}, now, none))) {
    FOGCTL_CHECK(status == FinishStatus::done);
  }
  return tasks.size();
}

// Queued first, as when every worker is busy.
std::size_t through(TaskQueue& queue, const std::vector<NewTask>& tasks) {
  const Instant now = system_clock.now();
  must(queue.enqueue(tasks, {}, now));
  std::vector<Finished> ended;
  for (const Lease& lease : must(queue.lease(up_to(tasks.size()), now))) {
    ended.push_back(finished(lease.task, lease.number));
  }
  std::vector<Lease> none;
  return must(queue.finish(ended, {}, now, none)).size();
}

using Lives = std::size_t (*)(TaskQueue&, const std::vector<NewTask>&);

double rate_of(TaskQueue& queue, Lives lives, const std::string& prefix, std::size_t batch) {
  std::vector<std::vector<NewTask>> batches;
  for (int i = 0; i < 16; ++i) {
    batches.push_back(make_tasks(fmt::format("{}{:0>3}", prefix, i), batch));
  }
  std::size_t next = 0;
  return rate([&] { return lives(queue, batches[next++ % batches.size()]); });
}

double rate_of_threads(const std::function<std::unique_ptr<TaskQueue>(const std::string&)>& open,
                       Lives lives, int threads) {
  std::vector<std::unique_ptr<TaskQueue>> queues;
  for (int i = 0; i < threads; ++i) queues.push_back(open(fmt::format("holder{}", i)));
  std::vector<double> rates(queues.size());
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < queues.size(); ++i) {
      running.emplace_back(
          [&, i] { rates[i] = rate_of(*queues[i], lives, fmt::format("p{}", i), batch_size); });
    }
  }
  double total = 0;
  for (const double one : rates) total += one;
  return total;
}

double single_round_trip_us(TaskQueue& queue) {
  std::vector<double> times;
  const auto tasks = make_tasks("single", 1);
  for (int i = 0; i < 3000; ++i) {
    const Instant begin = system_clock.now();
    straight(queue, tasks);
    times.push_back(to_seconds(system_clock.now() - begin) * 1e6);
  }
  return median(times);
}

double server_cpu_seconds(RedisConnection& redis) {
  const auto info = must(redis.call({"INFO", "cpu"}));
  const std::string text(info.text());
  double seconds = 0;
  for (const std::string_view label : {"used_cpu_sys_main_thread:", "used_cpu_user_main_thread:"}) {
    seconds += std::stod(text.substr(text.find(label) + label.size()));
  }
  return seconds;
}

// What the life of a task costs the server's thread.
double server_us_per_task(RedisConnection& redis, TaskQueue& queue, Lives lives) {
  const double before = server_cpu_seconds(redis);
  const Instant begin = system_clock.now();
  const double per_second = rate_of(queue, lives, "c", batch_size);
  const double tasks = per_second * to_seconds(system_clock.now() - begin);
  return (server_cpu_seconds(redis) - before) * 1e6 / tasks;
}

void fill(TaskQueue& queue, std::size_t tasks) {
  const Instant now = system_clock.now();
  for (std::size_t from = 0; from < tasks; from += 10'000) {
    const std::size_t some = std::min<std::size_t>(10'000, tasks - from);
    must(queue.enqueue(make_tasks(fmt::format("backlog{:0>8}", from), some, 1ms), {}, now));
  }
}

struct Backlog {
  std::vector<double> enqueue;  // tasks per second, of each batch
  std::vector<double> lease;
};

// One batch in, one batch out.
void pass_batch(TaskQueue& queue, int number, Backlog& rates) {
  const auto tasks = make_tasks(fmt::format("more{:0>3}", number), batch_size, 1ms);
  const Instant begin = system_clock.now();
  must(queue.enqueue(tasks, {}, begin));
  const Instant enqueued = system_clock.now();
  const auto leases = must(queue.lease(up_to(batch_size), begin));
  rates.lease.push_back(batch_size / to_seconds(system_clock.now() - enqueued));
  rates.enqueue.push_back(batch_size / to_seconds(enqueued - begin));
  std::vector<Finished> ended;
  for (const Lease& one : leases) ended.push_back(finished(one.task, one.number));
  std::vector<Lease> none;
  must(queue.finish(ended, {}, begin, none));
}

void print_backlog(const std::string& name, TaskQueue& small, TaskQueue& large) {
  fill(small, 1'000);
  fill(large, 1'000'000);
  Backlog few, many;
  for (int i = 0; i < 200; ++i) {
    pass_batch(small, i, few);
    pass_batch(large, i, many);
  }
  const auto print = [&](std::string_view what, double with_few, double with_many) {
    row(fmt::format("{}: {} with 1,000 queued", name, what), with_few, "tasks/s");
    row(fmt::format("{}: {} with 1,000,000 queued", name, what), with_many, "tasks/s",
        fmt::format("ratio {:.2f}", with_many / with_few));
  };
  print("enqueue", median(few.enqueue), median(many.enqueue));
  print("lease", median(few.lease), median(many.lease));
}

double lpush_rate(const RedisServer& server) {
  const std::string command = fmt::format(
      "redis-benchmark -s {} -t lpush -P 64 -c 4 -d 300 -n 400000 --csv 2>/dev/null | tail -1",
      server.socket_path());
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 512> line{};
  FOGCTL_CHECK(pipe && ::fgets(line.data(), line.size(), pipe.get()) != nullptr);
  const std::string text(line.data());
  const auto comma = text.find(',');
  return std::stod(text.substr(comma + 2));
}

double ping_p50_us(RedisConnection& redis) {
  std::vector<double> times;
  for (int i = 0; i < 3000; ++i) {
    const Instant begin = system_clock.now();
    must(redis.call({"PING"}));
    times.push_back(to_seconds(system_clock.now() - begin) * 1e6);
  }
  return median(times);
}

QueueLimits room_for_all() {
  QueueLimits limits;
  limits.max_tasks = 2'000'000;
  limits.max_bytes = std::size_t{4} << 30;
  return limits;
}

std::unique_ptr<TaskQueue> open_file(const ScratchFolder& folder, const std::string& name,
                                     FileSync sync) {
  auto store = must(FileStore::open(
      {.path = folder.path() / name, .sync = sync, .limits = room_for_all(), .first_lease = 1h},
      system_clock));
  return std::make_unique<FileQueue>(std::move(store), "one");
}

void run_file() {
  const ScratchFolder folder;
  for (const FileSync sync : {FileSync::normal, FileSync::full}) {
    const std::string name = sync == FileSync::full ? "file, full sync" : "file, normal sync";
    const auto queue = open_file(folder, name, sync);
    std::vector<double> at_once, in_turn;
    for (int i = 0; i < 5; ++i) {
      at_once.push_back(rate_of(*queue, straight, "s", batch_size));
      in_turn.push_back(rate_of(*queue, through, "t", batch_size));
    }
    row(name + ": life of a task, leased at once", median(at_once), "tasks/s");
    row(name + ": life of a task, through the queue", median(in_turn), "tasks/s");
    row(name + ": one task: enqueue and lease, finish, p50", single_round_trip_us(*queue), "us");
  }
  print_backlog("file", *open_file(folder, "few", FileSync::normal),
                *open_file(folder, "many", FileSync::normal));
}

void run() {
  RedisServer server("everysec");
  const auto redis = must(RedisConnection::open(server.address(), {}));
  // A rewrite of the append-only file in the background would fall on one measurement by chance.
  must(redis->call({"CONFIG", "SET", "auto-aof-rewrite-percentage", "0"}));
  const auto open_redis = [&](const std::string& name, const std::string& holder) {
    RedisQueueOptions options;
    options.address = server.address();
    options.name = name;
    options.holder = holder;
    options.limits = room_for_all();
    return must(RedisQueue::open(options, system_clock));
  };
  const auto open_memory = [] {
    return std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(room_for_all()));
  };
  const auto queue = open_redis("bench", "one");
  const auto memory = open_memory();
  fmt::print("record of the task: {} bytes\n\n", record_size(*make_tasks("s", 1)[0].task));

  // In turn, so that a busy moment of the machine does not fall on one of them alone.
  std::vector<double> lpush, redis_straight, redis_through, memory_straight, memory_through;
  for (int i = 0; i < 5; ++i) {
    lpush.push_back(lpush_rate(server));
    std::ignore = redis->call({"DEL", "mylist"});
    redis_straight.push_back(rate_of(*queue, straight, "s", batch_size));
    redis_through.push_back(rate_of(*queue, through, "t", batch_size));
    memory_straight.push_back(rate_of(*memory, straight, "s", batch_size));
    memory_through.push_back(rate_of(*memory, through, "t", batch_size));
  }
  row("floor: LPUSH of 300 bytes, 4 clients, pipelined", median(lpush), "/s");
  row("floor: PING p50", ping_p50_us(*redis), "us");
  row("redis: life of a task, leased at once, 256 a batch", median(redis_straight), "tasks/s");
  row("redis: life of a task, through the queue", median(redis_through), "tasks/s");
  const auto open_holder = [&](const std::string& holder) { return open_redis("threads", holder); };
  row("redis: leased at once, 3 threads", rate_of_threads(open_holder, straight, 3), "tasks/s");
  row("redis: through the queue, 3 threads", rate_of_threads(open_holder, through, 3), "tasks/s");
  row("redis: server's CPU, leased at once", server_us_per_task(*redis, *queue, straight),
      "us/task");
  row("redis: server's CPU, through the queue", server_us_per_task(*redis, *queue, through),
      "us/task");
  row("redis: one task: enqueue and lease, finish, p50", single_round_trip_us(*queue), "us");
  row("memory: life of a task, leased at once", median(memory_straight), "tasks/s",
      fmt::format("{:.2f} us each", 1e6 / median(memory_straight)));
  row("memory: life of a task, through the queue", median(memory_through), "tasks/s",
      fmt::format("{:.2f} us each", 1e6 / median(memory_through)));
  row("memory: one task: enqueue and lease, finish, p50", single_round_trip_us(*memory), "us");
  print_backlog("redis", *open_redis("few", "one"), *open_redis("many", "one"));
  print_backlog("memory", *open_memory(), *open_memory());
}

}  // namespace
}  // namespace fogctl

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "file") fogctl::run();
  fogctl::run_file();
}
