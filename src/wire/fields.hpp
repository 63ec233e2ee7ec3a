// How the fields of a message are read: a table of names, each with what it expects and where it
// puts the value. A part of wire/ alone. Any thread.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "json/json.hpp"

namespace fogctl::wire {

template <typename Target>
struct Field {
  std::string_view name;
  bool (*read)(Target& target, std::string_view value);  // false: not what was expected
  std::string_view expected;
};

/// "field 'max_offload': expected a whole number >= 0, got a string"
[[nodiscard]] inline std::string wrong_field(std::string_view name, std::string_view expected,
                                             std::string_view value) {
  constexpr std::size_t shown = 40;
  const std::string_view kind = json::kind_of(value);
  const bool is_shown = value.size() <= shown && value != kind;  // of null the kind says it all
  return fmt::format("field '{}': expected {}, got {}{}{}", name, expected, kind,
                     is_shown ? " " : "", is_shown ? value : "");
}

/// Finds fields by name. Senders write them in one order, so the search goes on from where the
/// last one was found and mostly looks at one entry.
template <typename Target>
class FieldTable {
 public:
  explicit FieldTable(std::span<const Field<Target>> fields) : fields_(fields) {}

  [[nodiscard]] const Field<Target>* find(std::string_view name) {
    for (std::size_t tried = 0; tried < fields_.size(); ++tried) {
      const Field<Target>& field = fields_[next_];
      next_ = next_ + 1 < fields_.size() ? next_ + 1 : 0;
      if (field.name == name) return &field;
    }
    return nullptr;
  }

 private:
  std::span<const Field<Target>> fields_;
  std::size_t next_ = 0;
};

/// Reads every member that the table knows; hands the others to `on_unknown(member)`. The first
/// thing that was wrong, or none.
template <typename Target, typename OnUnknown>
std::optional<std::string> read_fields(const json::Object& object,
                                       std::span<const Field<Target>> fields, Target& target,
                                       OnUnknown on_unknown) {
  FieldTable<Target> table(fields);
  std::optional<std::string> wrong;
  for (const json::Member& member : object.members()) {
    const Field<Target>* field = table.find(member.name);
    if (field == nullptr) {
      on_unknown(member);
    } else if (!field->read(target, member.value) && !wrong) {
      wrong = wrong_field(member.name, field->expected, member.value);
    }
  }
  return wrong;
}

// Readers into a variable; false where the value is of another kind.
inline bool read_into(std::string& target, std::string_view value) {
  auto text = json::read_string(value);
  if (text) target = std::move(*text);
  return text.has_value();
}
inline bool read_into(bool& target, std::string_view value) {
  const auto flag = json::read_bool(value);
  if (flag) target = *flag;
  return flag.has_value();
}
inline bool read_into(double& target, std::string_view value) {
  const auto number = json::read_number(value);
  if (number) target = *number;
  return number.has_value();
}
inline bool read_count(int& target, std::string_view value) {
  const auto number = json::read_integer(value);
  if (!number || *number < 0 || *number > 1'000'000'000) return false;
  target = static_cast<int>(*number);
  return true;
}
/// A length of time in seconds, >= 0.
inline bool read_seconds(Duration& target, std::string_view value) {
  const auto number = json::read_number(value);
  if (!number || *number < 0) return false;
  target = from_seconds(*number);
  return true;
}
/// A number that travels on as its text.
inline bool keep_number(std::string& target, std::string_view value) {
  if (!json::read_number(value)) return false;
  target = value;
  return true;
}

}  // namespace fogctl::wire
