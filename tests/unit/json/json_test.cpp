#include "json/json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace fogctl::json {
namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth, const char* open, const char* close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST_CASE("An object's members are slices of its text, in order, without white space around") {
  Object object;
  const std::string text =
      " {\"a\" : 1 ,\n\"b\":[ 1, {\"c\":2} ] , \"d\":\"x,}\" ,\"e\":{ }, \"f\":-1.50}\n";
  REQUIRE(object.parse(text));
  const auto& members = object.members();
  REQUIRE(members.size() == 5);
  CHECK(members[0].name == "a");
  CHECK(members[0].value == "1");
  CHECK(members[1].value == "[ 1, {\"c\":2} ]");
  CHECK(members[2].value == "\"x,}\"");
  CHECK(members[3].value == "{ }");
  CHECK(members[4].value == "-1.50");
  CHECK(members[1].value.data() >= text.data());
  CHECK(members[1].value.data() < text.data() + text.size());
}

TEST_CASE("An empty object has no members") {
  Object object;
  for (const char* text : {"{}", " { } ", "{\n}"}) {
    CAPTURE(text);
    REQUIRE(object.parse(text));
    CHECK(object.members().empty());
    CHECK_FALSE(object.find("a"));
  }
}

TEST_CASE("Of two members of one name the last one counts, as in Python") {
  Object object;
  REQUIRE(object.parse(R"({"a":1,"b":2,"a":3})"));
  CHECK(object.find("a") == "3");
  CHECK(object.members().size() == 3);
}

TEST_CASE("A name is found however it is escaped") {
  Object object;
  REQUIRE(
      object.parse(R"({"t\u0061sk_id":1,"\"\\\/\b\f\n\r\t":2,"\ud83c\udf2b":3,"\u00e9":4,"":5})"));
  CHECK(object.find("task_id") == "1");
  CHECK(object.find("\"\\/\b\f\n\r\t") == "2");
  CHECK(object.find("\xf0\x9f\x8c\xab") == "3");
  CHECK(object.find("\xc3\xa9") == "4");
  CHECK(object.find("") == "5");
  CHECK_FALSE(object.find("t\\u0061sk_id"));
}

TEST_CASE("A reused object forgets what it held, also when what it is given is wrong") {
  Object object;
  REQUIRE(object.parse(R"({"\u0061":1,"b":2})"));
  REQUIRE(object.parse(R"({"c":3})"));
  CHECK_FALSE(object.find("a"));
  CHECK(object.members().size() == 1);
  CHECK_FALSE(object.parse("{"));
  CHECK(object.members().empty());
}

TEST_CASE("What is no JSON object is refused, saying so") {
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  const Row rows[] = {
      {"nothing", "", "not valid JSON at byte 0"},
      {"white space", "  ", "not valid JSON"},
      {"an array", "[1]", "not a JSON object"},
      {"a number", "1", "not a JSON object"},
      {"a string", "\"{}\"", "not a JSON object"},
      {"null", "null", "not a JSON object"},
      {"no end", "{\"a\":1", "not valid JSON at byte 6"},
      {"a comma at the end", "{\"a\":1,}", "not valid JSON at byte 7"},
      {"trailing data", "{} x", "not valid JSON at byte 3"},
      {"two objects", "{}{}", "not valid JSON at byte 2"},
      {"a comment", "{/*a*/}", "not valid JSON"},
      {"a name without quotes", "{a:1}", "not valid JSON"},
      {"quotes of another kind", "{'a':1}", "not valid JSON"},
      {"not a number", "{\"a\":NaN}", "not valid JSON"},
      {"infinity", "{\"a\":-Infinity}", "not valid JSON"},
      {"a number with a leading zero", "{\"a\":01}", "not valid JSON"},
      {"a number with a plus", "{\"a\":+1}", "not valid JSON"},
      {"a number without digits behind its point", "{\"a\":1.}", "not valid JSON"},
      {"a raw line break in a string", "{\"a\":\"\n\"}", "not valid JSON"},
      {"a null byte in a string", "{\"a\":\"\0\"}"s, "not valid JSON"},
      {"an unknown escape", R"({"a":"\x"})", "not valid JSON"},
      {"half a surrogate pair", R"({"a":"\ud83c"})",
       "lone surrogate \\ud83c in field 'a' (byte 6)"},
      {"half a surrogate pair as a name", R"({"\ud83c":1})",
       "lone surrogate \\ud83c in the name of a field (byte 2)"},
      {"the other half", R"({"a":"\udf2b"})", "lone surrogate \\udf2b in field 'a' (byte 6)"},
      {"a pair with a wrong half", R"({"a":"\ud83c\u0041"})",
       "lone surrogate \\ud83c in field 'a'"},
      {"two first halves", R"({"a":"\ud83c\ud83c\udf2b"})",
       "lone surrogate \\ud83c in field 'a' (byte 6)"},
      {"half a pair behind a whole one", R"({"a":["\ud83c\udf2b\uDF2B"]})",
       "lone surrogate \\uDF2B in field 'a' (byte 19)"},
      {"a mistake before half a pair", R"({"a":x,"b":"\ud83c"})", "not valid JSON at byte 5"},
      {"an escaped backslash before what looks like half a pair", R"({"a":"\\ud83c",})",
       "not valid JSON"},
      {"a code of three digits", R"({"a":"\u12"})", "not valid JSON"},
  };
  Object object;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto parsed = object.parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::invalid);
    CAPTURE(parsed.error().message);
    CHECK(parsed.error().message.starts_with(row.says));
  }
}

