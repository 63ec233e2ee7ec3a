#include "programs/process_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/file_descriptor.hpp"

namespace fogctl {
namespace {

std::string_view read_file(const char* path, std::array<char, 2048>& buffer) {
  const FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return {};
  const auto size = ::read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// The numbered fields of /proc/PID/stat behind the name, which may hold anything: see proc(5).
class StatFields {
 public:
  explicit StatFields(std::string_view text) {
    const auto name_end = text.rfind(')');
    if (name_end != std::string_view::npos) rest_ = text.substr(name_end + 1);
  }
  /// Fields in rising order of their number, from 3.
  std::string_view at(int number) {
    std::string_view field;
    for (; next_ <= number; ++next_) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
      field = rest_.substr(0, rest_.find(' '));
      rest_.remove_prefix(field.size());
    }
    return field;
  }
  std::uint64_t number_at(int number) {
    const std::string_view field = at(number);
    std::uint64_t value = 0;
    std::from_chars(field.data(), field.data() + field.size(), value);
    return value;
  }

 private:
  std::string_view rest_;
  int next_ = 3;
};

std::optional<ProcessEntry> read_process(pid_t pid) {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::array<char, 64> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/stat", pid);
  std::array<char, 2048> buffer;
  const std::string_view text = read_file(path.data(), buffer);
  if (text.empty()) return std::nullopt;
  StatFields fields(text);
  ProcessEntry entry;
  entry.pid = pid;
  const std::string_view state = fields.at(3);
  entry.is_dead = state == "Z" || state == "X";
  entry.parent = static_cast<pid_t>(fields.number_at(4));
  entry.session = static_cast<pid_t>(fields.number_at(6));
  std::uint64_t used = 0;
  for (const int field : {14, 15, 16, 17}) used += fields.number_at(field);  // own, and children's
  entry.cpu_time = std::chrono::nanoseconds(used * (1'000'000'000 / ticks));
  entry.threads = fields.number_at(20);
  entry.resident = fields.number_at(24) * page;
  return entry;
}

}  // namespace

std::vector<ProcessEntry> all_processes() {
  std::vector<ProcessEntry> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return all;
  while (const dirent* found = ::readdir(folder.get())) {  // NOLINT: a folder of this call's own
    const std::string_view name = found->d_name;
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 0) continue;
    if (const auto entry = read_process(pid)) all.push_back(*entry);
  }
  return all;
}

std::vector<ProcessEntry> descendants_of(pid_t ancestor, const std::vector<ProcessEntry>& all) {
  std::unordered_multimap<pid_t, const ProcessEntry*> children;
  for (const ProcessEntry& entry : all) children.emplace(entry.parent, &entry);
  std::vector<ProcessEntry> found;
  std::vector<pid_t> parents = {ancestor};
  while (!parents.empty() && found.size() <= all.size()) {
    const auto [begin, end] = children.equal_range(parents.back());
    parents.pop_back();
    for (auto child = begin; child != end; ++child) {
      found.push_back(*child->second);
      parents.push_back(child->second->pid);
    }
  }
  return found;
}

std::uint64_t proportional_memory(const ProcessEntry& process) {
  std::array<char, 64> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/smaps_rollup", process.pid);
  std::array<char, 2048> buffer;
  const std::string_view text = read_file(path.data(), buffer);
  const auto at = text.find("\nPss:");
  if (at == std::string_view::npos) {
    // Another user's is not told. One that ended meanwhile holds nothing.
    const auto now = read_process(process.pid);
    return now ? now->resident : 0;
  }
  const std::string_view rest = text.substr(text.find_first_not_of(' ', at + 5));
  std::uint64_t kilobytes = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), kilobytes);
  return kilobytes * 1024;
}

void kill_all(const std::function<std::vector<ProcessEntry>()>& look) {
  std::set<pid_t> stopped;
  for (bool found = true; found;) {
    found = false;
    for (const ProcessEntry& process : look()) {
      if (process.is_dead || !stopped.insert(process.pid).second) continue;
      ::kill(process.pid, SIGSTOP);
      found = true;
    }
  }
  for (const pid_t pid : stopped) ::kill(pid, SIGKILL);
}

}  // namespace fogctl
