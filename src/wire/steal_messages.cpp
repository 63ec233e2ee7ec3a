// What nodes say to each other of stealing: one with a free worker asks for a task, and gets none.
// A task that it gets says so itself.
#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

constexpr std::string_view a_request = "a whole number from 1 on";

bool read_request(std::int64_t& request, std::string_view value) {
  const auto number = json::read_integer(value);
  request = number.value_or(0);
  return request > 0;
}

constexpr Field<Steal> steal_fields[] = {
    {"request", [](Steal& s, std::string_view v) { return read_request(s.request, v); }, a_request},
    {"workers",
     [](Steal& s, std::string_view v) { return read_count(s.workers, v) && s.workers > 0; },
     "a whole number from 1 to 1000000000"},
};
constexpr Field<StealRefused> refused_fields[] = {
    {"request", [](StealRefused& s, std::string_view v) { return read_request(s.request, v); },
     a_request},
    {"retry_after",
     [](StealRefused& s, std::string_view v) { return read_seconds(s.retry_after, v); },
     "seconds, a finite number >= 0"},
};

template <typename Kind>
Result<Message> read(const json::Object& object, std::span<const Field<Kind>> of_kind) {
  Kind message;
  auto wrong = read_fields<Kind>(object, of_kind, message, [](const auto&) {});
  if (!wrong && message.request == 0) wrong = wrong_field("request", a_request, "null");
  if (wrong) return failure(ErrorCode::invalid, *wrong);
  return message;
}

}  // namespace

Result<Message> read_steal(const json::Object& object) {
  return read<Steal>(object, steal_fields);
}

Result<Message> read_steal_refused(const json::Object& object) {
  return read<StealRefused>(object, refused_fields);
}

void append_steal(std::string& out, const Steal& steal) {
  ObjectWriter writer(out);
  writer.text("message_type", "steal");
  json::append_integer(writer.begin("request"), steal.request);
  writer.count("workers", static_cast<std::uint64_t>(steal.workers));
  writer.end();
  out += '\n';
}

void append_steal_refused(std::string& out, const StealRefused& refused) {
  ObjectWriter writer(out);
  writer.text("message_type", "steal_refused");
  json::append_integer(writer.begin("request"), refused.request);
  writer.number("retry_after", to_seconds(refused.retry_after));
  writer.end();
  out += '\n';
}

}  // namespace fogctl::wire
