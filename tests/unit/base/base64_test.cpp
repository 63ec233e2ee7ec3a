#include "base/base64.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

TEST_CASE("Bytes and their base64, as in RFC 4648") {
  struct Row {
    std::string_view bytes;
    std::string_view text;
  };
  constexpr Row rows[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {std::string_view("\0\xff\xfe", 3), "AP/+"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(to_base64(row.bytes) == row.text);
    CHECK(from_base64(row.text) == std::string(row.bytes));
  }
}

TEST_CASE("What is not base64 stands for no bytes") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "Zm9v\n", "Zm 9", "Zm9-",
                           "=Zg=", "Zh==", "Zm9=", "Zg==Zg=="}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64(text).has_value());
  }
}

}  // namespace
}  // namespace fogctl
