#include "node/kinds_report.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Each task stands once, with those who can run it and what it takes over all of them") {
  const std::vector<NodeKinds> nodes = {
      {"one", {{"thumbnail", TaskClass::medium, 100ms, 3}, {"echo", TaskClass::light, {}, 0}}},
      {"two", {{"thumbnail", TaskClass::heavy, 500ms, 1}, {"ocr", TaskClass::heavy, {}, 0}}},
  };
  CHECK(kinds_report(nodes) ==
        R"([{"task_name":"echo","class":"light","time":null,"runs":0,"nodes":["one"]},)"
        R"({"task_name":"ocr","class":"heavy","time":null,"runs":0,"nodes":["two"]},)"
        R"({"task_name":"thumbnail","class":"medium","time":0.2,"runs":4,"nodes":["one","two"]}])");
  CHECK(kinds_report({}) == "[]");
}

}  // namespace
}  // namespace fogctl
