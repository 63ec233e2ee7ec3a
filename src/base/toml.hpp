// TOML: the library, and how a text of it is read. Any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fogctl {
[[noreturn]] inline void refuse_toml() {
  throw std::logic_error("a table's header names no table");
}
}  // namespace fogctl

// A header like "[[[" breaks an assertion of the library, which without assertions assumes that no
// such text is given to it. Here it throws.
#define TOML_EXCEPTIONS 1
#define TOML_ASSERT(condition) ((condition) ? void() : fogctl::refuse_toml())
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace fogctl {

struct TomlFault {
  std::size_t line = 0;  // from 1; 0: not known
  std::string why;
};

[[nodiscard]] inline std::expected<toml::table, TomlFault> parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return std::unexpected(TomlFault{error.source().begin.line, std::string(error.description())});
  } catch (const std::logic_error& error) {
    return std::unexpected(TomlFault{0, error.what()});
  }
}

}  // namespace fogctl
