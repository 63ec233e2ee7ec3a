#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fogctl::cli {

std::string table_text(const std::vector<Row>& rows, TableShape shape) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last_text = shape.ends_in_text && i + 1 == row.size();
      if (i > 0) text += "  ";
      if (is_last_text) {
        text += row[i];
      } else if (i < shape.left) {
        text += fmt::format("{:<{}}", row[i], widths[i]);
      } else {
        text += fmt::format("{:>{}}", row[i], widths[i]);
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace fogctl::cli
