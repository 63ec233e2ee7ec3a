#include "base/open_files.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace fogctl {
namespace {

rlimit limit_now() {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit;
}

TEST_CASE("The limit on open files is raised as far as may be, and given back to a child") {
  const rlimit before = limit_now();
  const rlimit low{200, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);

  const std::size_t raised = raise_open_files();
  CHECK(raised == std::min<rlim_t>(before.rlim_max, 1'048'576));
  CHECK(limit_now().rlim_cur == raised);
  CHECK(limit_now().rlim_max == before.rlim_max);
  CHECK(raise_open_files() == raised);

  restore_open_files(::getpid());
  CHECK(limit_now().rlim_cur == 200);
  CHECK(limit_now().rlim_max == before.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

}  // namespace
}  // namespace fogctl
