// What became of the tasks of one name: counts, response and waiting times, where they ran.
// Belongs to one thread. Definitions are the original client's (protocol.md, "The original
// workloads and client"):
// 1. response time = from sending a task to its result; waiting time = response time − execution
//    time, never below zero.
// 2. A task is in time when its waiting time ≤ its time_requirement. The in-time rate is over the
//    tasks sent, so one that failed or was lost is not in time.
// 3. Times and sites are those of the tasks that are done; a failed task adds to neither.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "client/histogram.hpp"

namespace fogctl {

/// Where a task ran, as seen by the client of a node.
enum class RanAt : std::uint8_t { local, neighbour, cloud };
inline constexpr std::size_t site_count = 3;

/// From a result's `process_by` ("local", "fog", "cloud"). A node that runs what was handed to it
/// leaves the field as it came ("f"): then the number of hops decides.
[[nodiscard]] RanAt site_of(std::string_view process_by, int offload_times);

[[nodiscard]] Duration waiting_time(Duration response, Duration execution);

struct DoneTask {
  Duration response{};
  Duration execution{};
  Duration requirement{};
  RanAt site = RanAt::local;
};

class Statistics {
 public:
  void add_sent() { ++sent_; }
  void add_done(const DoneTask& task);
  void add_failed() { ++failed_; }
  void add_lost() { ++lost_; }
  void merge(const Statistics& other);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t done() const { return response_.count(); }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t in_flight() const { return sent_ - done() - failed_ - lost_; }
  [[nodiscard]] std::uint64_t in_time() const { return in_time_; }

  [[nodiscard]] const Histogram& response() const { return response_; }
  // Shares from 0 to 1 and means: none while there is nothing to divide by.
  [[nodiscard]] std::optional<Duration> mean_waiting() const;
  [[nodiscard]] std::optional<double> in_time_rate() const;  // of the sent
  /// In-time rate of those whose fate is known, for a load that is still running.
  [[nodiscard]] std::optional<double> in_time_rate_so_far() const;
  [[nodiscard]] std::optional<double> share_run(RanAt site) const;  // of the done

 private:
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t in_time_ = 0;
  std::array<std::uint64_t, site_count> run_{};
  double waiting_s_ = 0;
  Histogram response_;
};

/// "100%", "98.3%": never rounded up, so that 100% means all.
[[nodiscard]] std::string percent_text(double share);

}  // namespace fogctl
