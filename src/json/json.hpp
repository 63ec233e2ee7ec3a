// JSON without a document tree: an object is checked once by the JSON library and then read as
// slices of its text, so that what only passes through keeps its bytes. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace fogctl::json {

/// Deepest nesting that a message may have (arrays and objects together).
inline constexpr std::size_t max_depth = 32;
/// Of what a member of a message holds: the message around it is one level.
inline constexpr std::size_t deepest_member = max_depth - 1;
/// Of a message that lists what members of others hold.
inline constexpr std::size_t deepest_listing = max_depth + 2;

struct Member {
  std::string_view name;   // decoded
  std::string_view value;  // JSON text, without white space around it
};

/// The members of one object, in order; slices of the text that was parsed, which must outlive it.
/// Reusable: parse() replaces what it held and keeps its memory.
class Object {
 public:
  Object() = default;
  Object(Object&&) = default;
  Object& operator=(Object&&) = default;

  /// Error: invalid, saying what is wrong, in which member or at which byte.
  [[nodiscard]] Result<void> parse(std::string_view text, std::size_t deepest = max_depth);
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// The last member of that name (as Python reads it), or none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

 private:
  std::vector<Member> members_;
  std::list<std::string> decoded_names_;  // stay where they are when this moves
};

enum class FaultKind {
  syntax,
  not_utf8,
  lone_surrogate,  // a \uXXXX that is half of a pair, and names no character
  too_deep,        // and so far no other fault
};
/// The first thing that is wrong with a text. The message names the member of an object that it is
/// in: "invalid UTF-8 in field 'content' (byte 65)", "field 'content': nested deeper than 32".
struct Fault {
  FaultKind kind = FaultKind::syntax;
  std::string message;
};
/// None where `text` is one JSON value of any kind, with nothing but white space around it, nested
/// no deeper than `deepest`, which costs stack.
[[nodiscard]] std::optional<Fault> find_fault(std::string_view text,
                                              std::size_t deepest = max_depth);
/// The same as a Result. Error: invalid.
[[nodiscard]] Result<void> check_value(std::string_view text, std::size_t deepest = max_depth);

/// Where the first byte is that is no UTF-8; none: all is.
[[nodiscard]] std::optional<std::size_t> find_bad_utf8(std::string_view text);

// Readers of a checked value's text; none where it is of another kind or out of range.
[[nodiscard]] std::optional<std::string> read_string(std::string_view value);
[[nodiscard]] std::optional<std::int64_t> read_integer(std::string_view value);
[[nodiscard]] std::optional<double> read_number(std::string_view value);  // finite
[[nodiscard]] std::optional<bool> read_bool(std::string_view value);
[[nodiscard]] std::optional<std::vector<std::string>> read_strings(std::string_view value);
[[nodiscard]] std::optional<std::vector<double>> read_numbers(std::string_view value);
/// An array's values, of any kind, as slices of the text.
[[nodiscard]] std::optional<std::vector<std::string_view>> read_values(std::string_view value);
/// "a string", "a number", "null", …: for messages.
[[nodiscard]] std::string_view kind_of(std::string_view value);

// Writers append to `out`. Text is UTF-8, any other byte becomes U+FFFD; what is written is pure
// ASCII on one line, with braces inside strings escaped, as peers of the original need it
// (protocol.md part 2).
void append_string(std::string& out, std::string_view text);
void append_strings(std::string& out, const std::vector<std::string>& texts);  // as an array
void append_number(std::string& out, double value);  // shortest that reads back the same; finite
void append_integer(std::string& out, std::int64_t value);
/// A checked value's text, made ASCII and one line; its bytes as they came where they already are.
void append_plain(std::string& out, std::string_view value);

}  // namespace fogctl::json