TEST_CASE("Invalid UTF-8 is refused, in names as in values") {
  struct Row {
    const char* name;
    std::string bytes;
  };
  const Row rows[] = {
      {"a byte that continues nothing", "\x80"},
      {"a character that does not go on", "\xc3"},
      {"three bytes, of which one is missing", "\xe2\x82"},
      {"overlong: '/' in two bytes", "\xc0\xaf"},
      {"overlong: in three", "\xe0\x80\xaf"},
      {"a surrogate", "\xed\xa0\x80"},
      {"beyond U+10FFFF", "\xf4\x90\x80\x80"},
      {"a byte that no character has", "\xff"},
      {"Latin-1", "caf\xe9"},
  };
  Object object;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto value = object.parse("{\"a\":\"" + row.bytes + "\"}");
    REQUIRE_FALSE(value);
    CAPTURE(value.error().message);
    CHECK(value.error().message.starts_with("invalid UTF-8 in field 'a' (byte "));
    const auto name = object.parse("{\"a\":1,\"" + row.bytes + "\":1}");
    REQUIRE_FALSE(name);
    CAPTURE(name.error().message);
    CHECK(name.error().message.starts_with("invalid UTF-8 in the name of a field (byte "));
  }
  CHECK(object.parse("{\"\xc3\xa9\":\"\xf0\x9f\x8c\xab \xed\x9f\xbf \xf4\x8f\xbf\xbf\"}"));
}

TEST_CASE("Nesting may be 32 deep, arrays and objects together, and no deeper") {
  Object object;
  CHECK(object.parse("{\"a\":" + nested(31, "[", "]") + "}"));
  CHECK(object.parse(nested(32, "{\"a\":", "}")));
  for (const std::string& text :
       {"{\"a\":" + nested(32, "[", "]") + "}", nested(33, "{\"a\":", "}"),
        "{\"a\":" + nested(100'000, "[", "]") + "}"}) {
    const auto parsed = object.parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message == "field 'a': nested deeper than 32");
  }
  CHECK(object.parse("{\"a\":" + nested(1, "[[],[],[[]],", "]") + "}"));
}

TEST_CASE("What is wrong is looked for in the member where it stands") {
  struct Row {
    const char* name;
    std::string text;
    std::string says;
  };
  const std::string deep = nested(33, "[", "]");
  const Row rows[] = {
      {"behind others", "{\"a\":{\"b\":[1,\"x:,}\"]},\"c\" : \"\xff\"}",
       "invalid UTF-8 in field 'c' (byte 29)"},
      {"deep inside", "{\"a\":1,\"b\":{\"c\":[{\"d\":\"\xff\"}]}}",
       "invalid UTF-8 in field 'b' (byte 23)"},
      {"a name inside", "{\"b\":{\"\xff\":1}}", "invalid UTF-8 in field 'b' (byte 7)"},
      {"an escaped name", "{\"\\u0061\\\"\":\"\xff\"}", "invalid UTF-8 in field 'a\"' (byte 13)"},
      {"a long name", "{\"" + std::string(100, 'n') + "\":\"\xff\"}",
       "invalid UTF-8 in field '" + std::string(64, 'n') + "...' (byte 105)"},
      {"in no object", "[\"a\",\"\xff\"]", "invalid UTF-8 (byte 6)"},
      {"behind the object", "{\"a\":1}\xff", "invalid UTF-8 (byte 7)"},
      {"cut off", "{\"a\":\"\xc3", "invalid UTF-8 in field 'a' (byte 6)"},
      {"too deep in a second member", "{\"a\":[1],\"b\":" + deep + "}",
       "field 'b': nested deeper than 32"},
      {"too deep in no object", deep, "nested deeper than 32"},
      {"bad UTF-8 before it is too deep", "{\"a\":\"\xff\",\"b\":" + deep + "}",
       "invalid UTF-8 in field 'a' (byte 6)"},
      {"bad UTF-8 behind another mistake", "{\"a\":x,\"b\":\"\xff\"}",
       "not valid JSON at byte 5: syntax error"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto checked = check_value(row.text);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().message == row.says);
  }
}

TEST_CASE("The kind of a fault is told apart from its message, and the depth can be chosen") {
  CHECK_FALSE(find_fault("[[1]]", 2));
  CHECK(find_fault("[[1]]", 1).value().kind == FaultKind::too_deep);
  CHECK(find_fault("[[1]]", 1).value().message == "nested deeper than 1");
  CHECK(find_fault("[").value().kind == FaultKind::syntax);
  CHECK(find_fault("\"\xff\"").value().kind == FaultKind::not_utf8);
  CHECK(find_fault(R"("\ud800")").value().kind == FaultKind::lone_surrogate);
  CHECK_FALSE(find_fault(nested(1000, "[", "]"), 1000));
}

TEST_CASE("Numbers keep their bytes, however long or large they are") {
  Object object;
  for (const std::string number :
       {"1795412135.5189703", "1795412135.51897031", "-0", "-0.0", "1e999", "1E+2", "1e-400",
        "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1.50"}) {
    CAPTURE(number);
    const std::string text = "{\"n\":" + number + " }";
    REQUIRE(object.parse(text));
    CHECK(object.find("n") == number);
  }
}

TEST_CASE("Any single value can be checked by itself") {
  CHECK(check_value("1"));
  CHECK(check_value(" [1, \"a\"] "));
  CHECK(check_value("null"));
  CHECK_FALSE(check_value("1 2"));
  CHECK_FALSE(check_value(""));
  CHECK_FALSE(check_value("nul"));
  CHECK_FALSE(check_value("\"\xff\""));
}

}  // namespace
}  // namespace fogctl::json
