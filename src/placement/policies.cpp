#include <algorithm>
#include <array>

#include "placement/deadline.hpp"
#include "placement/in_time.hpp"
#include "placement/original.hpp"
#include "placement/placement.hpp"

namespace fogctl {

std::span<const Policy> policies() {
  static constexpr std::array<Policy, 4> table = {{
      {"original", "the original system's rule, first come first served", place_by_original_rule,
       ServingOrder::fifo, false, headroom_by_original_rule},
      {"original-edf", "the same rule, earliest start-by first", place_by_original_rule,
       ServingOrder::start_by, false, headroom_by_original_rule},
      {"deadline", "where it starts in time in 95 of 100 cases, earliest start-by first",
       place_by_deadline, ServingOrder::start_by, true, headroom_by_deadline},
      {"in-time", "like deadline; what may be late here waits at neighbours as well", place_in_time,
       ServingOrder::start_by, true, headroom_in_time, true, true},
  }};
  return table;
}

bool has_handed_on(const Candidate& neighbour, const Task& task) {
  const bool by_address = neighbour.is_original;
  const auto& path = by_address ? task.offloading_fog : task.offloading_nodes;
  return std::ranges::find(path, by_address ? neighbour.address : neighbour.node) != path.end();
}

std::string_view to_string(Site site) {
  switch (site) {
    case Site::here:
      return "here";
    case Site::neighbour:
      return "neighbour";
    case Site::cloud:
      return "cloud";
  }
  return {};
}

const Policy* find_policy(std::string_view name) {
  const auto found = std::ranges::find(policies(), name, &Policy::name);
  return found == policies().end() ? nullptr : &*found;
}

}  // namespace fogctl
