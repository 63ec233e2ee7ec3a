#include "sim/scenario_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <string>

#include "base/toml.hpp"

namespace fogctl::sim {
namespace {

constexpr double any = 1e15;

/// The first thing that is wrong; later ones are not looked at.
struct Fault {
  std::string_view path;
  std::string message;

  void set(const toml::node& where, const std::string& what) {
    if (message.empty()) message = fmt::format("{}:{}: {}", path, where.source().begin.line, what);
  }
};

/// One table of the file: gives out its members by name and remembers which it knows.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string prefix, Fault& fault)
      : table_(table), prefix_(std::move(prefix)), fault_(fault) {}

  struct Range {
    double least;
    double most;
    bool is_least_excluded = false;
  };

  [[nodiscard]] bool has(const char* name) const { return table_.contains(name); }

  void number(const char* name, double& value, Range range) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    const auto read =
        node->is_integer() || node->is_floating_point() ? node->value<double>() : std::nullopt;
    const bool fits = read &&
                      (range.is_least_excluded ? *read > range.least : *read >= range.least) &&
                      *read <= range.most;
    if (!fits) {
      const char* bound = range.is_least_excluded ? "greater than" : "of at least";
      const std::string most =
          range.most < any ? fmt::format(" and at most {}", range.most) : std::string();
      return wrong(name, fmt::format("a number {} {}{}", bound, range.least, most));
    }
    value = *read;
  }

  void count(const char* name, std::uint32_t& value, std::uint32_t least, std::uint32_t most) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    const auto read = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
    if (!read || *read < least || *read > most) {
      return wrong(name, fmt::format("a whole number from {} to {}", least, most));
    }
    value = static_cast<std::uint32_t>(*read);
  }

  /// `unit` is what 1 means.
  void length(const char* name, Duration& value, Duration unit, Duration least = {}) {
    double number = static_cast<double>(value.count()) / static_cast<double>(unit.count());
    const double scale = static_cast<double>(unit.count());
    this->number(name, number, {static_cast<double>(least.count()) / scale, 1e14 / scale});
    value = Duration(std::llround(number * scale));
  }

  void flag(const char* name, bool& value) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    if (!node->is_boolean()) return wrong(name, "true or false");
    value = *node->value<bool>();
  }

  void text(const char* name, std::string& value) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    if (!node->is_string()) return wrong(name, "a text");
    value = *node->value<std::string>();
  }

  /// One of a few words; `value` is the index of the one that is there.
  void choice(const char* name, std::size_t& value, std::span<const std::string_view> words) {
    std::string word;
    text(name, word);
    if (find(name) == nullptr || !fault_.message.empty()) return;
    const auto found = std::ranges::find(words, word);
    if (found == words.end()) return wrong(name, fmt::format("one of {}", fmt::join(words, ", ")));
    value = static_cast<std::size_t>(found - words.begin());
  }

  /// Calls `read(reader)` with the table of this name, where there is one.
  template <typename Read>
  void table(const char* name, Read read) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    if (!node->is_table()) return wrong(name, "a table");
    TableReader reader(*node->as_table(), prefix_ + name + ".", fault_);
    read(reader);
    reader.complain_about_rest();
  }

  /// Likewise for each table of an array of them.
  template <typename Read>
  void tables(const char* name, Read read) {
    const toml::array* array = array_of(name, "tables");
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const toml::table* item = array->get(i)->as_table();
      if (item == nullptr) return wrong(name, "an array of tables");
      TableReader reader(*item, fmt::format("{}{}[{}].", prefix_, name, i), fault_);
      read(reader);
      reader.complain_about_rest();
    }
  }

  void numbers(const char* name, std::vector<double>& values, Range range) {
    const toml::array* array = array_of(name, "numbers");
    if (array == nullptr) return;
    values.clear();
    for (const toml::node& item : *array) {
      const auto read = item.is_number() ? item.value<double>() : std::nullopt;
      if (!read || !(*read >= range.least && *read <= range.most)) {
        return wrong(name,
                     fmt::format("numbers from {} to {} in brackets", range.least, range.most));
      }
      values.push_back(*read);
    }
    if (values.empty()) wrong(name, "at least one number in brackets");
  }

  /// Whole ones below `count`.
  void indices(const char* name, std::vector<std::uint32_t>& values, std::uint32_t count) {
    const toml::array* array = array_of(name, "whole numbers");
    if (array == nullptr) return;
    for (const toml::node& item : *array) {
      const auto read = item.is_integer() ? item.value<std::int64_t>() : std::nullopt;
      if (!read || *read < 0 || *read >= count) {
        return wrong(name, fmt::format("whole numbers from 0 to {} in brackets", count - 1));
      }
      values.push_back(static_cast<std::uint32_t>(*read));
    }
  }

  void wrong(const char* name, const std::string& expected) {
    const toml::node* node = find(name);
    fault_.set(node != nullptr ? *node : table_,
               fmt::format("'{}{}': expected {}", prefix_, name, expected));
  }

  void complain_about_rest() {
    for (const auto& [key, node] : table_) {
      if (known_.contains(std::string_view(key.str()))) continue;
      const std::string known = fmt::format("{}", fmt::join(known_, ", "));
      fault_.set(node, fmt::format("'{}{}' is not known here; there are {}", prefix_,
                                   std::string_view(key.str()), known));
    }
  }

 private:
  const toml::node* find(const char* name) {
    known_.insert(name);
    return table_.get(name);
  }
  const toml::array* array_of(const char* name, const char* of_what) {
    const toml::node* node = find(name);
    if (node == nullptr) return nullptr;
    if (!node->is_array()) wrong(name, fmt::format("an array of {}", of_what));
    return node->as_array();
  }

  const toml::table& table_;
  std::string prefix_;
  Fault& fault_;
  std::set<std::string, std::less<>> known_;
};

