#include "base/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <fmt/format.h>

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

HostAddresses look_up_within(const std::string& host, Duration budget) {
  const auto found = std::make_shared<std::promise<HostAddresses>>();
  auto answer = found->get_future();
  look_up(host, [found](const HostAddresses& addresses) { found->set_value(addresses); });
  if (answer.wait_for(std::chrono::nanoseconds(budget)) == std::future_status::ready) {
    return answer.get();
  }
  return failure(ErrorCode::timed_out,
                 fmt::format("name servers did not answer in {}", format_duration(budget)));
}

}  // namespace fogctl
