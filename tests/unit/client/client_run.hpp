// A client's run against nodes of a test, and what came of it.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/client.hpp"
#include "unit/client/fake_node.hpp"

namespace fogctl::testing {

struct RunRecord {
  Result<Report> report;
  std::vector<Outcome> outcomes;
  std::vector<std::string> notes;
};

inline RunRecord run_plan(ClientPlan plan) {
  if (plan.streams.empty()) {
    plan.streams.push_back({"echo", TaskClass::light, std::chrono::seconds(10), {}});
  }
  std::vector<Outcome> outcomes;
  std::vector<std::string> notes;
  ClientEvents events;
  events.on_outcome = [&](const Outcome& outcome) { outcomes.push_back(outcome); };
  events.on_note = [&](std::string_view note) { notes.emplace_back(note); };
  const SystemClock clock;
  auto report = run_client(plan, clock, std::move(events));
  return {std::move(report), std::move(outcomes), std::move(notes)};
}

inline RunRecord run_against(const FakeNode& node, ClientPlan plan) {
  plan.nodes = {node.address()};
  return run_plan(std::move(plan));
}

inline ClientPlan sequence(std::uint64_t count, std::uint64_t window) {
  ClientPlan plan;
  plan.pace = Sequence{count, window};
  return plan;
}

/// An address where nobody listens.
inline HostPort nobody() {
  asio::io_context io;
  const asio::ip::tcp::acceptor closed(io, {asio::ip::make_address("127.0.0.1"), 0});
  return {"127.0.0.1", closed.local_endpoint().port()};
}

}  // namespace fogctl::testing
