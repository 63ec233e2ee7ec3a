// fogctl simulate: compares placement policies on simulated fogs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/node_flags.hpp"
#include "cli/options.hpp"
#include "cli/simulate_output.hpp"
#include "placement/placement.hpp"
#include "sim/experiment.hpp"
#include "sim/plot.hpp"
#include "sim/scenario_reader.hpp"

namespace fogctl::cli {
namespace {

struct SimulateOptions {
  std::vector<std::string> scenarios;  // paths
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
  if (file) text << file.rdbuf();
  if (!file || !text) {
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

CommandResult write_plot(const std::string& path, const std::vector<sim::LoadSummary>& summaries) {
  std::ofstream file(path);
  file << sim::plot_in_time(summaries);
  file.close();
  if (file) return exit_code::ok;
  return failed(
      fmt::format("cannot write the plot to {}: name a file with --plot that can be "
                  "written, in a folder that is there",
                  path));
}

CommandResult run_simulate(const SimulateOptions& options) {
  std::vector<sim::Scenario> scenarios;
  for (const std::string& path : options.scenarios) {
    auto scenario = load_scenario(path, options);
    if (!scenario) return std::unexpected(scenario.error());
    scenarios.push_back(std::move(*scenario));
  }
  std::vector<const Policy*> chosen;
  chosen.reserve(policies().size());
  for (const std::string& name : options.policies) chosen.push_back(find_policy(name));
  if (chosen.empty()) {
    for (const Policy& policy : policies()) chosen.push_back(&policy);
  }
  std::vector<Cell> cells = cells_of(scenarios, options);
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

std::string check_load(const std::string& text) {
  if (read_number<double>(text, {.01, 10})) return "";
  return fmt::format("'{}' is not a number from 0.01 to 10", text);
}

}  // namespace

Run add_simulate(CLI::App& command) {
  auto options = std::make_shared<SimulateOptions>();
  options->jobs = cores();
  command.add_option("SCENARIO", options->scenarios, "files that describe what is simulated")
      ->required()
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
  add_number<std::uint32_t>(command, "--seeds", options->seeds, {1, 1000},
                            "how often each is simulated, each time with other tasks");
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  add_number<std::uint64_t>(command, "--seed", options->first_seed, {0, most},
                            "the first seed; equal seeds give equal figures");
  add_duration(command, "--sharing-interval", options->sharing_interval,
               "how often nodes share their state")
      ->default_str("the scenario's");
  add_duration(command, "--measure", options->measure, "how long is measured, after the warm-up")
      ->default_str("the scenario's");
  add_number<std::size_t>(command, "--jobs", options->jobs, {1, 1024},
                          "simulations that run at the same time");
  command.add_option("--plot", options->plot, "draw in-time rate over load into this SVG file")
      ->type_name("PATH");
  command.add_flag("--json", options->json, "print the figures as a JSON object");
  add_example(command,
              "fogctl simulate bench/scenarios/hotspot5.toml\n"
              "fogctl simulate bench/scenarios/*.toml --policy original --load 0.9 --json");
  return [options] { return run_simulate(*options); };
}

}  // namespace fogctl::cli
