// One value of a task file, read as its key wants it. For task_file.cpp alone.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "base/toml.hpp"

namespace fogctl {

[[nodiscard]] inline std::size_t line_of(const toml::source_region& source) {
  return source.begin.line;
}
/// A text as a message shows it: escaped, and shortened.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// Likewise any value, or what kind of one it is.
[[nodiscard]] std::string text_of(const toml::node& node);

/// Each reader sets what it is given, or notes what is wrong.
class TaskValue {
 public:
  explicit TaskValue(const toml::node& node) : node_(node) {}

  struct Problem {
    std::string text;
    std::size_t line;
  };
  /// The first one.
  [[nodiscard]] const std::optional<Problem>& problem() const { return problem_; }
  void refuse(std::string text) { refuse(std::move(text), node_); }

  template <typename Word>
  void word(Word& into, std::initializer_list<std::pair<std::string_view, Word>> words) {
    const auto text = node_.value_exact<std::string_view>();
    std::vector<std::string> known;
    for (const auto& [name, value] : words) {
      if (text == name) return void(into = value);
      known.push_back(in_quotes(name));
    }
    expected(fmt::format("one of {}", fmt::join(known, ", ")), node_);
  }
  template <typename Number>
  void number(Number& into, std::int64_t least, std::int64_t most) {
    const auto read = whole_number(node_, least, most);
    if (read) into = static_cast<Number>(*read);
  }
  void numbers(std::vector<int>& into, int least, int most);
  void length(Duration& into, Duration least, Duration most);
  void size(std::uint64_t& into, std::uint64_t least, std::uint64_t most);
  void flag(bool& into);
  /// Text that can stand in a command, an environment or a path.
  void text(std::string& into, std::string_view what) { into = text_at(node_, what); }
  void texts(std::vector<std::string>& into, std::string_view what);
  void variables(std::map<std::string, std::string>& into);

 private:
  void refuse(std::string text, const toml::node& where);
  void expected(std::string_view what, const toml::node& node);
  std::optional<std::int64_t> whole_number(const toml::node& node, std::int64_t least,
                                           std::int64_t most);
  std::string text_at(const toml::node& node, std::string_view what);

  const toml::node& node_;
  std::optional<Problem> problem_;
};

}  // namespace fogctl
