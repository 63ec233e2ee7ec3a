// Rows of text as columns, each as wide as it needs to be. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fogctl::cli {

using Row = std::vector<std::string>;

/// The first `left` columns stand to the left, the others to the right; the last to the left where
/// `ends_in_text`. All rows are as long as the first.
struct TableShape {
  std::size_t left = 1;
  bool ends_in_text = false;
};
[[nodiscard]] std::string table_text(const std::vector<Row>& rows, TableShape shape);

}  // namespace fogctl::cli
