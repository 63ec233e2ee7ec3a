// The transitions of the queue in Redis: one Lua script each, run atomically by the server. Each
// script's contract (KEYS, ARGV, what it returns) stands above it in scripts.cpp.
//
// What the scripts read of a task, all of fixed width, so that Lua can cut it:
//   ticket  where it stands in the queue: arrival (16), failed runs (2), number of its batch (10),
//           start-by (16), position in the batch (4), class (1), bytes of the body (8), mode (1: q
//           plain, c uid chosen by the client, w away, x both). Sorted as text, ties come in
//           arrival order.
//   member  of ready, oldest and delayed: ticket, uid
//   held    ticket, flag (1: l leased ahead, a leased alone, s started, w away), lease number
//   body    digest (8), identity of the call (8), length of a holder (1), the holder that enqueued
//           it, arrival (8), start-by (8), record. Equal up to the holder in two calls only when
//           one repeats the other.
//   kept    end of the keeping (16), digest (8), record
//   dead    when (16), attempts (8), length of the result (8), the result's record, body
// Members and held values are longer than the 64 bytes up to which Redis would keep them in lists
// that it searches from the front. The number of the batch is 0 for what was held at once.
// Times are microseconds of Redis' clock in decimal digits; they come in ARGV. Overdue asks it,
// too: whether it was set back.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace fogctl {

enum class Script {
  enqueue,
  lease,
  started,
  extend,
  finish,
  retry,
  withdraw,
  cancel,
  give_back,
  overdue,
  evict,
  put_back,
  forget,
  bury,
  bury_surplus,
  census,
  adopt
};
inline constexpr std::size_t script_count = 17;

/// The Lua text; lives as long as the program.
[[nodiscard]] std::string_view source_of(Script script);

/// The most tasks that C++ passes to one call of a script: keeps Lua's unpack within its stack
/// and other clients of the server from waiting.
inline constexpr std::size_t script_batch = 1000;

}  // namespace fogctl
