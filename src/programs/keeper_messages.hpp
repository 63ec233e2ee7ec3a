// What a keeper and its fogctl say to each other, each message being one packet of their socket.
// Both are the same executable: nothing here outlives a version.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "programs/child.hpp"

namespace fogctl::keeper {

/// Longest packet: the command and the environment must fit.
inline constexpr std::size_t max_packet = std::size_t{128} << 10;
/// Of its words; a longer reason is cut.
inline constexpr std::size_t longest_word = 1024;

// Orders to a keeper. Start comes with the program's ends of stdin, stdout and stderr.
struct Start {
  ChildSpec spec;
};
struct Terminate {};
struct Kill {};
using Order = std::variant<Start, Terminate, Kill>;

// Its words. Each Start is answered by Started and later Ended, or by Refused.
struct Started {};
struct Refused {
  std::string why;
};
struct Ended {
  ChildExit exit;
};
using Word = std::variant<Started, Refused, Ended>;

[[nodiscard]] std::string encode(const Order& order);
[[nodiscard]] std::string encode(const Word& word);
// None: not such a message.
[[nodiscard]] std::optional<Order> decode_order(std::string_view packet);
[[nodiscard]] std::optional<Word> decode_word(std::string_view packet);

}  // namespace fogctl::keeper