constexpr Duration one_second = std::chrono::seconds(1);
constexpr Duration one_ms = std::chrono::milliseconds(1);
constexpr Duration one_ns{1};

void read_nodes(TableReader& nodes, Scenario& scenario) {
  nodes.count("count", scenario.nodes, 1, 1'000'000);
  nodes.count("workers", scenario.workers, 1, 1024);
  nodes.count("known", scenario.known, 1, 1024);
  scenario.speeds.clear();
  nodes.tables("speeds", [&](TableReader& some) {
    std::uint32_t count = 1;
    double speed = 1;
    some.count("count", count, 1, 1'000'000);
    some.number("speed", speed, {.001, 1000});
    scenario.speeds.insert(scenario.speeds.end(), count, speed);
  });
  if (scenario.speeds.empty()) scenario.speeds.assign(scenario.nodes, 1.0);
  if (scenario.speeds.size() != scenario.nodes) {
    nodes.wrong("speeds", fmt::format("counts whose sum is 'nodes.count', {}", scenario.nodes));
  }
}

/// The first nodes of the file's `hot` get its share of the tasks, the others the rest.
void read_shares(TableReader& arrivals, Scenario& scenario) {
  scenario.shares.assign(scenario.nodes, 1.0 / scenario.nodes);
  arrivals.table("hot", [&](TableReader& hot) {
    std::uint32_t count = 1;
    double share = .5;
    hot.count("count", count, 1, std::max(1U, scenario.nodes - 1));
    hot.number("share", share, {0, 1});
    for (std::uint32_t node = 0; node < scenario.nodes; ++node) {
      scenario.shares[node] = node < count ? share / count : (1 - share) / (scenario.nodes - count);
    }
  });
}

void read_arrivals(TableReader& arrivals, Scenario& scenario) {
  read_shares(arrivals, scenario);
  arrivals.table("on_off", [&](TableReader& on_off) {
    OnOff& value = scenario.on_off.emplace();
    on_off.length("on_s", value.on, one_second, one_ms);
    on_off.length("off_s", value.off, one_second, one_ms);
    on_off.number("factor", value.factor, {0, 1000, true});
    for (const char* name : {"on_s", "off_s"}) {
      if (!on_off.has(name)) on_off.wrong(name, "a length in seconds");
    }
  });
  arrivals.table("flash", [&](TableReader& flash) {
    Flash& value = scenario.flash.emplace();
    std::uint32_t nodes = 1;
    flash.count("nodes", nodes, 1, scenario.nodes);
    value.nodes = nodes;
    flash.number("factor", value.factor, {0, 1000});
    flash.length("from_s", value.from, one_second);
    flash.length("to_s", value.to, one_second);
    if (value.to <= value.from) flash.wrong("to_s", "more than 'from_s'");
  });
}

void read_tasks(TableReader& tasks, Scenario& scenario) {
  static constexpr std::string_view kinds[] = {"lognormal", "exponential", "constant", "pareto"};
  std::size_t kind = 0;
  tasks.choice("execution", kind, kinds);
  scenario.shape.kind = static_cast<ExecutionShape::Kind>(kind);
  tasks.number("variation", scenario.shape.variation, {0, 100, true});
  tasks.number("alpha", scenario.shape.alpha, {0, 100, true});
  if (scenario.shape.alpha == 1) tasks.wrong("alpha", "another number than 1");
  tasks.number("ratio", scenario.shape.ratio, {1, 1e6, true});
  double sum = 0;
  for (const TaskClass weight : task_classes) {
    ClassMix& mix = scenario.classes[index_of(weight)];
    const std::string name(to_string(weight));
    tasks.table(name.c_str(), [&](TableReader& of_class) {
      of_class.number("share", mix.share, {0, 1});
      of_class.length("execution_ms", mix.execution, one_ms, one_ns);
      of_class.length("requirement_ms", mix.requirement, one_ms);
      of_class.flag("exclusive", mix.exclusive);
    });
    sum += mix.share;
  }
  if (sum < .999 || sum > 1.001) tasks.wrong("light", "shares of the classes whose sum is 1");
}

