#include "base/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace fogctl {
namespace {

using Done = std::function<void(const HostAddresses&)>;

struct LookupsUnderWay {
  std::mutex mutex;
  std::unordered_map<std::string, std::vector<Done>> waiting;  // by host
};

LookupsUnderWay& under_way() {
  static auto& lookups = *new LookupsUnderWay;  // threads may outlive main()
  return lookups;
}

HostAddresses ask_system(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return failure(ErrorCode::unavailable, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    const int error = ::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(),
                                    nullptr, 0, NI_NUMERICHOST);
    if (error == 0) addresses.emplace_back(text.data());
  }
  if (addresses.empty()) return failure(ErrorCode::unavailable, "it has no address");
  return addresses;
}

void tell(const std::string& host, const HostAddresses& found) {
  std::vector<Done> waiting;
  {
    LookupsUnderWay& lookups = under_way();
    const std::scoped_lock lock(lookups.mutex);
    waiting = std::move(lookups.waiting.extract(host).mapped());
  }
  for (const Done& done : waiting) done(found);
}

}  // namespace

void look_up(const std::string& host, Done done) {
  if (const auto numeric = ask_system(host, AI_NUMERICHOST)) return done(numeric);
  LookupsUnderWay& lookups = under_way();
  {
    const std::scoped_lock lock(lookups.mutex);
    const auto [entry, is_first] = lookups.waiting.try_emplace(host);
    entry->second.push_back(std::move(done));
    if (!is_first) return;
  }
  try {
    std::thread([host] { tell(host, ask_system(host, 0)); }).detach();
  } catch (const std::system_error& error) {
    tell(host, failure(ErrorCode::unavailable, error.code().message()));
  }
}

HostAddresses look_up_within(const std::string& host, Duration budget,
                             const std::atomic<Instant>* end) {
  constexpr Duration longest_wait = std::chrono::milliseconds(100);  // `end` may have been set
  const SystemClock clock;
  const Instant budget_end = clock.now() + budget;
  const auto found = std::make_shared<std::promise<HostAddresses>>();
  auto answer = found->get_future();
  look_up(host, [found](const HostAddresses& addresses) { found->set_value(addresses); });
  Duration left{};
  do {
    const bool is_cut = end != nullptr && end->load() < budget_end;
    left = (is_cut ? end->load() : budget_end) - clock.now();
    const auto step = std::chrono::nanoseconds(std::min(left, longest_wait));
    if (answer.wait_for(step) == std::future_status::ready) return answer.get();
  } while (left > longest_wait);
  if (clock.now() < budget_end) {
    return failure(ErrorCode::timed_out, "no name server answered, and no time is left");
  }
  return failure(ErrorCode::timed_out,
                 fmt::format("name servers did not answer in {}", format_duration(budget)));
}

}  // namespace fogctl
