#include "scheduling/kinds.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TaskKinds kinds_of(std::initializer_list<const char*> names, TaskClass weight = TaskClass::light) {
  TaskKinds kinds;
  for (const char* name : names) kinds.push_back({name, weight, {}, 0});
  return kinds;
}

TEST_CASE("Before anybody says anything, this node can run what the first ones could") {
  const Kinds kinds;
  for (const TaskKind& kind : first_kinds()) {
    REQUIRE(kinds.find(kind.name) != nullptr);
    CHECK(kinds.find(kind.name)->is_here);
  }
  CHECK(kinds.find("thumbnail") == nullptr);
  CHECK(kinds.class_of("heavy") == TaskClass::heavy);
}

TEST_CASE("What a peer says takes the place of what it said before") {
  Kinds kinds;
  kinds.set(7, {{"thumbnail", TaskClass::heavy, 30ms, 4}, {"echo", TaskClass::light, {}, 0}});
  REQUIRE(kinds.find("thumbnail") != nullptr);
  CHECK_FALSE(kinds.find("thumbnail")->is_here);
  REQUIRE(kinds.find("thumbnail")->find(7) != nullptr);
  CHECK(kinds.find("thumbnail")->find(7)->time == 30ms);
  CHECK(kinds.find("thumbnail")->find(8) == nullptr);
  CHECK(kinds.find("echo")->links.size() == 1);

  kinds.set(7, kinds_of({"ocr", "ocr"}));
  CHECK(kinds.find("thumbnail") == nullptr);
  CHECK(kinds.find("echo")->links.empty());
  CHECK(kinds.find("ocr")->links.size() == 1);
  kinds.forget(7);
  kinds.forget(7);
  CHECK(kinds.find("ocr") == nullptr);
  CHECK(kinds.of(7) == nullptr);
}

TEST_CASE("What this node can run no more is only where others can") {
  Kinds kinds;
  kinds.set(7, kinds_of({"heavy"}));
  kinds.set_here(kinds_of({"ocr"}));
  CHECK(kinds.find("ocr")->is_here);
  CHECK(kinds.find("light") == nullptr);
  CHECK_FALSE(kinds.find("heavy")->is_here);
}

TEST_CASE("The class of a task is this node's, else another's that can run it") {
  Kinds kinds;
  kinds.set_here(kinds_of({"ocr"}, TaskClass::medium));
  kinds.set(7, kinds_of({"ocr", "thumbnail"}, TaskClass::heavy));
  CHECK(kinds.class_of("ocr") == TaskClass::medium);
  CHECK(kinds.class_of("thumbnail") == TaskClass::heavy);
  CHECK_FALSE(kinds.class_of("other").has_value());
}

}  // namespace
}  // namespace fogctl
