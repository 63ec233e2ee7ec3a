// Finds a fog node by multicast: asks who is there, and takes the one that answers first. Blocks
// the calling thread for a short while.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/multicast.hpp"

namespace fogctl {

struct FoundFog {
  HostPort address;
  Duration round_trip{};
};

/// Those that answered within a quarter of a second of the question, the shortest round trip first.
/// Where nobody did it is asked again, four times in all.
[[nodiscard]] std::vector<FoundFog> find_fogs(const MulticastOptions& options, const Clock& clock);

}  // namespace fogctl
