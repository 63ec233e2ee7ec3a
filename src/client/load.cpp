#include "client/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/check.hpp"

namespace fogctl {
namespace {

struct Unit {
  std::string_view name;
  Duration period;
};
constexpr std::array<Unit, 3> units = {{{"s", std::chrono::seconds(1)},
                                        {"min", std::chrono::minutes(1)},
                                        {"h", std::chrono::hours(1)}}};

/// Calls `read(part)` for every part between commas; the first error ends it.
template <typename Read>
Result<void> for_each_part(std::string_view text, Read read) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (const Result<void> outcome = read(text.substr(0, comma)); !outcome) return outcome;
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

struct NameAndValue {
  std::string_view name;
  std::string_view value;
};

Result<NameAndValue> split_at_equals(std::string_view part, std::string_view example) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) {
    return failure(ErrorCode::invalid, fmt::format("'{}': write it as {}", part, example));
  }
  const std::string_view name = part.substr(0, equals);
  if (!is_valid_name(name)) {
    return failure(
        ErrorCode::invalid,
        fmt::format("'{}': a task's name is 1 to 64 of the characters A-Z a-z 0-9 _ . -", part));
  }
  return NameAndValue{name, part.substr(equals + 1)};
}

std::optional<double> parse_positive(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || !std::isfinite(number) || number <= 0) {
    return std::nullopt;
  }
  return number;
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto unit = std::ranges::find(units, text.substr(slash + 1), &Unit::name);
  const auto count = parse_positive(text.substr(0, slash));
  if (unit == units.end() || !count) return std::nullopt;
  return Rate{*count, unit->period};
}

Result<LoadEntry> parse_load_entry(std::string_view part) {
  const auto split = split_at_equals(part, "NAME=RATE, such as light=200/min");
  if (!split) return std::unexpected(split.error());
  const auto rate = parse_rate(split->value);
  if (!rate) {
    return failure(ErrorCode::invalid,
                   fmt::format("'{}': a rate is a number above 0 per /s, /min or /h", part));
  }
  if (rate->count > highest_rate * to_seconds(rate->period)) {
    return failure(ErrorCode::invalid,
                   fmt::format("'{}': more than {:.0f} tasks a second", part, highest_rate));
  }
  return LoadEntry{std::string(split->name), *rate};
}

Result<Duration> parse_requirement(std::string_view text, std::string_view part) {
  const auto length = parse_duration(text);
  if (length) return *length;
  return failure(
      ErrorCode::invalid,
      fmt::format("'{}': a requirement is a length of time in seconds, such as 0.2", part));
}

Instant add_saturated(Instant start, Duration length) {
  return length < Instant::max() - start ? start + length : Instant::max();
}

}  // namespace

Result<std::vector<LoadEntry>> parse_load(std::string_view text) {
  std::vector<LoadEntry> entries;
  const auto outcome = for_each_part(text, [&](std::string_view part) -> Result<void> {
    auto entry = parse_load_entry(part);
    if (!entry) return std::unexpected(entry.error());
    if (std::ranges::find(entries, entry->name, &LoadEntry::name) != entries.end()) {
      return failure(ErrorCode::invalid, fmt::format("'{}' is there twice", entry->name));
    }
    entries.push_back(std::move(*entry));
    return {};
  });
  if (!outcome) return std::unexpected(outcome.error());
  return entries;
}

Duration default_requirement(TaskClass weight) {
  constexpr std::array<Duration, task_class_count> defaults = {
      std::chrono::milliseconds(200), std::chrono::seconds(2), std::chrono::seconds(5)};
  return defaults[index_of(weight)];
}

Duration Requirements::of(std::string_view name, TaskClass weight) const {
  for (const std::string_view key : {name, to_string(weight)}) {
    const auto found = std::ranges::find(
        by_name, key, [](const auto& entry) { return std::string_view(entry.first); });
    if (found != by_name.end()) return found->second;
  }
  return all.value_or(default_requirement(weight));
}

Result<Requirements> parse_requirements(std::string_view text) {
  Requirements requirements;
  if (text.find('=') == std::string_view::npos) {
    const auto all = parse_requirement(text, text);
    if (!all) return std::unexpected(all.error());
    requirements.all = *all;
    return requirements;
  }
  const auto outcome = for_each_part(text, [&](std::string_view part) -> Result<void> {
    const auto split = split_at_equals(part, "NAME=SECONDS, such as light=0.1");
    if (!split) return std::unexpected(split.error());
    const auto length = parse_requirement(split->value, part);
    if (!length) return std::unexpected(length.error());
    requirements.by_name.emplace_back(split->name, *length);
    return {};
  });
  if (!outcome) return std::unexpected(outcome.error());
  return requirements;
}

Schedule::Schedule(std::span<const Rate> rates, Instant start, Duration length)
    : start_(start), end_(add_saturated(start, length)) {
  FOGCTL_CHECK(!rates.empty());
  for (const Rate& rate : rates) tickers_.push_back({rate, 0, start});
}

std::size_t Schedule::earliest() const {
  const auto first = std::ranges::min_element(tickers_, {}, &Ticker::due);
  return static_cast<std::size_t>(first - tickers_.begin());
}

std::optional<Instant> Schedule::next_due() const {
  const Instant due = tickers_[earliest()].due;
  if (due >= end_) return std::nullopt;
  return due;
}

std::optional<std::size_t> Schedule::take(Instant now) {
  const std::size_t index = earliest();
  Ticker& ticker = tickers_[index];
  if (ticker.due > now || ticker.due >= end_) return std::nullopt;
  const double periods = static_cast<double>(++ticker.taken) / ticker.rate.count;
  ticker.due = add_saturated(start_, from_seconds(periods * to_seconds(ticker.rate.period)));
  return index;
}

std::uint64_t Schedule::remaining() const {
  constexpr double rounding_error = 1e-9;
  const double length = to_seconds(end_ - start_);
  std::uint64_t remaining = 0;
  for (const Ticker& ticker : tickers_) {
    if (ticker.due >= end_) continue;
    const double all = length / to_seconds(ticker.rate.period) * ticker.rate.count;
    const auto whole = static_cast<std::uint64_t>(std::ceil(all - rounding_error));
    remaining += whole > ticker.taken ? whole - ticker.taken : 1;
  }
  return remaining;
}

}  // namespace fogctl
