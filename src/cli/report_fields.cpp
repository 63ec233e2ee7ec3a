#include "cli/report_fields.hpp"

#include <algorithm>
#include <utility>

#include "base/hide_controls.hpp"
#include "base/time.hpp"

namespace fogctl::cli {
namespace {

std::string_view value_of(const json::Object& object, std::string_view name) {
  return object.find(name).value_or("null");
}

}  // namespace

std::string text_of(const json::Object& object, std::string_view name, std::string_view none) {
  return hide_controls(json::read_string(value_of(object, name)).value_or(std::string(none)));
}

std::vector<std::string> texts_of(const json::Object& object, std::string_view name) {
  auto texts = json::read_strings(value_of(object, name)).value_or(std::vector<std::string>());
  for (std::string& text : texts) text = hide_controls(std::move(text));
  return texts;
}

std::optional<double> number_of(const json::Object& object, std::string_view name) {
  return json::read_number(value_of(object, name));
}

std::uint64_t count_of(const json::Object& object, std::string_view name) {
  const std::int64_t count = json::read_integer(value_of(object, name)).value_or(0);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

std::string length_of(const json::Object& object, std::string_view name, std::string_view none) {
  const auto seconds = number_of(object, name);
  return seconds ? format_duration(from_seconds(*seconds)) : std::string(none);
}

bool flag_of(const json::Object& object, std::string_view name) {
  return json::read_bool(value_of(object, name)).value_or(false);
}

std::optional<json::Object> object_of(const json::Object& object, std::string_view name) {
  json::Object member;
  if (!member.parse(value_of(object, name))) return std::nullopt;
  return member;
}

std::vector<json::Object> objects_of(const json::Object& object, std::string_view name) {
  std::vector<json::Object> objects;
  const auto items = json::read_values(value_of(object, name));
  for (const std::string_view item : items.value_or(std::vector<std::string_view>{})) {
    json::Object one;
    if (one.parse(item)) objects.push_back(std::move(one));
  }
  return objects;
}

}  // namespace fogctl::cli
