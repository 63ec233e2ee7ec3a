// fogctl simulate: compares placement policies on simulated fogs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/node_flags.hpp"
#include "cli/options.hpp"
#include "cli/simulate_output.hpp"
#include "cli/trace_file.hpp"
#include "placement/placement.hpp"
#include "sim/experiment.hpp"
#include "sim/plot.hpp"
#include "sim/scenario_reader.hpp"
#include "sim/trace.hpp"

namespace fogctl::cli {
namespace {

struct SimulateOptions {
  std::vector<std::string> scenarios;  // paths
  std::string trace;                   // a path; empty: tasks are drawn
  // Of a trace without a scenario; 0: as it was recorded.
  std::uint32_t nodes = 0;
  std::uint32_t workers = 0;
  Duration link_delay = std::chrono::milliseconds(1);  // one way
  Duration cloud_delay{};                              // a round trip; 0: no cloud
  bool says_nodes = false;                             // one of these four was given
  std::vector<std::string> policies;
  std::uint32_t seeds = 5;
  std::uint64_t first_seed = 1;
  std::vector<double> loads;  // empty: the scenario's
  Duration sharing_interval{};
  Duration measure{};
  std::size_t jobs = 1;
  bool json = false;
  std::string plot;
};

/// One simulation, and where its outcome goes.
struct Cell {
  std::size_t scenario = 0;
  double load = 0;
  std::uint64_t seed = 0;
  std::vector<sim::Tally> tallies;
};

std::unexpected<CommandFailure> failed(std::string message) {
  return std::unexpected(CommandFailure{exit_code::failed, std::move(message)});
}

std::expected<sim::Scenario, CommandFailure> load_scenario(const std::string& path,
                                                           const SimulateOptions& options) {
  std::ifstream file(path);
  std::ostringstream text;
  const bool is_empty = file.peek() == std::ifstream::traits_type::eof();
  if (!is_empty) text << file.rdbuf();
  if (!file.is_open() || file.bad() || !text) {
    return failed(
        fmt::format("cannot read scenario {}: there is no such file, or it cannot be read; "
                    "those of fogctl are in its source tree, in bench/scenarios",
                    path));
  }
  auto scenario = sim::read_scenario(text.str(), path);
  if (!scenario) return failed(scenario.error().message);
  if (options.sharing_interval > Duration::zero()) {
    scenario->sharing_interval = options.sharing_interval;
  }
  if (options.measure > Duration::zero()) {
    scenario->measured_to = scenario->measured_from + options.measure;
  }
  return std::move(*scenario);
}

/// The scenario of a trace that is given none.
sim::Scenario plain_scenario(const RecordedTrace& trace, const SimulateOptions& options) {
  sim::Scenario scenario;
  scenario.nodes = options.nodes > 0 ? options.nodes : static_cast<std::uint32_t>(trace.fog_nodes);
  const std::uint32_t recorded = trace.workers > 0 ? trace.workers : scenario.workers;
  scenario.workers = options.workers > 0 ? options.workers : recorded;
  scenario.speeds.assign(scenario.nodes, 1.0);
  scenario.shortest_link = scenario.longest_link = options.link_delay;
  scenario.cloud_round_trip.reset();
  if (options.cloud_delay > Duration::zero()) scenario.cloud_round_trip = options.cloud_delay;
  if (trace.sharing_interval > Duration::zero()) scenario.sharing_interval = trace.sharing_interval;
  if (options.sharing_interval > Duration::zero()) {
    scenario.sharing_interval = options.sharing_interval;
  }
  return scenario;
}

/// Its tasks are those of the trace; all of them are measured, unless it is said how long.
void replay(sim::Scenario& scenario, RecordedTrace trace, const SimulateOptions& options) {
  double work = 0;  // s
  for (const sim::TracedTask& task : trace.tasks) work += to_seconds(task.execution);
  const Duration length = trace.tasks.back().arrival - sim::start_of_time + Duration(1);
  scenario.name = options.trace;
  scenario.about =
      fmt::format("{} that came to {} within {}; on {} of {} each",
                  counted(trace.tasks.size(), "task"), counted(trace.nodes.size(), "node"),
                  format_duration(length), scenario.nodes, counted(scenario.workers, "worker"));
  scenario.measured_from = Duration::zero();
  scenario.measured_to = options.measure > Duration::zero() ? options.measure : length;
  const double load = work / (to_seconds(length) * scenario.capacity());
  scenario.loads = {std::round(load * 1000) / 1000};
  scenario.recorded = std::make_shared<const std::vector<sim::TracedTask>>(std::move(trace.tasks));
}

std::expected<std::vector<sim::Scenario>, CommandFailure> load_trace(
    const SimulateOptions& options) {
  auto trace = read_trace(options.trace);
  if (!trace) return failed(trace.error().message);
  if (trace->guessed > 0) {
    log(LogLevel::warning,
        "{}: {} not run to the end: such a task lasts as long as others of its name", options.trace,
        counted(trace->guessed, "task was", "tasks were"));
  }
  if (trace->left_out > 0) {
    log(LogLevel::warning, "{}: {} left out: nobody knows how long they run", options.trace,
        counted(trace->left_out, "task is", "tasks are"));
  }
  std::vector<sim::Scenario> scenarios;
  if (options.scenarios.empty()) {
    scenarios.push_back(plain_scenario(*trace, options));
  } else {
    auto scenario = load_scenario(options.scenarios.front(), options);
    if (!scenario) return std::unexpected(scenario.error());
    scenarios.push_back(std::move(*scenario));
  }
  replay(scenarios.front(), std::move(*trace), options);
  return scenarios;
}

/// What cannot be wanted together.
std::optional<CommandFailure> contradiction_in(const SimulateOptions& options) {
  const auto wrong = [](std::string message) {
    return CommandFailure{exit_code::usage, std::move(message)};
  };
  if (options.trace.empty()) {
    if (options.scenarios.empty()) return wrong("simulate: SCENARIO is required, or --trace");
    if (options.says_nodes) {
      return wrong(
          "simulate: --nodes, --workers, --link-delay and --cloud-delay are for a --trace");
    }
    return std::nullopt;
  }
  if (options.scenarios.size() > 1) return wrong("simulate: --trace goes with one scenario");
  if (!options.loads.empty()) return wrong("simulate: --load: the trace has its own");
  if (!options.scenarios.empty() && options.says_nodes) {
    return wrong("simulate: the scenario says how many --nodes and --workers, and which links");
  }
  return std::nullopt;
}

std::vector<Cell> cells_of(const std::vector<sim::Scenario>& scenarios,
                           const SimulateOptions& options) {
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    for (const double load : options.loads.empty() ? scenarios[i].loads : options.loads) {
      for (std::uint64_t seed = 0; seed < options.seeds; ++seed) {
        cells.push_back({i, load, options.first_seed + seed, {}});
      }
    }
  }
  return cells;
}

/// On several threads, since cells share nothing; which one runs which changes no figure.
void run_cells(std::vector<Cell>& cells, const std::vector<sim::Scenario>& scenarios,
               const std::vector<const Policy*>& policies, std::size_t jobs) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < cells.size(); i = next++) {
      Cell& cell = cells[i];
      cell.tallies = sim::run_cell(scenarios[cell.scenario], cell.load, policies, cell.seed);
      ++done;
      done.notify_one();
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(jobs, cells.size()); ++i) threads.emplace_back(work);
  SimulateProgress progress(cells.size());
  for (std::size_t seen = 0; seen < cells.size(); seen = done) {
    progress.show(seen);
    done.wait(seen);
  }
}

