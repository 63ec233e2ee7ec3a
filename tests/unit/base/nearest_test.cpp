#include "base/nearest.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace fogctl {
namespace {

TEST_CASE("the nearest candidate is the one that was probably meant") {
  const std::vector<std::string> flags = {"--host", "--to", "--port", "--redis-password-file"};
  struct Meant {
    const char* written;
    const char* flag;
  };
  const Meant cases[] = {{"--ho", "--host"},
                         {"--tp", "--to"},
                         {"port", "--port"},
                         {"--prot", "--port"},
                         {"--x", ""},
                         {"--redis-pasword-flie", "--redis-password-file"},
                         {"--redis", "--redis-password-file"},
                         {"--", ""}};
  for (const Meant& test : cases) {
    CAPTURE(test.written);
    CHECK(nearest(test.written, flags).value_or("") == test.flag);
  }
}

}  // namespace
}  // namespace fogctl
