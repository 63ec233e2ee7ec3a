#include "queue/record.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace fogctl {
namespace {

constexpr std::uint8_t task_version = 3;
/// That of a result whose content is JSON, as all once were: who knows no other reads these.
constexpr std::uint8_t json_result_version = 1;
constexpr std::uint8_t base64_result_version = 2;
constexpr std::uint8_t progress_version = 1;
// A length that no sane record reaches: garbage must not make us reserve gigabytes.
constexpr std::uint32_t most_items = 1U << 20;

constexpr Duration never(-1);  // of expires

enum TaskFlag : std::uint8_t {
  uid_was_chosen = 1,
  for_the_cloud = 2,
  is_exclusive = 4,
  is_copied = 8
};
constexpr int every_flag = uid_was_chosen | for_the_cloud | is_exclusive | is_copied;

template <typename Number>
Number little_endian(Number number) {
  static_assert(std::is_unsigned_v<Number>);
  if constexpr (std::endian::native == std::endian::big) {
    Number swapped = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      swapped = static_cast<Number>(swapped << 8 | ((number >> (8 * i)) & 0xff));
    }
    return swapped;
  } else {
    return number;
  }
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <typename Number>
  void number(Number value) {
    const Number bytes = little_endian(value);
    out_.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
  }
  void real(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void length(Duration value) { number(static_cast<std::uint64_t>(value.count())); }
  void whole(int value) { number(static_cast<std::uint32_t>(value)); }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
  }

 private:
  std::string& out_;
};

// Reads what Writer wrote. After the first thing that does not fit, everything reads as empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename Number>
  Number number() {
    if (rest_.size() < sizeof(Number)) {
      fail();
      return 0;
    }
    Number bytes = 0;
    std::memcpy(&bytes, rest_.data(), sizeof(bytes));
    rest_.remove_prefix(sizeof(bytes));
    return little_endian(bytes);
  }
  double real() { return std::bit_cast<double>(number<std::uint64_t>()); }
  Duration length() { return Duration(static_cast<std::int64_t>(number<std::uint64_t>())); }
  int whole() { return static_cast<int>(number<std::uint32_t>()); }
  std::string_view text() {
    const auto size = number<std::uint32_t>();
    if (rest_.size() < size) {
      fail();
      return {};
    }
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  std::uint32_t count() {
    const auto items = number<std::uint32_t>();
    // Each item takes at least the four bytes of its length.
    if (items > most_items || items > rest_.size() / 4) fail();
    return ok_ ? items : 0;
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool ended() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Where every string of a record costs its length field.
std::size_t size_of(std::string_view text) {
  return sizeof(std::uint32_t) + text.size();
}

constexpr std::size_t task_fixed_size = 3 * sizeof(std::uint8_t)      // version, class, flags
                                        + 4 * sizeof(std::uint32_t)   // offloads, attempts
                                        + 5 * sizeof(std::uint64_t)   // durations, estimates
                                        + 3 * sizeof(std::uint32_t);  // counts of the lists
constexpr std::size_t result_fixed_size =
    3 * sizeof(std::uint8_t) + 2 * sizeof(std::uint64_t);  // version, has an error, code; durations

void read_lists(Reader& reader, Task& task) {
  for (auto* list : {&task.offloading_fog, &task.offloading_nodes}) {
    const auto items = reader.count();
    list->reserve(items);
    for (std::uint32_t i = 0; i < items; ++i) list->emplace_back(reader.text());
  }
  const auto fields = reader.count();
  task.other_fields.reserve(fields);
  for (std::uint32_t i = 0; i < fields; ++i) {
    const auto name = reader.text();
    task.other_fields.push_back({std::string(name), std::string(reader.text())});
  }
}

constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 32);
}

// FNV-1a's scheme, eight bytes a step; the length goes in first, so that no two texts that
// follow each other can be cut differently.
std::uint64_t digest(std::uint64_t hash, std::string_view text) {
  hash = mixed(hash, text.size());
  while (!text.empty()) {
    std::array<char, 8> bytes{};
    const std::size_t taken = std::min(text.size(), bytes.size());
    std::memcpy(bytes.data(), text.data(), taken);
    hash = mixed(hash, little_endian(std::bit_cast<std::uint64_t>(bytes)));
    text.remove_prefix(taken);
  }
  return hash;
}

}  // namespace

void append_record(std::string& out, const Task& task) {
  Writer writer(out);
  writer.number(task_version);
  writer.number(static_cast<std::uint8_t>(task.weight));
  writer.number(static_cast<std::uint8_t>(
      (task.uid_chosen ? uid_was_chosen : 0) | (task.cloud_processing ? for_the_cloud : 0) |
      (task.exclusive ? is_exclusive : 0) | (task.is_copy ? is_copied : 0)));
  writer.whole(task.max_offload);
  writer.whole(task.offload_times);
  writer.whole(task.max_attempts);
  writer.whole(task.attempts);
  writer.length(task.expires.value_or(never));
  writer.length(task.time_requirement);
  writer.length(task.waited);
  writer.real(task.estimated_queuing_time);
  writer.real(task.estimated_execution_time);
  for (const std::string* text : {&task.uid, &task.name, &task.content, &task.time_requirement_text,
                                  &task.sending_time, &task.distribution_time, &task.process_by}) {
    writer.text(*text);
  }
  for (const auto* list : {&task.offloading_fog, &task.offloading_nodes}) {
    writer.number(static_cast<std::uint32_t>(list->size()));
    for (const std::string& item : *list) writer.text(item);
  }
  writer.number(static_cast<std::uint32_t>(task.other_fields.size()));
  for (const RawField& field : task.other_fields) {
    writer.text(field.name);
    writer.text(field.value);
  }
}

