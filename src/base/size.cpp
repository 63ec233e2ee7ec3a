#include "base/size.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace fogctl {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array units = {Unit{"B", 1}, Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20},
                              Unit{"GiB", 0x1p30}, Unit{"TiB", 0x1p40}};
constexpr double most = 0x1p63;

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto wrong = [&] {
    return failure(ErrorCode::invalid,
                   fmt::format("'{}' is not a size: write it as 4096, 64KiB, 4MiB or 2GiB", text));
  };
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return wrong();
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  double bytes = name.empty() ? number : -1;
  for (const Unit& unit : units) {
    if (name == unit.name) bytes = number * unit.bytes;
  }
  if (bytes < 0 || bytes >= most || bytes != std::floor(bytes)) return wrong();
  return static_cast<std::uint64_t>(bytes);
}

std::string format_size(std::uint64_t bytes) {
  std::size_t unit = 0;
  while (unit + 1 < units.size() && static_cast<double>(bytes) >= units[unit + 1].bytes) ++unit;
  return fmt::format("{:.4g}{}", static_cast<double>(bytes) / units[unit].bytes, units[unit].name);
}

}  // namespace fogctl