void read_events(TableReader& root, Scenario& scenario) {
  static constexpr std::string_view kinds[] = {"die", "stall",      "freeze",
                                               "cut", "cloud-away", "join"};
  root.tables("events", [&](TableReader& event) {
    TimedEvent value;
    std::size_t kind = 0;
    event.choice("what", kind, kinds);
    if (!event.has("what")) event.wrong("what", fmt::format("one of {}", fmt::join(kinds, ", ")));
    value.kind = static_cast<TimedEvent::Kind>(kind);
    event.length("at_s", value.at, one_second);
    if (value.kind != TimedEvent::Kind::join) {
      event.length("for_s", value.length, one_second, one_ns);
      if (!event.has("for_s")) event.wrong("for_s", "a length in seconds");
    }
    event.indices("nodes", value.nodes, scenario.nodes);
    const bool wants_nodes = value.kind != TimedEvent::Kind::cloud_away;
    if (wants_nodes && value.nodes.empty()) {
      event.wrong("nodes", "the numbers of nodes, in brackets");
    }
    scenario.events.push_back(std::move(value));
  });
}

void read_network(TableReader& root, Scenario& scenario) {
  root.table("links", [&](TableReader& links) {
    links.length("shortest_ms", scenario.shortest_link, one_ms);
    links.length("longest_ms", scenario.longest_link, one_ms);
    if (scenario.longest_link < scenario.shortest_link) {
      links.wrong("longest_ms", "no less than 'shortest_ms'");
    }
  });
  root.table("cloud", [&](TableReader& cloud) {
    bool is_there = true;
    cloud.flag("present", is_there);
    cloud.length("round_trip_ms", *scenario.cloud_round_trip, one_ms);
    if (!is_there) scenario.cloud_round_trip.reset();
  });
  root.table("sharing", [&](TableReader& sharing) {
    sharing.length("interval_s", scenario.sharing_interval, one_second, one_ms);
    sharing.flag("on_change", scenario.shares_on_change);
  });
  root.table("endpoints",
             [&](TableReader& endpoints) { endpoints.number("hedge", scenario.hedge, {0, 1}); });
}

void read_root(TableReader& root, Scenario& scenario) {
  root.text("about", scenario.about);
  root.numbers("loads", scenario.loads, {.01, 10});
  scenario.speeds.assign(scenario.nodes, 1.0);
  root.table("nodes", [&](TableReader& nodes) { read_nodes(nodes, scenario); });
  scenario.shares.assign(scenario.nodes, 1.0 / scenario.nodes);
  root.table("arrivals", [&](TableReader& arrivals) { read_arrivals(arrivals, scenario); });
  root.table("tasks", [&](TableReader& tasks) { read_tasks(tasks, scenario); });
  read_network(root, scenario);
  root.table("measured", [&](TableReader& measured) {
    measured.length("from_s", scenario.measured_from, one_second);
    measured.length("to_s", scenario.measured_to, one_second);
    if (scenario.measured_to <= scenario.measured_from) {
      measured.wrong("to_s", "more than 'from_s'");
    }
  });
  root.table("stalls", [&](TableReader& stalls) {
    Stalls& value = scenario.stalls.emplace();
    stalls.number("rate_per_s", value.rate, {0, 1000, true});
    stalls.length("length_ms", value.length, one_ms, one_ns);
    stalls.flag("whole_node", value.whole_node);
    if (!stalls.has("rate_per_s")) stalls.wrong("rate_per_s", "how often a node stops");
    if (!stalls.has("length_ms")) stalls.wrong("length_ms", "for how long");
  });
  read_events(root, scenario);
  root.complain_about_rest();
}

std::string name_of(std::string_view path) {
  path.remove_prefix(std::min(path.size(), path.find_last_of('/') + 1));
  if (path.ends_with(".toml")) path.remove_suffix(5);
  return std::string(path);
}

}  // namespace

Result<Scenario> read_scenario(std::string_view text, std::string_view path) {
  const auto parsed = parse_toml(text);
  if (!parsed) {
    return failure(ErrorCode::invalid,
                   fmt::format("{}:{}: {}", path, parsed.error().line, parsed.error().why));
  }
  Scenario scenario;
  scenario.name = name_of(path);
  Fault fault{path, {}};
  TableReader root(*parsed, "", fault);
  read_root(root, scenario);
  if (!fault.message.empty()) return failure(ErrorCode::invalid, fault.message);
  return scenario;
}

}  // namespace fogctl::sim
