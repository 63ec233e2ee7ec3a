// What a task's `content` is made of: text that a person gave, or a column of a CSV file. Pure: the
// files were read by the caller. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace fogctl {

/// `text` itself on one line, without white space around it, where it is valid JSON; else as a
/// JSON string.
/// Error: invalid, where it is not UTF-8 and so can be neither; and where it is JSON that a message
/// cannot carry, being nested too deeply or with half of a surrogate pair in it.
[[nodiscard]] Result<std::string> content_from_text(std::string_view text);

/// The same for a file's bytes, where what is not UTF-8, or all with `as_base64`, becomes a base64
/// string.
[[nodiscard]] Result<std::string> content_from_bytes(std::string_view bytes, bool as_base64);

/// Rows of fields. RFC 4180: commas, "quoted" fields that may hold commas, line breaks and doubled
/// quotes; lines end with LF or CRLF. Empty lines and a byte-order mark are skipped.
using CsvRows = std::vector<std::vector<std::string>>;
/// Error: invalid, naming the line.
[[nodiscard]] Result<CsvRows> parse_csv(std::string_view text);

/// A column by its number from 1, in a file without a header; or by the name that the file's first
/// row gives it.
using CsvColumn = std::variant<std::size_t, std::string>;

/// "FILE" (its first column), "FILE:3", "FILE:price". A name that holds a colon needs a column.
struct CsvSource {
  std::string file;
  CsvColumn column = std::size_t{1};
};
/// Error: invalid: no file, an empty column, column 0.
[[nodiscard]] Result<CsvSource> parse_csv_source(std::string_view text);

/// The values of one column as contents, at least one. Error: invalid or not_found, naming the row
/// or the column.
[[nodiscard]] Result<std::vector<std::string>> contents_from_csv(std::string_view text,
                                                                 const CsvColumn& column);

}  // namespace fogctl
