// fogctl client: sends tasks to a node and tells what became of them.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/client_output.hpp"
#include "cli/command.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "cli/result_file.hpp"
#include "client/client.hpp"
#include "client/content.hpp"

namespace fogctl::cli {
namespace {

constexpr const char* original_load = "light=200/min,medium=40/min";
constexpr const char* usual_hedge = "0.3";
constexpr Duration longest_timeout = std::chrono::hours(24);
/// Rows that may be on their way at a time, and wait for the one before them to be printed.
constexpr std::uint64_t row_window = 64;

struct ClientOptions {
  NodeAddressFlags node;
  std::string task;
  std::optional<std::string> content;  // JSON text
  std::string content_file;
  bool is_base64 = false;  // the file is to be sent as base64, whatever it holds
  std::string output;      // a file for the result; empty: standard output
  std::optional<CsvSource> content_csv;
  std::optional<TaskClass> weight;
  Requirements requirements;
  std::string uid;
  bool to_cloud = false;
  std::optional<std::uint64_t> repeat;
  std::vector<LoadEntry> load;
  Duration duration = std::chrono::seconds(60);
  Duration timeout = std::chrono::seconds(30);
  std::optional<double> min_in_time;  // percent
  double hedge = 0;                   // share of the requirement; 0: never
  bool no_retry = false;
  bool json = false;
};

std::string system_message() {
  return std::generic_category().message(errno);
}

ClientMode mode_of(const ClientOptions& options) {
  if (options.repeat || !options.load.empty()) return ClientMode::figures;
  return options.content_csv ? ClientMode::rows : ClientMode::single;
}

/// A flag whose value `parse` reads; its Error is what the user is told.
template <typename Value, typename Target>
CLI::Option* add_parsed(CLI::App& command, const std::string& name,
                        Result<Value> (*parse)(std::string_view), Target& target,
                        const std::string& help) {
  const auto set = [&target, parse](const std::string& text) {
    if (auto value = parse(text)) target = std::move(*value);
  };
  return command.add_option_function<std::string>(name, set, help)
      ->check([parse](const std::string& text) {
        const auto value = parse(text);
        return value ? std::string() : value.error().message;
      });
}

Result<std::string> parse_name(std::string_view text) {
  if (is_valid_name(text)) return std::string(text);
  return failure(ErrorCode::invalid,
                 fmt::format("'{}' is not 1 to 64 of the characters A-Z a-z 0-9 _ . -", text));
}

Result<TaskClass> parse_class(std::string_view text) {
  if (const auto weight = parse_task_class(text)) return *weight;
  return failure(ErrorCode::invalid, fmt::format("'{}' is none of light, medium, heavy", text));
}

Result<Duration> parse_timeout(std::string_view text) {
  auto length = parse_duration(text);
  if (length && (*length <= Duration::zero() || *length > longest_timeout)) {
    return failure(ErrorCode::invalid, fmt::format("'{}' is not above 0 and up to 24h", text));
  }
  return length;
}

Result<Duration> parse_length(std::string_view text) {
  auto length = parse_duration(text);
  if (length && *length <= Duration::zero()) {
    return failure(ErrorCode::invalid, fmt::format("'{}' is not above 0", text));
  }
  return length;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  constexpr NumberRange<std::uint64_t> range{1, 1'000'000'000'000};
  if (const auto count = read_number(text, range)) return *count;
  return failure(ErrorCode::invalid,
                 fmt::format("'{}' is not a number from {} to {}", text, range.least, range.most));
}

Result<double> parse_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  if (const auto percent = read_number(text, NumberRange<double>{0, 100})) return *percent;
  return failure(ErrorCode::invalid, fmt::format("'{}' is not a percentage from 0 to 100", text));
}

Result<double> parse_share(std::string_view text) {
  const auto share = read_number(text, NumberRange<double>{0, 1});
  if (share && *share > 0 && *share < 1) return *share;
  return failure(ErrorCode::invalid, fmt::format("'{}' is not a number between 0 and 1", text));
}

void add_task_flags(CLI::App& command, ClientOptions& options) {
  add_node_addresses(command, options.node,
                     "the node to send tasks to; of several, the first that can be connected to, "
                     "and the next when it is gone");
  add_parsed(command, "--task", parse_name, options.task, "name of the task")->type_name("NAME");
  auto* content = add_parsed(command, "--content", content_from_text, options.content,
                             "the task's input: JSON; what is not valid JSON is sent as a string")
                      ->type_name("JSON");
  auto* file = command.add_option("--content-file", options.content_file,
                                  "file with the input; - reads standard input; what is not UTF-8 "
                                  "text is sent as a base64 string");
  file->type_name("FILE")->excludes(content);
  command.add_flag("--base64", options.is_base64, "send the file as base64, whatever it holds")
      ->needs(file);
  add_parsed(command, "--content-csv", parse_csv_source, options.content_csv,
             "CSV file, each row's value being the content of the next task; COLUMN is a number "
             "from 1 (then there is no header) or a name in the first row; 1 unless given")
      ->type_name("FILE[:COLUMN]")
      ->excludes(content)
      ->excludes(file);
  add_parsed(command, "--class", parse_class, options.weight,
             "light, medium or heavy (default: by the task's name, or what the node knows of it)")
      ->type_name("CLASS");
  add_parsed(
      command, "--requirement", parse_requirements, options.requirements,
      "longest waiting time, for all or by name or class as light=0.1,heavy=3 (default: by class, "
      "0.2, 2 and 5)")
      ->type_name("SECONDS");
  add_parsed(command, "--uid", parse_name, options.uid, "task_uid of a single task")
      ->type_name("UID");
  command.add_flag("--to-cloud", options.to_cloud, "ask for the tasks to run in the cloud");
}

void add_load_flags(CLI::App& command, ClientOptions& options) {
  auto* repeat = add_parsed(command, "--repeat", parse_count, options.repeat,
                            "send the task N times, the next on each result (default task: light)")
                     ->type_name("N");
  auto* load = add_parsed(command, "--load", parse_load, options.load,
                          fmt::format("send at fixed rates: NAME=N/s, /min or /h, several with a "
                                      "comma between them; default without a value: {}",
                                      original_load))
                   ->type_name("[RATES]")
                   ->expected(0, 1)
                   ->default_str(original_load)
                   ->excludes(repeat)
                   ->excludes(command.get_option("--task"));
  command
      .add_option("--output", options.output,
                  "file for a single task's result: the bytes of one in base64, else its JSON")
      ->type_name("FILE");
  for (auto* other : {repeat, load, command.get_option("--content-csv")}) {
    command.get_option("--uid")->excludes(other);
    command.get_option("--output")->excludes(other);
  }
  add_parsed(command, "--duration", parse_length, options.duration, "how long a load sends")
      ->type_name("TIME")
      ->default_str(format_duration(options.duration))
      ->needs(load);
  add_parsed(command, "--timeout", parse_timeout, options.timeout,
             "a task without an answer for so long counts as lost")
      ->type_name("TIME")
      ->default_str(format_duration(options.timeout));
  auto* hedge = add_parsed(command, "--hedge", parse_share, options.hedge,
                           fmt::format("send a task to another node too when the first has not "
                                       "accepted it after this share of the requirement; default "
                                       "without a value: {}",
                                       usual_hedge))
                    ->type_name("[SHARE]")
                    ->expected(0, 1)
                    ->default_str(usual_hedge);
  command
      .add_flag("--no-retry", options.no_retry,
                "neither connect again nor send a task again: a connection that breaks ends "
                "the run")
      ->excludes(hedge);
  add_parsed(command, "--min-in-time", parse_percent, options.min_in_time,
             "exit 5 where less than this share of the tasks was in time")
      ->type_name("PERCENT");
  command.add_flag("--json", options.json,
                   "print the figures (of a single task: its result and times) as a JSON object");
}

Result<std::string> read_stream(std::FILE* stream) {
  std::string text;
  std::vector<char> chunk(std::size_t{64} << 10);
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), stream)) {
    text.append(chunk.data(), size);
  }
  if (std::ferror(stream) != 0) return failure(ErrorCode::failed, system_message());
  return text;
}

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return read_stream(stdin);
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return failure(ErrorCode::not_found, system_message());
  auto text = read_stream(file);
  std::fclose(file);
  return text;
}

