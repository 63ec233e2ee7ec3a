#include <fmt/format.h>
#include <gmp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>
#include <vector>

#include "json/json.hpp"
#include "work/handlers.hpp"

namespace fogctl {
namespace {

constexpr double longest_sleep = 86'400;

std::unexpected<RunFailure> wrong_content(std::string_view expected, const Task& task) {
  return std::unexpected(RunFailure{TaskErrorCode::invalid_task,
                                    fmt::format("field 'content': task '{}' expects {}, got {}",
                                                task.name, expected, json::kind_of(task.content))});
}

std::unexpected<RunFailure> stopped() {
  return std::unexpected(RunFailure{TaskErrorCode::cancelled, "stopped before it was done"});
}

class Whole {
 public:
  Whole() { mpz_init(number_); }
  ~Whole() { mpz_clear(number_); }
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;
  operator mpz_ptr() { return number_; }

 private:
  mpz_t number_;
};

/// pow(3523523523, exponent) % 4 by building the whole power: the original workloads. Squares and
/// multiplies by itself, to look in between whether it is to stop: the last squaring is the
/// longest.
HandlerOutcome whole_power(unsigned long exponent, const std::stop_token& stop) {
  constexpr unsigned long base = 3523523523UL;
  Whole power;
  Whole square;
  mpz_set_ui(power, 1);
  for (int bit = static_cast<int>(std::bit_width(exponent)) - 1; bit >= 0; --bit) {
    if (stop.stop_requested()) return stopped();
    mpz_mul(square, power, power);
    mpz_swap(power, square);
    if ((exponent >> bit & 1) != 0) mpz_mul_ui(power, power, base);
  }
  return std::to_string(mpz_fdiv_ui(power, 4));
}

Handler power_handler(TaskClass weight, unsigned long exponent) {
  return {weight, [exponent](const Task&, const Run& run) -> HandlerOutcome {
            return whole_power(exponent, run.stop);
          }};
}

HandlerOutcome echo(const Task& task, const Run&) {
  return task.content;
}

/// Waits content seconds, and says how many are over; one that is stopped has not done what it was
/// asked for.
HandlerOutcome sleep_for_content(const Task& task, const Run& run) {
  constexpr Duration step = std::chrono::milliseconds(100);
  const auto seconds = json::read_number(task.content);
  if (!seconds || *seconds < 0 || *seconds > longest_sleep) {
    return wrong_content("seconds, a number from 0 to 86400", task);
  }
  const Duration length = from_seconds(*seconds);
  const SystemClock clock;
  const Instant begin = clock.now();
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  for (Duration over{}; over < length; over = clock.now() - begin) {
    if (run.progress && over >= step) run.progress(to_seconds(over) / *seconds);
    never.wait_for(lock, run.stop, std::min(step, length - over), [] { return false; });
    if (run.stop.stop_requested()) return stopped();
  }
  return task.content;
}

/// JSON has no infinity.
HandlerOutcome finite_number(double value, const Task& task) {
  if (!std::isfinite(value)) {
    return std::unexpected(
        RunFailure{TaskErrorCode::invalid_task,
                   fmt::format("field 'content': its {} is too large a number", task.name)});
  }
  std::string text;
  json::append_number(text, value);
  return text;
}

HandlerOutcome sum(const Task& task, const Run&) {
  const auto numbers = json::read_numbers(task.content);
  if (!numbers) return wrong_content("an array of numbers", task);
  return finite_number(std::accumulate(numbers->begin(), numbers->end(), 0.0), task);
}

HandlerOutcome mean(const Task& task, const Run&) {
  const auto numbers = json::read_numbers(task.content);
  if (!numbers || numbers->empty()) return wrong_content("an array of at least one number", task);
  const double total = std::accumulate(numbers->begin(), numbers->end(), 0.0);
  return finite_number(total / static_cast<double>(numbers->size()), task);
}

/// For trying out what becomes of a failed run.
HandlerOutcome fail(const Task& task, const Run& run) {
  const auto failures = json::read_integer(task.content);
  if (!failures || *failures < 0) return wrong_content("a whole number >= 0", task);
  if (run.attempt > *failures) return std::to_string(run.attempt);
  return std::unexpected(RunFailure{TaskErrorCode::task_failed,
                                    fmt::format("run {} of {} that fail", run.attempt, *failures)});
}

}  // namespace

HandlerTable built_in_handlers() {
  HandlerTable table;
  table.add("light", power_handler(TaskClass::light, 3423));
  table.add("medium", power_handler(TaskClass::medium, 342323));
  table.add("heavy", power_handler(TaskClass::heavy, 442323));
  table.add("add", power_handler(TaskClass::light, 34232));
  table.add("echo", {TaskClass::light, echo});
  table.add("sleep", {TaskClass::light, sleep_for_content});
  table.add("sum", {TaskClass::light, sum});
  table.add("mean", {TaskClass::light, mean});
  table.add("fail", {TaskClass::light, fail});
  return table;
}

}  // namespace fogctl