std::size_t record_size(const Task& task) {
  std::size_t size = task_fixed_size;
  for (const std::string* text : {&task.uid, &task.name, &task.content, &task.time_requirement_text,
                                  &task.sending_time, &task.distribution_time, &task.process_by}) {
    size += size_of(*text);
  }
  for (const auto* list : {&task.offloading_fog, &task.offloading_nodes}) {
    for (const std::string& item : *list) size += size_of(item);
  }
  for (const RawField& field : task.other_fields)
    size += size_of(field.name) + size_of(field.value);
  return size;
}

Result<TaskPtr> read_task(std::string_view record) {
  Reader reader(record);
  const auto wrong = [] { return failure(ErrorCode::invalid, "not the record of a task"); };
  if (reader.number<std::uint8_t>() != task_version) return wrong();
  const auto weight = reader.number<std::uint8_t>();
  const auto flags = reader.number<std::uint8_t>();
  if (!reader.ok() || weight >= task_class_count || flags > every_flag) {
    return wrong();
  }
  auto task = std::make_shared<Task>();
  task->weight = static_cast<TaskClass>(weight);
  task->uid_chosen = (flags & uid_was_chosen) != 0;
  task->cloud_processing = (flags & for_the_cloud) != 0;
  task->exclusive = (flags & is_exclusive) != 0;
  task->is_copy = (flags & is_copied) != 0;
  task->max_offload = reader.whole();
  task->offload_times = reader.whole();
  task->max_attempts = reader.whole();
  task->attempts = reader.whole();
  if (const Duration expires = reader.length(); expires >= Duration::zero()) {
    task->expires = expires;
  }
  task->time_requirement = reader.length();
  task->waited = reader.length();
  task->estimated_queuing_time = reader.real();
  task->estimated_execution_time = reader.real();
  for (std::string* text : {&task->uid, &task->name, &task->content, &task->time_requirement_text,
                            &task->sending_time, &task->distribution_time, &task->process_by}) {
    *text = reader.text();
  }
  read_lists(reader, *task);
  if (!reader.ended()) return wrong();
  return TaskPtr(std::move(task));
}

void append_record(std::string& out, const TaskResult& result) {
  Writer writer(out);
  writer.number(result.is_base64 ? base64_result_version : json_result_version);
  writer.number(static_cast<std::uint8_t>(result.error.has_value()));
  writer.number(static_cast<std::uint8_t>(result.error ? result.error->code : TaskErrorCode{}));
  writer.length(result.execution_time);
  writer.length(result.queuing_time);
  writer.text(result.uid);
  writer.text(result.content);
  writer.text(result.node);
  writer.text(result.error ? std::string_view(result.error->message) : std::string_view());
}

std::size_t record_size(const TaskResult& result) {
  const std::string_view message = result.error ? std::string_view(result.error->message) : "";
  return result_fixed_size + size_of(result.uid) + size_of(result.content) + size_of(result.node) +
         size_of(message);
}

Result<TaskResult> read_result(std::string_view record) {
  Reader reader(record);
  const auto wrong = [] { return failure(ErrorCode::invalid, "not the record of a result"); };
  const auto version = reader.number<std::uint8_t>();
  if (version != json_result_version && version != base64_result_version) return wrong();
  const auto has_error = reader.number<std::uint8_t>();
  const auto code = reader.number<std::uint8_t>();
  if (has_error > 1 || code > static_cast<std::uint8_t>(TaskErrorCode::unauthorized)) {
    return wrong();
  }
  TaskResult result;
  result.is_base64 = version == base64_result_version;
  result.execution_time = reader.length();
  result.queuing_time = reader.length();
  for (std::string* text : {&result.uid, &result.content, &result.node}) *text = reader.text();
  const auto message = reader.text();
  if (has_error == 1) {
    result.error = TaskError{static_cast<TaskErrorCode>(code), std::string(message)};
  }
  if (!reader.ended()) return wrong();
  return result;
}

std::string progress_record(const TaskProgress& progress) {
  std::string out;
  Writer writer(out);
  writer.number(progress_version);
  writer.real(progress.share);
  writer.text(progress.uid);
  return out;
}

Result<TaskProgress> read_progress(std::string_view record) {
  Reader reader(record);
  const auto version = reader.number<std::uint8_t>();
  TaskProgress progress;
  progress.share = reader.real();
  progress.uid = reader.text();
  const bool is_share = progress.share >= 0 && progress.share <= 1;
  if (version == progress_version && is_share && reader.ended()) return progress;
  return failure(ErrorCode::invalid, "not the record of a task's progress");
}

std::uint64_t content_digest(const Task& task) {
  constexpr std::uint64_t start = 0xcbf29ce484222325ULL;
  return digest(digest(start, task.name), task.content);
}

void append_fixed(std::string& out, std::uint64_t number) {
  Writer(out).number(number);
}

std::uint64_t read_fixed(std::string_view bytes) {
  return Reader(bytes).number<std::uint64_t>();
}

}  // namespace fogctl
