#include "node/line_writer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "base/log.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::unique_ptr<LineWriter> open(const std::string& path, std::size_t most = 1 << 20) {
  auto writer = LineWriter::open({.path = path, .most_bytes = most});
  REQUIRE(writer);
  return std::move(*writer);
}

TEST_CASE("Lines are in the file once the writer is closed, behind those of before") {
  const ScratchFolder folder;
  const std::string path = folder.path().string() + "/trace";
  for (const char* line : {"one\n", "two\n"}) {
    const auto writer = open(path);
    writer->add(line);
    writer->close();
    writer->add("too late\n");
    CHECK(writer->lost() == 1);
  }
  CHECK(text_of(path) == "one\ntwo\n");
}

TEST_CASE("A line that was broken off by a crash does not spoil the next") {
  const ScratchFolder folder;
  const std::string path = folder.path().string() + "/trace";
  std::ofstream(path) << "whole\nbro";
  open(path)->add("next\n");
  CHECK(text_of(path) == "whole\nbro\nnext\n");
}

TEST_CASE("What cannot be opened is said, and why") {
  const ScratchFolder folder;
  const std::string pipe = folder.path().string() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  struct Row {
    std::string path;
    const char* says;
  };
  for (const Row& row :
       {Row{folder.path().string(), "Is a directory"},
        Row{folder.path().string() + "/no/trace", "No such file"}, Row{pipe, "No such device"}}) {
    CAPTURE(row.path);
    const auto writer = LineWriter::open({.path = row.path});
    REQUIRE_FALSE(writer);
    CHECK(writer.error().message.find(row.path) != std::string::npos);
    CHECK(writer.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("On a full disk lines are lost and counted, and nobody waits") {
  set_log_level(LogLevel::off);
  const auto writer = open("/dev/full");
  for (int i = 0; i < 1000; ++i) writer->add("a line\nand another\n");
  writer->close();
  CHECK(writer->lost() == 2000);
  set_log_level(LogLevel::info);
}

TEST_CASE("Lines that come faster than they are written are lost past a bound, whole ones") {
  set_log_level(LogLevel::off);
  const ScratchFolder folder;
  const std::string path = folder.path().string() + "/trace";
  const auto writer = open(path, 1000);
  const std::string line(99, 'x');
  for (int i = 0; i < 50; ++i) writer->add(line + '\n');
  writer->close();
  set_log_level(LogLevel::info);
  const std::string written = text_of(path);
  CHECK(written.size() % 100 == 0);
  CHECK(written.size() / 100 + writer->lost() == 50);
  CHECK(writer->lost() > 0);
}

}  // namespace
}  // namespace fogctl