/// Reads a file and makes of it what tasks carry.
template <typename Convert>
auto contents_of_file(const std::string& path, Convert convert)
    -> Result<std::vector<std::string>> {
  const auto text = read_file(path);
  if (!text) {
    return failure(ErrorCode::failed,
                   fmt::format("cannot read '{}': {}", path, text.error().message));
  }
  auto contents = convert(*text);
  if (contents) return contents;
  return failure(ErrorCode::invalid, fmt::format("'{}': {}", path, contents.error().message));
}

Result<std::vector<std::string>> one_content(std::string_view text, bool is_base64) {
  auto content = content_from_bytes(text, is_base64);
  if (!content) return std::unexpected(content.error());
  return std::vector<std::string>{std::move(*content)};
}

Result<std::vector<std::string>> contents_for(const ClientOptions& options) {
  if (options.content) return std::vector<std::string>{*options.content};
  if (!options.content_file.empty()) {
    return contents_of_file(options.content_file, [&](std::string_view text) {
      return one_content(text, options.is_base64);
    });
  }
  if (options.content_csv) {
    return contents_of_file(options.content_csv->file, [&](std::string_view text) {
      return contents_from_csv(text, options.content_csv->column);
    });
  }
  // The original client's load carries 1.
  return std::vector<std::string>{options.load.empty() ? "null" : "1"};
}

