// TOML: the library, and how a text of it is read. Any thread.
#pragma once

// Its other mode runs into its own assertions on some texts that are no TOML.
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace fogctl {

struct TomlFault {
  std::size_t line = 0;  // from 1
  std::string why;
};

[[nodiscard]] inline std::expected<toml::table, TomlFault> parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return std::unexpected(TomlFault{error.source().begin.line, std::string(error.description())});
  }
}

}  // namespace fogctl
