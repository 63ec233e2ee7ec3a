#include "cli/program.hpp"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/options.hpp"

namespace fogctl::cli {
namespace {

struct Seen {
  std::uint16_t port = 6379;
  std::string name = "fog";
  bool json = false;
};
Seen seen;  // what the command that ran was given

Run add_node(CLI::App& command) {
  auto options = std::make_shared<Seen>();
  add_number(command, "--port", options->port, {std::uint16_t{1}, std::uint16_t{65535}}, "port");
  command.add_option("--name", options->name, "name");
  command.add_flag("--json", options->json, "json");
  add_example(command, "fogctl node --port 6380");
  return [options]() -> CommandResult {
    seen = *options;
    return exit_code::late;
  };
}

Run add_worker_stub(CLI::App& command) {
  add_log_level(command);
  return []() -> CommandResult { return exit_code::ok; };
}

constexpr Command table[] = {{"node", "run a node", add_node},
                             {"worker", "run tasks", add_worker_stub}};

struct Case {
  const char* name;
  std::vector<std::string> arguments;
  std::string err;  // first line of standard error
  std::string see;  // second line
};

const Case wrong[] = {
    {"a slip in a flag",
     {"node", "--prot", "6380"},
     "unknown option '--prot'; did you mean '--port'?",
     "node "},
    {"a slip in a flag with its value",
     {"node", "--prot=6380"},
     "unknown option '--prot'; did you mean '--port'?",
     "node "},
    {"one dash for two",
     {"node", "-port", "6380"},
     "unknown option '-port'; did you mean '--port'?",
     "node "},
    {"a flag that was only begun",
     {"node", "--na", "x"},
     "unknown option '--na'; did you mean '--name'?",
     "node "},
    {"a flag like no other", {"node", "--quux"}, "unknown option '--quux'", "node "},
    {"a flag of another subcommand", {"worker", "--json"}, "unknown option '--json'", "worker "},
    {"an unknown flag before a bad value",
     {"node", "--port", "x", "--nme", "y"},
     "unknown option '--nme'; did you mean '--name'?",
     "node "},
    {"a bad value",
     {"node", "--port", "x"},
     "--port: 'x' is not a number from 1 to 65535",
     "node "},
    {"a value out of range",
     {"node", "--port=70000"},
     "--port: '70000' is not a number from 1 to 65535",
     "node "},
    {"a value that is missing at the end",
     {"node", "--port"},
     "option '--port' needs a value",
     "node "},
    {"an empty value", {"node", "--port=", "--name", "x"}, "option '--port' needs a value", ""},
    {"a word of its own", {"node", "--port", "1", "extra"}, "unexpected argument 'extra'", "node "},
    {"a second subcommand", {"node", "worker"}, "unexpected argument 'worker'", "node "},
    {"a slip in the subcommand",
     {"wroker", "--help"},
     "unknown subcommand 'wroker'; did you mean 'worker'?",
     ""},
    {"help for a subcommand that is not there",
     {"help", "nodes"},
     "unknown subcommand 'nodes'; did you mean 'node'?",
     ""},
    {"a flag before its subcommand",
     {"--port", "1", "node"},
     "option '--port' must stand behind its subcommand",
     "node "},
    {"an unknown flag of the program",
     {"--verison"},
     "unknown option '--verison'; did you mean '--version'?",
     ""},
    {"a log level that is none",
     {"worker", "--log-level", "loud"},
     "--log-level: 'loud' is none of debug, info, warning, error, off",
     "worker "},
};

TEST_CASE("a wrong command line is refused with its reason and exit code 2") {
  for (const Case& test : wrong) {
    CAPTURE(test.name);
    const Parsed parsed = parse(test.arguments, table);
    CHECK(parsed.exit_code == exit_code::usage);
    CHECK(parsed.err == "fogctl: " + test.err + "\nsee 'fogctl " + test.see + "--help'\n");
    CHECK(parsed.out.empty());
    CHECK_FALSE(parsed.run);
  }
}

TEST_CASE("no subcommand prints the help and is wrong usage") {
  const Parsed parsed = parse({}, table);
  CHECK(parsed.exit_code == exit_code::usage);
  CHECK(parsed.out.empty());
  CHECK(parsed.err.find("worker") != std::string::npos);
}

TEST_CASE("a right command line runs its subcommand with what was given") {
  const Parsed parsed = parse({"node", "--port", "010", "--name=--x", "--json"}, table);
  REQUIRE(parsed.run);
  CHECK(parsed.command == "node");
  CHECK(parsed.run().value_or(-1) == exit_code::late);
  CHECK(seen.port == 10);
  CHECK(seen.name == "--x");
  CHECK(seen.json);
}

TEST_CASE("of a flag that is given twice the last one counts") {
  const Parsed parsed = parse({"node", "--name", "a", "--name", "[b,c]"}, table);
  REQUIRE(parsed.run);
  CHECK(parsed.run());
  CHECK(seen.name == "[b,c]");
}

TEST_CASE("help is printed whatever else is wrong with the flags, and ends with the example") {
  const std::vector<std::vector<std::string>> lines = {{"node", "--help"},
                                                       {"node", "-h"},
                                                       {"help", "node"},
                                                       {"--help", "node"},
                                                       {"-h", "node"},
                                                       {"-h", "node", "--port", "x"},
                                                       {"node", "--port", "x", "--help"},
                                                       {"node", "--help", "--quux"}};
  for (const auto& line : lines) {
    CAPTURE(line.back());
    const Parsed parsed = parse(line, table);
    CHECK(parsed.exit_code == exit_code::ok);
    CHECK(parsed.out.find("--port N") != std::string::npos);
    CHECK(parsed.out.find("(default 6379)") != std::string::npos);
    CHECK(parsed.out.ends_with("Example:\n  fogctl node --port 6380\n"));
  }
}

TEST_CASE("the program's own flags answer at once") {
  CHECK(parse({"--version"}, table).out == "fogctl " FOGCTL_VERSION "\n");
  CHECK(parse({"help"}, table).out == parse({"--help"}, table).out);
  CHECK(parse({"--help"}, table).out.find("run a node") != std::string::npos);
}

}  // namespace
}  // namespace fogctl::cli
