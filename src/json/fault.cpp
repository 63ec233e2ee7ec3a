// The check of a text by the JSON library, and what is wrong with one that it refuses.
#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <system_error>
#include <utility>

#include "json/json.hpp"
#include "json/utf8.hpp"

namespace fogctl::json {
namespace {

namespace library = boost::json;
using library::error_code;

/// Accepts everything: the library's parser checks, and what was read stays in the text.
struct Checker {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(library::string_view, std::size_t, error_code&) { return true; }
  bool on_key(library::string_view, std::size_t, error_code&) { return true; }
  bool on_string_part(library::string_view, std::size_t, error_code&) { return true; }
  bool on_string(library::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(library::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, library::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, library::string_view, error_code&) { return true; }
  bool on_double(double, library::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(library::string_view, error_code&) { return true; }
  bool on_comment(library::string_view, error_code&) { return true; }
};

constexpr std::size_t escape_size = 6;  // \uXXXX

/// The unit of the \uXXXX at `at`; none where there is no such escape.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + escape_size || text[at] != '\\' || text[at + 1] != 'u')
    return std::nullopt;
  unsigned unit = 0;
  const char* end = text.data() + at + escape_size;
  const auto [rest, error] = std::from_chars(text.data() + at + 2, end, unit, 16);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return unit;
}

/// Walks a text up to where the library stopped: a bad character that stands before is why. Until
/// then it is well-formed, so that braces and quotes tell where in an object it is.
class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  /// The first bad character that begins no later than `last`, or none.
  std::optional<Fault> find_bad_character(std::size_t last) {
    std::optional<Fault> fault;
    while (!fault && at_ <= last && at_ < text_.size()) {
      fault = static_cast<unsigned char>(text_[at_]) >= 0x80 ? check_utf8() : check_ascii();
    }
    return fault;
  }
  /// The member of the outermost object whose value the walk is in, decoded, or none.
  [[nodiscard]] std::optional<std::string> member() const {
    if (!in_value_) return std::nullopt;
    constexpr std::size_t shown = 64;
    std::string name = read_string(text_.substr(name_begin_, name_end_ - name_begin_)).value_or("");
    if (name.size() > shown) name.replace(shown, std::string::npos, "...");
    return name;
  }

 private:
  std::optional<Fault> check_utf8() {
    const std::size_t begin = at_;
    if (read_utf8(text_, at_)) return std::nullopt;
    return Fault{FaultKind::not_utf8, fmt::format("invalid UTF-8{} (byte {})", place(), begin)};
  }
  std::optional<Fault> check_ascii() {
    const char c = text_[at_];
    if (in_string_ && c == '\\') return check_escape();
    if (c == '"') {
      note_quote();
    } else if (!in_string_) {
      note_structure(c);
    }
    ++at_;
    return std::nullopt;
  }
  std::optional<Fault> check_escape() {
    const auto is_half = [](unsigned unit) { return unit >= 0xD800 && unit < 0xE000; };
    const std::size_t begin = at_;
    const auto unit = escaped_unit(text_, begin);
    at_ += unit ? escape_size : 2;
    if (!unit || !is_half(*unit)) return std::nullopt;
    const auto other = escaped_unit(text_, at_);
    const bool is_pair = *unit < 0xDC00 && other && is_half(*other) && *other >= 0xDC00;
    at_ += is_pair ? escape_size : 0;
    if (is_pair) return std::nullopt;
    return Fault{FaultKind::lone_surrogate,
                 fmt::format("lone surrogate {}{} (byte {})", text_.substr(begin, escape_size),
                             place(), begin)};
  }
  void note_quote() {
    in_string_ = !in_string_;
    if (depth_ != 1 || !is_object_ || in_value_) return;
    if (in_string_) {
      name_begin_ = at_;
    } else {
      name_end_ = at_ + 1;
    }
  }
  void note_structure(char c) {
    if (c == '{' || c == '[') {
      if (depth_++ == 0) is_object_ = c == '{';
    } else if (c == '}' || c == ']') {
      if (--depth_ == 0) in_value_ = false;
    } else if (depth_ == 1 && (c == ':' || c == ',')) {
      in_value_ = c == ':';
    }
  }
  /// " in field 'content'"
  [[nodiscard]] std::string place() const {
    if (const auto name = member()) return fmt::format(" in field '{}'", *name);
    return depth_ == 1 && is_object_ && in_string_ ? " in the name of a field" : "";
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t name_begin_ = 0;  // of the newest name in the outermost object, with its quotes
  std::size_t name_end_ = 0;
  bool is_object_ = false;  // the outermost value
  bool in_value_ = false;   // of a member of it
  bool in_string_ = false;
};

/// What is wrong with `text`, at which the library stopped after `read` bytes for `error`.
Fault explain(std::string_view text, std::size_t read, const error_code& error,
              std::size_t deepest) {
  Search search(text);
  if (auto fault = search.find_bad_character(read)) return *fault;
  if (error != library::error::too_deep) {
    return {FaultKind::syntax, fmt::format("not valid JSON at byte {}: {}", read, error.message())};
  }
  const auto member = search.member();
  return {FaultKind::too_deep,
          fmt::format("{}nested deeper than {}", member ? fmt::format("field '{}': ", *member) : "",
                      deepest)};
}

}  // namespace

std::optional<Fault> find_fault(std::string_view text, std::size_t deepest) {
  library::parse_options options;
  options.max_depth = deepest;
  library::basic_parser<Checker> parser(options);
  error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = library::error::extra_data;
  if (!error) return std::nullopt;
  return explain(text, read, error, deepest);
}

Result<void> check_value(std::string_view text, std::size_t deepest) {
  auto fault = find_fault(text, deepest);
  if (fault) return failure(ErrorCode::invalid, std::move(fault->message));
  return {};
}

std::optional<std::size_t> find_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
    } else if (!read_utf8(text, at)) {
      return begin;
    }
  }
  return std::nullopt;
}

}  // namespace fogctl::json
