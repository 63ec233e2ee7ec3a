#include "programs/command_handlers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "base/log.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

/// A folder of task files, and handlers that answer how often one was made before them.
struct Scene {
  Scene() { set_log_level(LogLevel::off); }
  ~Scene() { set_log_level(LogLevel::info); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << text;
  }
  [[nodiscard]] CommandHandlers handlers(std::vector<std::string> paths) {
    for (std::string& path : paths) path = folder.path() / path;
    CommandRunner runner{[this](const TaskSpec&) {
                           if (is_out_of_threads) {
                             throw std::system_error(
                                 std::make_error_code(std::errc::resource_unavailable_try_again));
                           }
                           return Handler{TaskClass::light, [id = made++](const Task&, const Run&) {
                                            return HandlerOutcome(std::to_string(id));
                                          }};
                         },
                         [] { return Result<void>(); }};
    return CommandHandlers({std::move(paths), folder.path()}, std::move(runner));
  }
  [[nodiscard]] std::string told(const Error& error) const {
    std::string text = error.message;
    const std::string prefix = folder.path().string() + '/';
    for (std::size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  ScratchFolder folder;
  int made = 0;
  bool is_out_of_threads = false;
};

std::string run(const HandlerTable& table, const std::string& name) {
  Task task;
  task.name = name;
  return table.run(task, {}).value_or("failed");
}

TEST_CASE("own tasks: a folder's files are read in the order of their names") {
  Scene scene;
  scene.write("d/b.toml", "[task.b]\ncommand = [\"sh\"]\nclass = \"heavy\"\nconcurrency = 2\n");
  scene.write("d/a.toml", "[task.a]\ncommand = [\"sh\"]\noutput = \"base64\"\nmax_attempts = 7\n");
  scene.write("d/no.txt", "[task.c]\n");
  CommandHandlers commands = scene.handlers({"d"});
  REQUIRE(commands.read().has_value());
  const auto table = commands.handlers().table();
  CHECK(run(*table, "a") == "0");
  CHECK(run(*table, "b") == "1");
  CHECK(table->find("c") == nullptr);
  CHECK(table->find("echo") != nullptr);
  CHECK(table->find("a")->is_base64);
  CHECK(table->find("a")->max_attempts == 7);
  CHECK(table->find("b")->weight == TaskClass::heavy);
  CHECK(table->find("b")->concurrency == 2);
}

TEST_CASE("own tasks: with no path given, those of the settings folder are read") {
  Scene scene;
  CommandHandlers commands = scene.handlers({});
  CHECK(commands.read().has_value());
  CHECK(commands.handlers().table()->find("a") == nullptr);
  scene.write("fogctl.toml", "[fog]\nx = 1\n[task.a]\ncommand = [\"sh\"]\n");
  scene.write("tasks.d/one.toml", "[task.b]\ncommand = [\"sh\"]\n");
  CHECK(commands.reread());
  const auto table = commands.handlers().table();
  CHECK(table->find("a") != nullptr);
  CHECK(table->find("b") != nullptr);
}

TEST_CASE("own tasks: a name that two files have is told with both places") {
  Scene scene;
  scene.write("a.toml", "[task.t]\ncommand = [\"sh\"]\n");
  scene.write("b.toml", "\n[task.t]\ncommand = [\"sh\"]\n");
  const auto done = scene.handlers({"a.toml", "b.toml"}).read();
  REQUIRE(!done.has_value());
  CHECK(scene.told(done.error()) ==
        "b.toml:2: [task.t]: a.toml:1 has a task of that name already; rename or remove one");
}

TEST_CASE("own tasks: up to ten mistakes are told") {
  Scene scene;
  std::string text = "[task.t]\ncommand = [\"sh\"]\n";
  for (int i = 0; i < 12; ++i) text += "x" + std::to_string(i) + " = 1\n";
  scene.write("a.toml", text);
  const auto done = scene.handlers({"a.toml"}).read();
  REQUIRE(!done.has_value());
  const std::string told = scene.told(done.error());
  CHECK(std::ranges::count(told, '\n') == 10);
  CHECK(told.starts_with("a.toml:3: [task.t] x0: unknown key\na.toml:4: "));
  CHECK(told.ends_with("\n... and 2 more mistakes"));
}

TEST_CASE("own tasks: read again, what is as it was keeps its handler") {
  Scene scene;
  const std::string kept = "[task.kept]\ncommand = [\"sh\"]\n";
  const std::string gone = "[task.gone]\ncommand = [\"sh\"]\n";
  scene.write("a.toml", kept + gone + "[task.changed]\ncommand = [\"sh\"]\n");
  CommandHandlers commands = scene.handlers({"a.toml"});
  CHECK(commands.read().has_value());
  const auto before = commands.handlers().table();
  CHECK(run(*before, "kept") == "0");
  CHECK(run(*before, "changed") == "2");

  scene.write("a.toml", "# shifted\n" + kept +
                            "[task.changed]\ncommand = [\"cat\"]\n[task.added]\ncommand = "
                            "[\"cat\"]\n");
  CHECK(commands.reread());
  const auto after = commands.handlers().table();
  CHECK(run(*after, "kept") == "0");
  CHECK(run(*after, "changed") == "3");
  CHECK(run(*after, "added") == "4");
  CHECK(after->find("gone") == nullptr);
  CHECK(run(*before, "gone") == "1");  // what runs ends with the handler that it began with

  scene.write("a.toml", kept + "[task.added]\n");
  CHECK(!commands.reread());
  CHECK(commands.handlers().table() == after);
  std::filesystem::remove(scene.folder.path() / "a.toml");
  CHECK(!commands.reread());
  CHECK(commands.handlers().table() == after);
}

TEST_CASE("own tasks: read again on a machine that has no thread left, all stays as it was") {
  Scene scene;
  scene.write("a.toml", "[task.a]\ncommand = [\"sh\"]\n");
  CommandHandlers commands = scene.handlers({"a.toml"});
  CHECK(commands.read().has_value());
  const auto before = commands.handlers().table();
  scene.write("a.toml", "[task.b]\ncommand = [\"sh\"]\n");
  scene.is_out_of_threads = true;
  CHECK(!commands.reread());
  CHECK(commands.handlers().table() == before);
  scene.is_out_of_threads = false;
  CHECK(commands.reread());
  CHECK(run(*commands.handlers().table(), "b") == "1");
}

}  // namespace
}  // namespace fogctl
