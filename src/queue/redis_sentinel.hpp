// What a sentinel says about the master that it watches. Blocks, within the connect time-out.
#pragma once

#include "base/result.hpp"
#include "queue/redis_address.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl {

/// Asks one of the address's sentinels where its master is. A sentinel with a password has the
/// same as the master. Error: the bare reason ("connection refused").
[[nodiscard]] Result<RedisEndpoint> ask_sentinel(const RedisEndpoint& sentinel,
                                                 const RedisAddress& address,
                                                 RedisTimeouts timeouts);

}  // namespace fogctl