/// Cells of one scenario and load stand together, a seed each.
std::vector<sim::LoadSummary> summaries_of(const std::vector<Cell>& cells,
                                           const std::vector<sim::Scenario>& scenarios,
                                           const std::vector<const Policy*>& policies,
                                           std::size_t seeds) {
  std::vector<sim::LoadSummary> summaries;
  for (std::size_t first = 0; first < cells.size(); first += seeds) {
    sim::LoadSummary& summary = summaries.emplace_back();
    summary.scenario = scenarios[cells[first].scenario].name;
    summary.load = cells[first].load;
    for (std::size_t policy = 0; policy <= policies.size(); ++policy) {
      std::vector<sim::Tally> tallies;
      tallies.reserve(seeds);
      for (std::size_t i = 0; i < seeds; ++i) tallies.push_back(cells[first + i].tallies[policy]);
      const bool is_ideal = policy == policies.size();
      summary.policies.push_back(
          sim::summarize(is_ideal ? "ideal" : std::string(policies[policy]->name), tallies));
    }
  }
  return summaries;
}

std::unexpected<CommandFailure> unwritable_plot(const std::string& path) {
  return failed(
      fmt::format("cannot write the plot to {}: name a file with --plot that can be "
                  "written, in a folder that is there",
                  path));
}

