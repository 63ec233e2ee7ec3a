#include "cli/result_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/scratch_folder.hpp"

namespace fogctl::cli {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

TEST_CASE("A file is there once all of it is written, and what was there before until then") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "out.png";
  std::ofstream(path) << "before";
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  {
    ResultFile file;
    REQUIRE(file.open(path.string()).has_value());
    CHECK(text_of(path) == "before");
    REQUIRE(file.write(std::string_view("a\0b", 3)).has_value());
    CHECK(text_of(path) == std::string("a\0b", 3));
  }
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("Of a result that does not come nothing is left") {
  const ScratchFolder folder;
  {
    ResultFile file;
    REQUIRE(file.open(folder.path() / "out.png").has_value());
    CHECK(files_in(folder.path()) == 1);
  }
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("What cannot be written is told beforehand, by its name") {
  const ScratchFolder folder;
  ResultFile nowhere;
  const auto opened = nowhere.open(folder.path() / "no/out.png");
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message ==
        "cannot write '" + folder.path().string() + "/no/out.png': No such file or directory");
  ResultFile is_folder;
  CHECK_FALSE(is_folder.open(folder.path()).has_value());
}

TEST_CASE("A device is written to, and not replaced") {
  ResultFile file;
  REQUIRE(file.open("/dev/null").has_value());
  REQUIRE(file.write("x").has_value());
  CHECK(fs::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace fogctl::cli
