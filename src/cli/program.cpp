#include "cli/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "base/nearest.hpp"
#include "programs/keeper.hpp"

namespace fogctl::cli {
namespace {

constexpr std::size_t left_column = 34;  // of --help: the flags
constexpr std::size_t help_width = 100;

/// `text` broken between words into lines of at most `width`.
std::string wrap(const std::string& text, std::size_t width) {
  std::string wrapped;
  std::size_t used = 0;
  for (const std::string& word : CLI::detail::split(text, ' ')) {
    if (used > 0 && used + 1 + word.size() > width) {
      wrapped += '\n';
      used = 0;
    }
    if (used > 0) wrapped += ' ', ++used;
    wrapped += word;
    used += word.size();
  }
  return wrapped;
}

/// A flag, what it takes, what it does, and its default in words.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(left_column); }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0 || option->get_type_name().empty()) return "";
    return " " + get_label(option->get_type_name());
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    const std::string value = option->get_default_str();
    if (!value.empty() && text.find("default") == std::string::npos) {
      text += fmt::format(" (default {})", value);
    }
    return wrap(text, help_width - left_column);
  }
};

/// "--port" of "--port=6380".
std::string flag_of(const std::string& argument) {
  return argument.substr(0, argument.find('='));
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

/// The subcommand that was named, or the program itself.
const CLI::App& selected(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : *chosen.front();
}

std::string see_help(const std::string& command) {
  return command.empty() ? "see 'fogctl --help'\n"
                         : fmt::format("see 'fogctl {} --help'\n", command);
}

bool is_flag(const std::string& argument) {
  return argument.size() > 1 && argument.front() == '-';
}

/// What is wrong with what stands where a subcommand should.
std::string complaint_about_subcommand(const CLI::App& app, const std::string& first) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (!is_flag(first)) {
    return fmt::format("unknown subcommand '{}'{}", first, suggestion(first, names));
  }
  const std::string flag = flag_of(first);
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_option_no_throw(flag) == nullptr) continue;
    return fmt::format("option '{}' must stand behind its subcommand", flag);
  }
  return fmt::format("unknown option '{}'{}", flag, suggestion(flag, flags_of(app)));
}

/// What is wrong with the first argument that nobody took; none: all were taken.
std::optional<std::string> complaint_about_rest(const CLI::App& app) {
  if (const auto rest = app.remaining(); !rest.empty()) {
    return complaint_about_subcommand(app, rest.front());
  }
  const CLI::App& command = selected(app);
  auto rest = command.remaining();
  std::erase(rest, "--");  // behind it stand no flags; the library keeps it
  if (rest.empty()) return std::nullopt;
  const auto flag = std::ranges::find_if(rest, is_flag);
  if (flag == rest.end()) return fmt::format("unexpected argument '{}'", rest.front());
  const std::string name = flag_of(*flag);
  return fmt::format("unknown option '{}'{}", name, suggestion(name, flags_of(command)));
}

Parsed wrong_usage(Parsed parsed, const std::string& message) {
  parsed.exit_code = exit_code::usage;
  parsed.err = fmt::format("fogctl: {}\n{}", message, see_help(parsed.command));
  return parsed;
}

/// A value that the library refused; its text names the flag.
std::string complaint_about_value(const CLI::App& command, const std::string& last_argument,
                                  const CLI::ParseError& error) {
  // A value is missing only where the arguments end.
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr &&
      command.get_option_no_throw(last_argument) != nullptr) {
    return fmt::format("option '{}' needs a value", last_argument);
  }
  std::string text = error.what();
  const auto is_upper = [&text](std::size_t i) {
    return i < text.size() && std::isupper(static_cast<unsigned char>(text[i])) != 0;
  };
  // A sentence begins small behind "fogctl: "; the name of an argument stays as it is.
  if (is_upper(0) && !is_upper(1)) text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

std::shared_ptr<CLI::App> make_app() {
  auto app = std::make_shared<CLI::App>(
      "fogctl runs the parts of a fog: nodes that take tasks, workers, clients.", "fogctl");
  app->formatter(std::make_shared<HelpFormatter>());
  app->get_formatter()->label("OPTIONS", "OPTIONS");
  app->option_defaults()->always_capture_default();
  app->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app->set_help_flag("-h,--help", "print this and exit");
  app->set_version_flag("--version", "fogctl " FOGCTL_VERSION, "print the version and exit");
  app->require_subcommand(0, 1);
  app->allow_extras();  // complaint_about_rest() words it better; inherited by subcommands
  app->footer(
      "'fogctl SUBCOMMAND --help' shows a subcommand's options and an example;\n"
      "'man fogctl' and 'man fogctl-SUBCOMMAND' say more.");
  return app;
}