CommandResult write_plot(const std::string& path, const std::vector<sim::LoadSummary>& summaries) {
  std::ofstream file(path);
  file << sim::plot_in_time(summaries);
  file.close();
  if (file) return exit_code::ok;
  return unwritable_plot(path);
}

std::expected<std::vector<sim::Scenario>, CommandFailure> load_scenarios(
    const SimulateOptions& options) {
  if (!options.trace.empty()) return load_trace(options);
  std::vector<sim::Scenario> scenarios;
  for (const std::string& path : options.scenarios) {
    auto scenario = load_scenario(path, options);
    if (!scenario) return std::unexpected(scenario.error());
    const auto same = std::ranges::find(scenarios, scenario->name, &sim::Scenario::name);
    if (same != scenarios.end()) {
      return failed(fmt::format("{}: another scenario is named '{}', too", path, same->name));
    }
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

/// They would not fit into memory.
std::optional<CommandFailure> too_many_tasks(const std::vector<Cell>& cells,
                                             const std::vector<sim::Scenario>& scenarios) {
  constexpr double most = 1e9;
  for (const Cell& cell : cells) {
    const sim::Scenario& scenario = scenarios[cell.scenario];
    const double tasks = sim::expected_tasks(scenario, cell.load);
    if (tasks <= most) continue;
    return CommandFailure{
        exit_code::failed,
        fmt::format("{} at load {}: {:.3g} tasks would come, more than {:.3g} cannot be simulated",
                    scenario.name, cell.load, tasks, most)};
  }
  return std::nullopt;
}

CommandResult run_simulate(const SimulateOptions& options) {
  if (auto wrong = contradiction_in(options)) return std::unexpected(std::move(*wrong));
  auto loaded = load_scenarios(options);
  if (!loaded) return std::unexpected(loaded.error());
  const std::vector<sim::Scenario>& scenarios = *loaded;
  std::vector<const Policy*> chosen;
  chosen.reserve(policies().size());
  for (const std::string& name : options.policies) chosen.push_back(find_policy(name));
  if (chosen.empty()) {
    for (const Policy& policy : policies()) chosen.push_back(&policy);
  }
  std::vector<Cell> cells = cells_of(scenarios, options);
  if (auto too_many = too_many_tasks(cells, scenarios)) {
    return std::unexpected(std::move(*too_many));
  }
  const bool can_plot = options.plot.empty() || std::ofstream(options.plot, std::ios::app);
  if (!can_plot) return unwritable_plot(options.plot);  // before it is waited for
  run_cells(cells, scenarios, chosen, options.jobs);
  const auto summaries = summaries_of(cells, scenarios, chosen, options.seeds);
  const std::string text =
      options.json ? simulate_json(summaries) : simulate_table(scenarios, summaries);
  fmt::print("{}", text);
  if (!options.plot.empty()) return write_plot(options.plot, summaries);
  return exit_code::ok;
}

std::string check_policy(const std::string& name) {
  if (find_policy(name) != nullptr) return "";
  std::vector<std::string_view> names;
  for (const Policy& policy : policies()) names.push_back(policy.name);
  return fmt::format("there is no policy '{}'; there are {}", name, fmt::join(names, ", "));
}

/// The simulation's times are whole nanoseconds, and sums of them.
constexpr Duration longest = std::chrono::hours(24);

/// A CLI11 check beside that of add_duration.
std::function<std::string(const std::string&)> no_less_than(Duration least) {
  return [least](const std::string& text) {
    const auto length = parse_duration(text);
    const bool fits = length && *length >= least && *length <= longest;
    return fits ? std::string()
                : fmt::format("'{}' is not from {} to 24h", text, format_duration(least));
  };
}

std::string check_load(const std::string& text) {
  if (read_number<double>(text, {.01, 10})) return "";
  return fmt::format("'{}' is not a number from 0.01 to 10", text);
}

}  // namespace

Run add_simulate(CLI::App& command) {
  auto options = std::make_shared<SimulateOptions>();
  options->jobs = cores();
  command.add_option("SCENARIO", options->scenarios, "files that describe what is simulated")
      ->type_name("")
      ->default_str("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      .add_option("--policy", options->policies, "policies to compare, with commas between them")
      ->delimiter(',')
      ->check(check_policy)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("NAME,...")
      ->default_str("all");
  command
      .add_option("--load", options->loads,
                  "offered work / capacity of the fog, with commas between several")
      ->delimiter(',')
      ->check(check_load)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("N,...")
      ->default_str("the scenario's");
  command
      .add_option("--trace", options->trace,
                  "simulate the tasks that 'fogctl fog --record' wrote into this file, on the "
                  "nodes of the scenario or of the four flags below")
      ->type_name("FILE")
      ->default_str("none");
  const auto* nodes =
      add_number<std::uint32_t>(command, "--nodes", options->nodes, {1, 1'000'000}, "... how many")
          ->default_str("those of the trace");
  const auto* workers = add_number<std::uint32_t>(command, "--workers", options->workers, {1, 1024},
                                                  "... workers of each")
                            ->default_str("those of the trace");
  const auto* link =
      add_duration(command, "--link-delay", options->link_delay, "... of each link, one way")
          ->check(no_less_than(Duration::zero()));
  const auto* cloud =
      add_duration(command, "--cloud-delay", options->cloud_delay, "... of the cloud, a round trip")
          ->check(no_less_than(Duration::zero()))
          ->default_str("no cloud");
  add_number<std::uint32_t>(command, "--seeds", options->seeds, {1, 1000},
                            "how often each is simulated, each time with other tasks");
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  add_number<std::uint64_t>(command, "--seed", options->first_seed, {0, most},
                            "the first seed; equal seeds give equal figures");
  add_duration(command, "--sharing-interval", options->sharing_interval,
               "how often nodes share their state")
      ->check(no_less_than(std::chrono::milliseconds(1)))
      ->default_str("the scenario's");
  add_duration(command, "--measure", options->measure, "how long is measured, after the warm-up")
      ->check(no_less_than(std::chrono::milliseconds(1)))
      ->default_str("the scenario's");
  add_number<std::size_t>(command, "--jobs", options->jobs, {1, 1024},
                          "simulations that run at the same time");
  command.add_option("--plot", options->plot, "draw in-time rate over load into this SVG file")
      ->type_name("PATH");
  command.add_flag("--json", options->json, "print the figures as a JSON object");
  add_example(command,
              "fogctl simulate bench/scenarios/hotspot5.toml\n"
              "fogctl simulate --trace day.trace --nodes 4 --policy deadline\n"
              "fogctl simulate bench/scenarios/*.toml --policy original --load 0.9 --json");
  return [options, nodes, workers, link, cloud] {
    options->says_nodes = nodes->count() + workers->count() + link->count() + cloud->count() > 0;
    return run_simulate(*options);
  };
}

}  // namespace fogctl::cli
