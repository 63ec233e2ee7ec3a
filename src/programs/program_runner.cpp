// How the tasks of one's own run in this program: under keepers of its own executable.
#include <memory>

#include "programs/child.hpp"
#include "programs/command_handlers.hpp"
#include "programs/once_handler.hpp"
#include "programs/sandbox.hpp"
#include "programs/stream_handler.hpp"

namespace fogctl {

CommandRunner program_runner() {
  // Made with the first task of one's own, for whoever has none needs none of it.
  return {[keepers = std::shared_ptr<Keepers>()](const TaskSpec& spec) mutable {
            if (!keepers) keepers = make_keepers();
            return spec.mode == RunMode::once ? once_handler(spec, keepers)
                                              : stream_handler(spec, keepers);
          },
          check_sandbox};
}

}  // namespace fogctl
