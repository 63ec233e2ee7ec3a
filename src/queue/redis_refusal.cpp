#include "queue/redis_refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace fogctl {
namespace {

struct Meaning {
  std::string_view word;
  ErrorCode code;
  std::string_view advice;  // empty: it passes by itself
};

using enum ErrorCode;

constexpr Meaning meanings[] = {
    {"LOADING", unavailable, "it reads its data from disk; wait until it has"},
    {"MISCONF", unavailable, "it cannot write to its disk: make room there and look into its log"},
    {"OOM", no_room, "its memory is full: raise maxmemory, or remove what else lies in it"},
    {"BUSY", unavailable, "a script of somebody's runs too long; 'redis-cli script kill' ends it"},
    {"UNKILLABLE", unavailable, "a script that wrote runs too long; wait for it"},
    {"READONLY", read_only, "it is a replica: name its master, or promote it"},
    {"MASTERDOWN", unavailable, "it is a replica that lost its master: name the master"},
    {"NOREPLICAS", unavailable, "too few of its replicas are there: start them"},
    {"CLUSTERDOWN", unavailable, "a part of its cluster is gone; 'redis-cli cluster info' tells"},
    {"TRYAGAIN", unavailable, "the queue's slot is moving to another node"},
    {"MOVED", unavailable, "the cluster's nodes do not agree yet on who owns the queue's slot"},
    {"ASK", unavailable, "the queue's slot is moving to another node"},
    {"UNBLOCKED", unavailable, ""},
    {"NOAUTH", unauthorized, "it wants a password: --redis-password-file"},
    {"WRONGPASS", unauthorized,
     "user or password are not right any more; --redis-password-file is read at each try"},
    {"NOPERM", unauthorized, "allow this user what a queue needs: ACL SETUSER NAME ~* &* +@all"},
};

const Meaning* meaning_of(std::string_view word) {
  const auto* const found = std::ranges::find(meanings, word, &Meaning::word);
  return found == std::end(meanings) ? nullptr : found;
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

template <typename Number>
std::optional<Number> read_decimal(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || rest != end || error != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace

// Before 7.0: "ERR Error running script (call to f_1f…): @user_script:3: -OOM command not …".
std::string_view refusal_word(std::string_view text) {
  const std::string_view word = first_word(text);
  if (word != "ERR") return word;
  const auto nested = text.find(": -");
  if (nested == std::string_view::npos) return word;
  const std::string_view inner = first_word(text.substr(nested + 3));
  return meaning_of(inner) != nullptr ? inner : word;
}

Error error_of_refusal(std::string_view text) {
  const Meaning* meaning = meaning_of(refusal_word(text));
  if (meaning == nullptr) return {failed, std::string(text)};
  if (meaning->advice.empty()) return {meaning->code, std::string(text)};
  return {meaning->code, fmt::format("{} ({})", text, meaning->advice)};
}

std::optional<RedisRedirect> parse_redirect(std::string_view text) {
  const std::string_view word = first_word(text);
  if (word != "MOVED" && word != "ASK") return std::nullopt;
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  const auto slot = read_decimal<std::uint16_t>(first_word(text));
  const auto space = text.find(' ');
  const auto colon = text.rfind(':');
  if (!slot || space == std::string_view::npos || colon == std::string_view::npos) {
    return std::nullopt;
  }
  const auto port = read_decimal<std::uint16_t>(text.substr(colon + 1));
  if (colon <= space || !port || *port == 0) return std::nullopt;
  std::string host(text.substr(space + 1, colon - space - 1));
  if (host == "?") host.clear();  // a node that does not know its own name
  return RedisRedirect{word == "ASK", *slot, {std::move(host), *port}};
}

}  // namespace fogctl
