// The test runner: doctest's own, unless this is a keeper that a test started.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>

#include "programs/keeper.hpp"

int main(int argc, char** argv) {
  if (const auto code = fogctl::run_if_keeper(argc, argv)) return *code;
  std::signal(SIGPIPE, SIG_IGN);  // as fogctl does
  return doctest::Context(argc, argv).run();
}
