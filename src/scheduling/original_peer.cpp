#include "scheduling/original_peer.hpp"

#include <algorithm>

namespace fogctl {
namespace {

constexpr std::size_t longest_object = 1400;
/// The message without what is counted below; every number at its longest.
constexpr std::size_t fixed_part = 700;

/// Bytes of `text` once it is made ASCII: an escape has at most 6.
std::size_t written_size(std::string_view text) {
  const auto plain = std::ranges::count_if(
      text, [](char c) { return c >= 0x20 && c < 0x7F && c != '{' && c != '}'; });
  return text.size() * 6 - static_cast<std::size_t>(plain) * 5;
}

}  // namespace

std::size_t largest_message(const Task& task) {
  std::size_t size = fixed_part + written_size(task.content) + task.time_requirement_text.size() +
                     task.sending_time.size() + task.distribution_time.size();
  for (const auto* list : {&task.offloading_fog, &task.offloading_nodes}) {
    for (const std::string& item : *list) size += written_size(item) + 3;
  }
  for (const RawField& field : task.other_fields) {
    size += written_size(field.name) + written_size(field.value) + 4;
  }
  return size;
}

bool original_peer_takes(const Task& task) {
  return parse_task_class(task.name) && largest_message(task) <= longest_object;
}

}  // namespace fogctl
