// What a call that can fail returns: a value, or an Error that says doing what, to what, why.
// Callers branch on the code, never on the text. Safe on any thread.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace fogctl {

enum class ErrorCode {
  invalid,       // the input is wrong; the same input fails again
  not_found,     // what was named is not there
  in_use,        // taken by somebody else (a port, a lock)
  unavailable,   // the other side is away or not ready; the same call may succeed later
  read_only,     // the other side takes no writes, being a replica; it may once it is promoted
  unauthorized,  // the other side wants a password, or another one
  timed_out,     // no answer within the budget; whether it took effect is not known
  overloaded,    // a bound was reached
  no_room,       // the other side's memory has no room for it; a smaller one may fit
  failed,        // anything else that went wrong while doing it
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> failure(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// True where the other side was away, silent or not ready, so that the same call may succeed
/// later.
[[nodiscard]] inline bool is_transient(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::read_only ||
         error.code == ErrorCode::timed_out || error.code == ErrorCode::no_room;
}

/// Likewise where a person must mend something first (a password): who runs already goes on trying.
[[nodiscard]] inline bool may_recover(const Error& error) {
  return is_transient(error) || error.code == ErrorCode::unauthorized;
}

}  // namespace fogctl
