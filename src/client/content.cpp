#include "client/content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/base64.hpp"
#include "base/counted.hpp"
#include "json/json.hpp"

namespace fogctl {
namespace {

constexpr std::string_view spaces = " \t\r\n";
/// What is nested deeper than this is not looked at further, and taken for JSON.
constexpr std::size_t deepest_look = 1000;

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

/// A line break between JSON tokens may as well be a space, and an object is then one line.
std::string on_one_line(std::string_view json) {
  std::string line(json);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

/// Whether a JSON string may hold it: what JSON itself wants escaped is blanked out, and the
/// JSON library checks the rest.
bool is_utf8(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const bool is_special = static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
    quoted.push_back(is_special ? ' ' : c);
  }
  quoted.push_back('"');
  return json::check_value(quoted).has_value();
}

/// Whether a text with this fault is JSON which no message can carry, not text that is no JSON.
bool is_unfit_json(std::string_view text, json::FaultKind kind) {
  using json::FaultKind;
  if (kind != FaultKind::too_deep) return kind == FaultKind::lone_surrogate;
  const auto deeper = json::find_fault(text, deepest_look);
  return !deeper || deeper->kind == FaultKind::too_deep ||
         deeper->kind == FaultKind::lone_surrogate;
}

/// Reads one field after another; knows where in the text it is.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  /// Error: a quote that is not closed, or text behind a closed one.
  Result<std::string> field() {
    if (at_end() || text_[at_] != '"') return plain_field();
    return quoted_field();
  }
  /// After a field: goes behind a comma, which says that another field follows ...
  bool skip_comma() { return skip(','); }
  /// ... or behind the end of the line.
  bool skip_line_end() {
    const std::size_t before = at_;
    skip('\r');
    if (skip('\n')) {
      ++line_;
      return true;
    }
    at_ = before;
    return false;
  }

 private:
  bool skip(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string plain_field() {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    std::string_view field = text_.substr(at_, end - at_);
    const bool ends_line = end == text_.size() || text_[end] == '\n';
    if (ends_line && field.ends_with('\r')) field.remove_suffix(1);
    at_ += field.size();
    return std::string(field);
  }
  Result<std::string> quoted_field() {
    const std::size_t opened = line_;
    std::string field;
    while (true) {
      const std::size_t quote = text_.find('"', ++at_);
      if (quote == std::string_view::npos) {
        return failure(ErrorCode::invalid,
                       fmt::format("line {}: a quote is opened and never closed", opened));
      }
      const std::string_view piece = text_.substr(at_, quote - at_);
      line_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
      field += piece;
      at_ = quote + 1;
      if (at_end() || text_[at_] != '"') return field;
      field.push_back('"');
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

Result<std::vector<std::string>> read_row(CsvReader& reader) {
  std::vector<std::string> row;
  do {
    auto field = reader.field();
    if (!field) return std::unexpected(field.error());
    row.push_back(std::move(*field));
  } while (reader.skip_comma());
  const std::size_t line = reader.line();
  if (!reader.skip_line_end() && !reader.at_end()) {
    return failure(ErrorCode::invalid,
                   fmt::format("line {}: text behind the quote that closes a field", line));
  }
  return row;
}

/// The column's index, and how many rows are header.
struct ColumnPlace {
  std::size_t index = 0;
  std::size_t header_rows = 0;
};

Result<ColumnPlace> find_column(const CsvRows& rows, const CsvColumn& column) {
  if (const auto* number = std::get_if<std::size_t>(&column)) return ColumnPlace{*number - 1, 0};
  const auto& name = std::get<std::string>(column);
  const auto found = std::ranges::find(rows.front(), name);
  if (found == rows.front().end()) {
    return failure(ErrorCode::not_found, fmt::format("no column '{}'; its first row has: {}", name,
                                                     fmt::join(rows.front(), ", ")));
  }
  return ColumnPlace{static_cast<std::size_t>(found - rows.front().begin()), 1};
}

Result<std::string> content_of_field(const std::vector<std::string>& row, std::size_t index,
                                     std::size_t row_number) {
  if (index >= row.size()) {
    return failure(ErrorCode::invalid, fmt::format("row {} has {}, not {}", row_number,
                                                   counted(row.size(), "column"), index + 1));
  }
  auto content = content_from_text(row[index]);
  if (content) return content;
  return failure(ErrorCode::invalid,
                 fmt::format("row {}: {}", row_number, content.error().message));
}

}  // namespace

Result<std::string> content_from_text(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const auto fault = json::find_fault(trimmed, json::deepest_member);
  if (!fault) return on_one_line(trimmed);
  if (is_unfit_json(trimmed, fault->kind)) return failure(ErrorCode::invalid, fault->message);
  if (!is_utf8(text)) return failure(ErrorCode::invalid, "not UTF-8 text");
  std::string content;
  json::append_string(content, text);
  return content;
}

Result<std::string> content_from_bytes(std::string_view bytes, bool as_base64) {
  if (!as_base64 && is_utf8(bytes)) return content_from_text(bytes);
  return '"' + to_base64(bytes) + '"';
}

Result<CsvRows> parse_csv(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  CsvReader reader(text);
  CsvRows rows;
  while (!reader.at_end()) {
    if (reader.skip_line_end()) continue;
    auto row = read_row(reader);
    if (!row) return std::unexpected(row.error());
    rows.push_back(std::move(*row));
  }
  return rows;
}

Result<CsvSource> parse_csv_source(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return failure(ErrorCode::invalid, fmt::format("'{}': {}", text, why));
  };
  const std::size_t colon = text.rfind(':');
  CsvSource source;
  source.file = text.substr(0, colon);
  if (source.file.empty()) return wrong("write it as FILE or FILE:COLUMN");
  if (colon == std::string_view::npos) return source;
  const std::string_view column = text.substr(colon + 1);
  if (column.empty()) return wrong("a column's number or name is missing behind the colon");
  if (column.find_first_not_of("0123456789") != std::string_view::npos) {
    source.column = std::string(column);
    return source;
  }
  std::size_t number = 0;
  const auto [rest, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error != std::errc{} || number == 0) return wrong("columns are numbered from 1");
  source.column = number;
  return source;
}

Result<std::vector<std::string>> contents_from_csv(std::string_view text, const CsvColumn& column) {
  const auto rows = parse_csv(text);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return failure(ErrorCode::invalid, "no rows");
  const auto place = find_column(*rows, column);
  if (!place) return std::unexpected(place.error());
  std::vector<std::string> contents;
  for (std::size_t i = place->header_rows; i < rows->size(); ++i) {
    auto content = content_of_field((*rows)[i], place->index, i + 1);
    if (!content) return std::unexpected(content.error());
    contents.push_back(std::move(*content));
  }
  if (contents.empty()) return failure(ErrorCode::invalid, "no rows below its header");
  return contents;
}

}  // namespace fogctl