/// The answer to arguments that the library refused.
Parsed refuse(Parsed parsed, const std::string& last_argument, const CLI::ParseError& error) {
  const CLI::App& app = *parsed.app;
  const CLI::App& command = selected(app);
  if (!app.remaining().empty()) {
    return wrong_usage(std::move(parsed), *complaint_about_rest(app));
  }
  // Whoever asks for help gets it, whatever is wrong with the other flags, and the subcommand's
  // wherever it is named.
  if (app.get_help_ptr()->count() > 0 || command.get_help_ptr()->count() > 0) {
    parsed.out = app.help();
    return parsed;
  }
  const auto why = complaint_about_rest(app);
  return wrong_usage(std::move(parsed),
                     why ? *why : complaint_about_value(command, last_argument, error));
}

/// Lets the library parse. Its answer, or what it refused, becomes a text.
Parsed parse_with(Parsed parsed, std::vector<std::string> arguments) {
  const std::string last = arguments.empty() ? "" : arguments.back();
  std::ranges::reverse(arguments);
  const CLI::App& app = *parsed.app;
  const auto note_command = [&] {
    if (&selected(app) != &app) parsed.command = selected(app).get_name();
  };
  try {
    parsed.app->parse(std::move(arguments));
    note_command();
  } catch (const CLI::CallForVersion& version) {
    parsed.out = fmt::format("{}\n", version.what());
    return parsed;
  } catch (const CLI::ParseError& error) {
    note_command();
    return refuse(std::move(parsed), last, error);
  } catch (const std::exception& error) {  // a flag's value that the library cannot read
    note_command();
    return wrong_usage(std::move(parsed), error.what());
  }
  if (const auto why = complaint_about_rest(app)) return wrong_usage(std::move(parsed), *why);
  return parsed;
}

/// Writes all; what cannot be written because the reader left is nobody's problem.
bool print(std::FILE* stream, const std::string& text) {
  errno = 0;
  std::fwrite(text.data(), 1, text.size(), stream);
  return std::fflush(stream) == 0 || errno == EPIPE;
}

int report(const std::string& message) {
  print(stderr, fmt::format("fogctl: {}\n", message));
  return exit_code::failed;
}

int perform(const Parsed& parsed) {
  if (!parsed.run) {
    print(stdout, parsed.out);
    print(stderr, parsed.err);
    return parsed.exit_code;
  }
  const CommandResult result = parsed.run();
  const bool written = print(stdout, "");
  if (result && !written) {
    return report(
        fmt::format("cannot write to standard output: {}", std::generic_category().message(errno)));
  }
  if (result) return *result;
  report(result.error().message);
  if (result.error().exit_code == exit_code::usage) print(stderr, see_help(parsed.command));
  return result.error().exit_code;
}

}  // namespace

Parsed parse(std::vector<std::string> arguments, std::span<const Command> commands) {
  Parsed parsed;
  parsed.app = make_app();
  std::vector<std::pair<CLI::App*, Run>> runs;
  for (const Command& command : commands) {
    CLI::App* sub = parsed.app->add_subcommand(command.name, command.summary);
    Run run = command.add(*sub);
    runs.emplace_back(sub, std::move(run));
  }
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.insert(arguments.begin() + (arguments.empty() ? 0 : 1), "--help");
  }
  const bool nothing = arguments.empty();
  for (const std::string& argument : arguments) {
    // The library would take the next argument for the value.
    if (!argument.starts_with("--") || !argument.ends_with('=')) continue;
    return wrong_usage(std::move(parsed),
                       fmt::format("option '{}' needs a value", flag_of(argument)));
  }
  parsed = parse_with(std::move(parsed), std::move(arguments));
  if (!parsed.out.empty() || !parsed.err.empty()) return parsed;
  for (auto& [sub, run] : runs) {
    if (sub->parsed()) parsed.run = std::move(run);
  }
  if (parsed.run) return parsed;
  parsed.exit_code = exit_code::usage;
  parsed.err = (nothing ? "" : "fogctl: no subcommand\n") + parsed.app->help();
  return parsed;
}

int run(int argc, const char* const* argv, std::span<const Command> commands) {
  if (const auto code = run_if_keeper(argc, argv)) return *code;
  // A reader that left (`| head`) shows as a failed write instead of ending the program.
  std::signal(SIGPIPE, SIG_IGN);
  // Likewise a file that may not grow any more (ulimit -f): its owner says so, as of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return perform(
        parse(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), commands));
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::system_error& error) {
    const bool reader_left = error.code() == std::errc::broken_pipe && std::ferror(stdout) != 0;
    return reader_left ? exit_code::ok : report(fmt::format("unexpected: {}", error.what()));
  } catch (const std::exception& error) {
    return report(fmt::format("unexpected: {}", error.what()));
  } catch (...) {
    return report("unexpected exception");
  }
}

}  // namespace fogctl::cli
