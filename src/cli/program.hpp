// The command line as a whole: finds the subcommand, answers --help, --version and wrong flags,
// runs what was asked for. Knows subcommands only through their table. Main thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace fogctl::cli {

/// What a command line asks for: something to run, or else a text to print.
struct Parsed {
  std::shared_ptr<CLI::App> app;  // what `run` refers to lives in here
  std::string command;            // the subcommand's name; empty: none
  Run run;                        // empty: print `out` and `err`, exit with `exit_code`
  int exit_code = exit_code::ok;
  std::string out;
  std::string err;
};

/// `arguments` without the program's name.
[[nodiscard]] Parsed parse(std::vector<std::string> arguments, std::span<const Command> commands);

/// Parses and runs; prints errors as "fogctl: …" on standard error; returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv, std::span<const Command> commands);

}  // namespace fogctl::cli
