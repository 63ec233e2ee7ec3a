#include "programs/keeper_messages.hpp"

#include <algorithm>
#include <cstring>

namespace fogctl::keeper {
namespace {

enum Kind : char {
  kind_start = 'S',
  kind_terminate = 'T',
  kind_kill = 'K',
  kind_started = 's',
  kind_refused = 'r',
  kind_ended = 'e',
};

void put(std::string& out, std::uint64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out += text;
}

void put(std::string& out, const std::vector<std::string>& texts) {
  put(out, std::uint64_t{texts.size()});
  for (const std::string& text : texts) put(out, std::string_view(text));
}

/// Reads what put() wrote; once something is missing, everything is, and is_whole() is false.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (rest_.size() < sizeof value) return lack(), 0;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) return lack(), std::string();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (std::uint64_t left = number(); left > 0 && is_whole_; --left) values.push_back(text());
    return values;
  }
  [[nodiscard]] bool is_whole() const { return is_whole_ && rest_.empty(); }

 private:
  void lack() {
    is_whole_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool is_whole_ = true;
};

struct OrderWriter {
  std::string operator()(const Start& start) const {
    const ChildSpec& spec = start.spec;
    std::string out(1, kind_start);
    put(out, spec.command);
    put(out, spec.environment);
    put(out, std::string_view(spec.workdir));
    put(out, std::string_view(spec.user));
    put(out, spec.limits.memory);
    put(out, spec.limits.processes);
    put(out, spec.limits.open_files);
    put(out, static_cast<std::uint64_t>(spec.limits.cpu_time.count()));
    put(out, spec.limits.max_output);
    put(out, std::uint64_t{spec.is_sandboxed});
    put(out, spec.hidden_arguments);
    return out;
  }
  std::string operator()(const Terminate&) const { return std::string(1, kind_terminate); }
  std::string operator()(const Kill&) const { return std::string(1, kind_kill); }
};

struct WordWriter {
  std::string operator()(const Started&) const { return std::string(1, kind_started); }
  std::string operator()(const Refused& refused) const {
    std::string out(1, kind_refused);
    std::size_t size = std::min(refused.why.size(), longest_word - 1);
    const auto is_within_character = [&] {  // of UTF-8
      return size > 0 && size < refused.why.size() && (refused.why[size] & 0xC0) == 0x80;
    };
    while (is_within_character()) --size;
    return out.append(refused.why, 0, size);
  }
  std::string operator()(const Ended& ended) const {
    std::string out(1, kind_ended);
    put(out, static_cast<std::uint64_t>(ended.exit.code));
    put(out, static_cast<std::uint64_t>(ended.exit.signal));
    put(out, std::string_view(ended.exit.limit));
    return out;
  }
};

}  // namespace

std::string encode(const Order& order) {
  return std::visit(OrderWriter(), order);
}

std::string encode(const Word& word) {
  return std::visit(WordWriter(), word);
}

std::optional<Order> decode_order(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  if (packet[0] == kind_terminate) return Terminate{};
  if (packet[0] == kind_kill) return Kill{};
  if (packet[0] != kind_start) return std::nullopt;
  Reader in(packet.substr(1));
  Start start;
  start.spec.command = in.texts();
  start.spec.environment = in.texts();
  start.spec.workdir = in.text();
  start.spec.user = in.text();
  start.spec.limits.memory = in.number();
  start.spec.limits.processes = in.number();
  start.spec.limits.open_files = in.number();
  start.spec.limits.cpu_time = Duration(static_cast<Duration::rep>(in.number()));
  start.spec.limits.max_output = in.number();
  start.spec.is_sandboxed = in.number() != 0;
  start.spec.hidden_arguments = in.texts();
  return in.is_whole() ? std::optional<Order>(std::move(start)) : std::nullopt;
}

std::optional<Word> decode_word(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  if (packet[0] == kind_started) return Started{};
  if (packet[0] == kind_refused) return Refused{std::string(packet.substr(1))};
  if (packet[0] != kind_ended) return std::nullopt;
  Reader in(packet.substr(1));
  Ended ended;
  ended.exit.code = static_cast<int>(in.number());
  ended.exit.signal = static_cast<int>(in.number());
  ended.exit.limit = in.text();
  return in.is_whole() ? std::optional<Word>(std::move(ended)) : std::nullopt;
}

}  // namespace fogctl::keeper
