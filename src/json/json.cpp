#include "json/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "json/plain_text.hpp"
#include "json/utf8.hpp"

namespace fogctl::json {
namespace {

/// Walks text that was checked: nothing here can run past its end.
class Slicer {
 public:
  explicit Slicer(std::string_view text) : text_(text) {}

  [[nodiscard]] char peek() {
    while (is_space(text_[at_])) ++at_;
    return text_[at_];
  }
  void skip() { ++at_; }
  std::string_view value() {
    const char first = peek();
    const std::size_t begin = at_;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_nested();
    } else {
      while (at_ < text_.size() && !ends_scalar(text_[at_])) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool ends_scalar(char c) { return c == ',' || c == '}' || c == ']' || is_space(c); }
  void skip_string() {
    at_ = end_of_plain_text(text_, at_ + 1);
    while (text_[at_] == '\\') at_ = end_of_plain_text(text_, at_ + 2);
    ++at_;
  }
  void skip_nested() {
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

unsigned hex4(std::string_view digits) {
  unsigned code = 0;
  for (const char c : digits.substr(0, 4)) code = code * 16 + static_cast<unsigned>(hex_digit(c));
  return code;
}

/// The code point of the \uXXXX (or pair of them) behind a "\u" at `at`; moves `at` behind it.
unsigned read_escaped_code(std::string_view text, std::size_t& at) {
  unsigned code = hex4(text.substr(at));
  at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    code = 0x10000 + ((code - 0xD800) << 10) + (hex4(text.substr(at + 2)) - 0xDC00);
    at += 6;
  }
  return code;
}

/// `quoted` without its quotes, escapes resolved.
std::string decode(std::string_view inner) {
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size();) {
    if (inner[i] != '\\') {
      out.push_back(inner[i++]);
      continue;
    }
    const char escape = inner[i + 1];
    i += 2;
    switch (escape) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u':
        append_utf8(out, read_escaped_code(inner, i));
        break;
      default:
        out.push_back(escape);
    }
  }
  return out;
}

std::string_view inside_quotes(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

void append_unit_escape(std::string& out, unsigned unit) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[(unit >> shift) & 15]);
}

/// One UTF-8 character of more than one byte, at `at`, as one or two \uXXXX; moves `at` behind it.
/// A byte that is no UTF-8 counts as U+FFFD: what is written must be JSON, whatever a message
/// quotes.
void append_escaped_utf8(std::string& out, std::string_view text, std::size_t& at) {
  constexpr unsigned unreadable = 0xFFFD;
  unsigned code = read_utf8(text, at).value_or(unreadable);
  if (code < 0x10000) return append_unit_escape(out, code);
  code -= 0x10000;
  append_unit_escape(out, 0xD800 + (code >> 10));
  append_unit_escape(out, 0xDC00 + (code & 0x3FF));
}

constexpr bool is_line_break(char c) {
  return c == '\n' || c == '\r';
}

constexpr bool is_plain(char c) {
  return static_cast<unsigned char>(c) < 0x80 && c != '{' && c != '}' && !is_line_break(c);
}

/// Of each byte, whether it stands for itself in a string that is written.
constexpr std::array<bool, 256> verbatim = [] {
  std::array<bool, 256> bytes{};
  for (std::size_t i = 0x20; i < 0x7F; ++i) {
    const char c = static_cast<char>(i);
    bytes[i] = is_plain(c) && c != '"' && c != '\\';
  }
  return bytes;
}();

/// How many bytes from `at` on are `verbatim`.
std::size_t verbatim_run(std::string_view text, std::size_t at) {
  const auto begin = text.begin() + static_cast<std::ptrdiff_t>(at);
  return static_cast<std::size_t>(
      std::find_if_not(begin, text.end(),
                       [](char c) { return verbatim[static_cast<unsigned char>(c)]; }) -
      begin);
}

template <typename T, typename Read>
std::optional<std::vector<T>> read_array(std::string_view value, Read read) {
  if (value.empty() || value.front() != '[') return std::nullopt;
  Slicer slicer(value);
  std::vector<T> items;
  slicer.skip();
  while (slicer.peek() != ']') {
    const auto item = read(slicer.value());
    if (!item) return std::nullopt;
    items.push_back(*item);
    if (slicer.peek() == ',') slicer.skip();
  }
  return items;
}

}  // namespace

Result<void> Object::parse(std::string_view text, std::size_t deepest) {
  members_.clear();
  decoded_names_.clear();
  if (const auto checked = check_value(text, deepest); !checked) return checked;
  Slicer slicer(text);
  if (slicer.peek() != '{') return failure(ErrorCode::invalid, "not a JSON object");
  slicer.skip();
  while (slicer.peek() != '}') {
    std::string_view name = inside_quotes(slicer.value());
    if (name.find('\\') != std::string_view::npos) name = decoded_names_.emplace_back(decode(name));
    while (slicer.peek() != ':') slicer.skip();
    slicer.skip();
    members_.push_back({name, slicer.value()});
    if (slicer.peek() == ',') slicer.skip();
  }
  return {};
}

std::optional<std::string_view> Object::find(std::string_view name) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->name == name) return member->value;
  }
  return std::nullopt;
}

std::optional<std::string> read_string(std::string_view value) {
  if (value.empty() || value.front() != '"') return std::nullopt;
  const std::string_view inner = inside_quotes(value);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return decode(inner);
}

std::optional<std::int64_t> read_integer(std::string_view value) {
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

std::optional<double> read_number(std::string_view value) {
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, number);
  if (rest != end || error == std::errc::invalid_argument) return std::nullopt;
  // Too large, or too small and then as good as 0: from_chars does not say which.
  if (error != std::errc{}) number = std::strtod(std::string(value).c_str(), nullptr);
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<bool> read_bool(std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_strings(std::string_view value) {
  return read_array<std::string>(value, read_string);
}

std::optional<std::vector<double>> read_numbers(std::string_view value) {
  return read_array<double>(value, read_number);
}

std::optional<std::vector<std::string_view>> read_values(std::string_view value) {
  return read_array<std::string_view>(
      value, [](std::string_view item) -> std::optional<std::string_view> { return item; });
}

std::string_view kind_of(std::string_view value) {
  switch (value.empty() ? '\0' : value.front()) {
    case '"':
      return "a string";
    case '{':
      return "an object";
    case '[':
      return "an array";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (const std::size_t run = verbatim_run(text, i); run > 0) {
      out.append(text, i, run);
      i += run;
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      append_escaped_utf8(out, text, i);
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      append_unit_escape(out, static_cast<unsigned char>(c));
    }
    ++i;
  }
  out.push_back('"');
}

void append_strings(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    append_string(out, text);
  }
  out += ']';
}

void append_number(std::string& out, double value) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

void append_plain(std::string& out, std::string_view value) {
  bool in_string = false;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < value.size();) {
    if (const std::size_t run = in_string ? verbatim_run(value, i) : 0; run > 0) {
      i += run;
      continue;
    }
    const char c = value[i];
    if (in_string ? is_plain(c) : !is_line_break(c)) {
      if (c == '"') in_string = !in_string;
      i += in_string && c == '\\' ? 2 : 1;
      continue;
    }
    out.append(value, copied, i - copied);
    if (!in_string) {
      out.push_back(' ');
      ++i;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      append_escaped_utf8(out, value, i);
    } else {
      append_unit_escape(out, static_cast<unsigned char>(c));
      ++i;
    }
    copied = i;
  }
  out.append(value, copied, value.size() - copied);
}

}  // namespace fogctl::json
