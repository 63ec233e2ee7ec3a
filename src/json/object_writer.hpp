// Writes one JSON object member by member. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/json.hpp"

namespace fogctl {

class ObjectWriter {
 public:
  /// Appends to `out`, which must outlive it.
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }

  /// Appends the name; the caller appends the value.
  std::string& begin(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    json::append_string(out_, name);
    out_ += ':';
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    json::append_string(begin(name), value);
  }
  void count(std::string_view name, std::uint64_t value) {
    json::append_integer(begin(name), static_cast<std::int64_t>(value));
  }
  void number(std::string_view name, std::optional<double> value) {
    std::string& out = begin(name);
    if (value) {
      json::append_number(out, *value);
    } else {
      out += "null";
    }
  }
  /// A value that is JSON text already.
  void value(std::string_view name, std::string_view json) { begin(name) += json; }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
};

}  // namespace fogctl