/// The names that are sent, with their rates; those of a sequence do not matter.
std::vector<LoadEntry> entries_of(const ClientOptions& options) {
  if (!options.load.empty()) return options.load;
  return {{options.task.empty() ? "light" : options.task, {}}};
}

Result<std::vector<TaskStream>> streams_for(const ClientOptions& options) {
  std::vector<TaskStream> streams;
  for (const LoadEntry& entry : entries_of(options)) {
    // In a load, --class is for the names that are not a class themselves.
    const auto by_name = parse_task_class(entry.name);
    const bool is_named_class = by_name && !options.load.empty();
    const auto weight = is_named_class || !options.weight ? by_name : options.weight;
    streams.push_back({entry.name, weight,
                       options.requirements.of(entry.name, weight.value_or(TaskClass::light)),
                       entry.rate});
  }
  for (const auto& [name, length] : options.requirements.by_name) {
    const bool is_sent = std::ranges::any_of(streams, [&](const TaskStream& stream) {
      return stream.name == name || to_string(stream.weight.value_or(TaskClass::light)) == name;
    });
    if (is_sent) continue;
    return failure(ErrorCode::invalid, fmt::format("--requirement: no task '{}' is sent", name));
  }
  return streams;
}

std::unexpected<CommandFailure> wrong_usage(std::string message) {
  return std::unexpected(CommandFailure{exit_code::usage, std::move(message)});
}

std::expected<ClientPlan, CommandFailure> plan_for(const ClientOptions& options) {
  if (options.task.empty() && options.load.empty() && !options.repeat) {
    return wrong_usage("nothing to send: give --task NAME, --load or --repeat N");
  }
  ClientPlan plan;
  auto streams = streams_for(options);
  if (!streams) return wrong_usage(streams.error().message);
  auto contents = contents_for(options);
  if (!contents) {
    return std::unexpected(CommandFailure{exit_code::failed, contents.error().message});
  }
  plan.streams = std::move(*streams);
  plan.contents = std::move(*contents);
  plan.uid = options.uid;
  plan.to_cloud = options.to_cloud;
  plan.timeout = options.timeout;
  plan.retries = !options.no_retry;
  plan.hedge = options.hedge;
  if (!options.load.empty()) {
    plan.pace = Load{options.duration};
  } else if (mode_of(options) == ClientMode::rows) {
    plan.pace = Sequence{plan.contents.size(), row_window};
  } else {
    plan.pace = Sequence{options.repeat.value_or(1), 1};
  }
  return plan;
}

int exit_code_of(const ClientOptions& options, const Report& report) {
  const Statistics total = total_of(report);
  if (total.failed() + total.lost() + report.not_sent > 0 || !report.ended_early.empty()) {
    return exit_code::failed;
  }
  const double wanted = options.min_in_time.value_or(0) / 100;
  const bool is_late = mode_of(options) == ClientMode::single && total.in_time() < total.sent();
  const bool are_late = options.min_in_time && total.in_time_rate().value_or(1) < wanted;
  return is_late || are_late ? exit_code::late : exit_code::ok;
}

CommandResult run(const ClientOptions& options) {
  auto plan = plan_for(options);
  if (!plan) return std::unexpected(plan.error());
  const SystemClock clock;
  const NodeAddress node = node_address(options.node, clock);
  plan->nodes = node.others;
  plan->nodes.insert(plan->nodes.begin(), node.address);
  ResultFile file;
  if (!options.output.empty()) {
    if (const auto opened = file.open(options.output); !opened) {
      return std::unexpected(CommandFailure{exit_code::failed, opened.error().message});
    }
  }
  ClientOutput output(plan->streams.front(), mode_of(options), options.json, options.output,
                      options.output.empty() ? nullptr : &file);
  ClientEvents events;
  events.on_note = [&output](std::string_view text) { output.note(text); };
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (mode_of(options) == ClientMode::single && (is_terminal || options.json)) {
    events.on_task_progress = [&output](double share) { output.show_progress(share); };
  }
  if (mode_of(options) != ClientMode::figures) {
    events.on_outcome = [&output](const Outcome& outcome) { output.show(outcome); };
  } else if (is_terminal) {
    events.on_progress = [&output](const Statistics& so_far) { output.show_progress(so_far); };
  }
  const auto report = run_client(*plan, clock, std::move(events));
  if (!report) return std::unexpected(node_failure(options.node, node, report.error()));
  output.show(*report);
  const int code = exit_code_of(options, *report);
  if (output.failure().empty()) return code;
  return std::unexpected(CommandFailure{exit_code::failed, output.failure()});
}

}  // namespace

Run add_client(CLI::App& command) {
  auto options = std::make_shared<ClientOptions>();
  add_task_flags(command, *options);
  add_load_flags(command, *options);
  add_example(command,
              "fogctl client --task medium --content 1\n"
              "fogctl client --connect 10.0.0.7:10000 --load light=200/min,heavy=20/min "
              "--duration 60s");
  return [options] { return run(*options); };
}

}  // namespace fogctl::cli
