// What a second signal does to a program that is already stopping. Main thread.
#pragma once

namespace fogctl {

/// From now on SIGINT and SIGTERM end the process at once, with 128 + their number, whatever any
/// thread waits for.
void end_at_next_signal();

}  // namespace fogctl
