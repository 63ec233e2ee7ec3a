// Looks up the addresses of hosts, each on a thread that nobody has to wait for: the system's own
// look-up cannot be ended, and takes as long as a name server does not answer. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace fogctl {

/// In numbers ("10.0.0.7", "fe80::1%eth0"), in the order in which to try them; one at least.
/// Error: unavailable ("Name or service not known"), also where the name does not exist: a name
/// server may learn it.
using HostAddresses = Result<std::vector<std::string>>;

/// Calls `done` once: at once where `host` is an address, else on another thread, which may outlive
/// the caller. Whoever asks for a name that is being looked up is told with the first.
void look_up(const std::string& host, std::function<void(const HostAddresses&)> done);

/// Waits for it, no longer than until `end`, which may be set meanwhile; null: there is none. The
/// usual budget leaves time for a second name server, which is asked after 5 s.
/// Error: as above, and timed_out: "name servers did not answer in 10s".
[[nodiscard]] HostAddresses look_up_within(const std::string& host,
                                           Duration budget = std::chrono::seconds(10),
                                           const std::atomic<Instant>* end = nullptr);

}  // namespace fogctl
