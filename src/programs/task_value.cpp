#include "programs/task_value.hpp"

#include <algorithm>

#include "base/size.hpp"
#include "json/json.hpp"

namespace fogctl {
namespace {

bool is_variable(std::string_view name) {
  const auto is_letter = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string out;
  json::append_string(out, text.substr(0, most));
  return text.size() > most ? out + "..." : out;
}

std::string text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return in_quotes(text->get());
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* array = node.as_array()) return array->empty() ? "an empty array" : "an array";
  return node.is_table() ? "a table" : "a date or time";
}

void TaskValue::numbers(std::vector<int>& into, int least, int most) {
  const auto* array = node_.as_array();
  if (array == nullptr) {
    return expected(fmt::format("an array of whole numbers from {} to {}", least, most), node_);
  }
  for (const toml::node& one : *array) {
    if (const auto read = whole_number(one, least, most)) into.push_back(static_cast<int>(*read));
  }
}

void TaskValue::length(Duration& into, Duration least, Duration most) {
  const auto text = node_.value_exact<std::string_view>();
  const auto read = text ? parse_duration(*text) : failure(ErrorCode::invalid, "");
  if (!read) return expected("a length of time like \"5s\"", node_);
  if (*read < least || *read > most) {
    return expected(fmt::format("a length of time from {} to {}", format_duration(least),
                                format_duration(most)),
                    node_);
  }
  into = *read;
}

void TaskValue::size(std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  std::optional<std::uint64_t> read;
  if (const auto* number = node_.as_integer(); number != nullptr && number->get() >= 0) {
    read = static_cast<std::uint64_t>(number->get());
  } else if (const auto text = node_.value_exact<std::string_view>()) {
    if (const auto parsed = parse_size(*text)) read = *parsed;
  }
  if (!read) return expected("a size like \"256MiB\", or a number of bytes", node_);
  if (*read < least || *read > most) {
    return expected(fmt::format("a size from {} to {}", format_size(least), format_size(most)),
                    node_);
  }
  into = *read;
}

void TaskValue::flag(bool& into) {
  const auto* flag = node_.as_boolean();
  if (flag == nullptr) return expected("true or false", node_);
  into = flag->get();
}

void TaskValue::texts(std::vector<std::string>& into, std::string_view what) {
  const auto* array = node_.as_array();
  if (array == nullptr || array->empty()) return expected(what, node_);
  for (const toml::node& one : *array) into.push_back(text_at(one, "texts in the array"));
  if (problem_) into.clear();
}

void TaskValue::variables(std::map<std::string, std::string>& into) {
  const auto* table = node_.as_table();
  if (table == nullptr) return expected("a table like { QUALITY = \"80\" }", node_);
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    if (!is_variable(name) || name.starts_with("FOGCTL_TASK_")) {
      refuse(fmt::format("{} cannot be set: expected a name of letters, digits and _ that does not "
                         "begin with FOGCTL_TASK_",
                         in_quotes(name)),
             value);
    }
    into[name] = text_at(value, fmt::format("{} to be a text like \"80\"", name));
  }
}

void TaskValue::refuse(std::string text, const toml::node& where) {
  if (!problem_) problem_ = Problem{std::move(text), line_of(where.source())};
}

void TaskValue::expected(std::string_view what, const toml::node& node) {
  refuse(fmt::format("expected {}, got {}", what, text_of(node)), node);
}

std::optional<std::int64_t> TaskValue::whole_number(const toml::node& node, std::int64_t least,
                                                    std::int64_t most) {
  const auto* number = node.as_integer();
  if (number != nullptr && number->get() >= least && number->get() <= most) return number->get();
  expected(fmt::format("a whole number from {} to {}", least, most), node);
  return std::nullopt;
}

std::string TaskValue::text_at(const toml::node& node, std::string_view what) {
  const auto* text = node.as_string();
  if (text != nullptr && text->get().find('\0') == std::string::npos) return text->get();
  expected(what, node);
  return {};
}

}  // namespace fogctl
