// Every key of a queue in Redis, by name. All carry the hash tag {NAME}, so that one queue lies in
// one slot of a Redis Cluster, and two queues never touch each other. A plain value, any thread.
#pragma once

#include <string>
#include <string_view>

namespace fogctl {

struct QueueKeys {
  explicit QueueKeys(std::string_view queue);

  std::string prefix;  // "{fog}:"

  std::string tasks;        // hash: uid → body, of every task that is not done
  std::string ready;        // zset: ticket + uid by start-by, of the queued ones
  std::string oldest;       // zset: the same members by arrival
  std::string delayed;      // zset: the same by when its turn is, of failed ones to be tried again
  std::string cancelled;    // hash: uid → its result, of held ones that were given up
  std::string counts;       // hash: tasks by state and class, bytes, the last batch's number, …
  std::string attempts;     // hash: uid → runs that may have begun, of tasks whose lease was lost
  std::string holders;      // zset: holder by the end of its lease
  std::string lives;        // hash: holder → when it registered
  std::string workers;      // hash: holder → workers
  std::string lost;         // hash: key of a lost_tasks hash → why, until all of it is put back
  std::string askers;       // hash: uid → other holders that asked for the result, a line each
  std::string results;      // hash: uid → kept result
  std::string results_age;  // zset: uid by the end of its keeping
  std::string dead;      // hash: uid → when, attempts, result and body of one that failed for good
  std::string dead_age;  // zset: uid by when it died
  std::string wake;      // stream: an entry when queued tasks appear where there were none
  std::string probe;     // string: written to see whether the server takes writes; gone at once

  /// hash: uid → ticket, flag and lease number of what the holder holds.
  [[nodiscard]] std::string held(std::string_view holder) const;
  /// hash: the same, once that life of the holder lost its lease.
  [[nodiscard]] std::string lost_tasks(std::string_view holder, std::string_view life) const;
  /// stream: results that the holder is waiting for.
  [[nodiscard]] std::string replies(std::string_view holder) const;
};

}  // namespace fogctl
