#include "queue/redis_news.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "queue/record.hpp"

namespace fogctl {
namespace {

constexpr Doing waiting{"wait for news"};
constexpr Duration longest_pause = std::chrono::milliseconds(50);

// The id that follows "1700000000000-7" in a stream.
std::string id_after(std::string_view id) {
  const auto dash = id.find('-');
  if (dash == std::string_view::npos) return std::string(id);
  std::uint64_t sequence = 0;
  std::from_chars(id.data() + dash + 1, id.data() + id.size(), sequence);
  return std::string(id.substr(0, dash + 1)) + std::to_string(sequence + 1);
}

}  // namespace

RedisNews::RedisNews(RedisCaller& caller, std::string replies_key, std::string wake_key)
    : caller_(caller), replies_key_(std::move(replies_key)), wake_key_(std::move(wake_key)) {}

Result<QueueNews> RedisNews::wait(Duration at_most) {
  QueueNews news;
  // A wait is made of shorter ones, so that a server which vanished without a word is noticed.
  const Duration longest =
      std::max<Duration>(caller_.timeouts().call / 2, std::chrono::milliseconds(1));
  Duration left = at_most;
  while (!interrupted_) {
    const Duration block = std::clamp<Duration>(left, Duration{}, longest);
    const Instant before = caller_.clock().now();
    const auto found = look(block, news);
    if (!found) {
      disconnect();
      if (interrupted_) break;
      return std::unexpected(found.error());
    }
    const Duration took = caller_.clock().now() - before;
    if (*found || took >= left) break;
    pause(block - took);
    left -= caller_.clock().now() - before;
  }
  return news;
}

void RedisNews::interrupt() {
  interrupted_ = true;
  const std::lock_guard lock(mutex_);
  if (connection_) connection_->interrupt();
  interruption_.notify_all();
}

/// For what is left of a look that came back too soon: a server that answers at once with nothing
/// is not asked in a busy loop.
void RedisNews::pause(Duration left) {
  if (left <= Duration{}) return;
  std::unique_lock lock(mutex_);
  interruption_.wait_for(lock, std::min<Duration>(left, longest_pause),
                         [this] { return interrupted_.load(); });
}

void RedisNews::reconnect() {
  const std::lock_guard lock(mutex_);
  if (connection_) connection_->interrupt();
}

Result<void> RedisNews::connect() {
  auto session = caller_.open_session(waiting);
  if (!session) return std::unexpected(session.error());
  if (session->run_id != run_id_) {
    // A server that came back with less may have counted its streams anew.
    run_id_ = session->run_id;
    last_wake_ = "0-0";
  }
  const std::lock_guard lock(mutex_);
  connection_ = std::move(session->connection);
  session_ = std::move(*session);
  if (interrupted_) connection_->interrupt();
  return {};
}

void RedisNews::disconnect() {
  const std::lock_guard lock(mutex_);
  connection_.reset();
}

// One look, blocking so long; false: no news.
Result<bool> RedisNews::look(Duration block, QueueNews& news) {
  if (connection_ && session_.generation != caller_.generation()) disconnect();
  if (!connection_) {
    if (auto connected = connect(); !connected) return std::unexpected(connected.error());
  }
  const auto failed = [&](const Error& why) {
    return std::unexpected(caller_.cannot(waiting, why));
  };
  std::optional<RedisReply> refusal;
  const bool trims = !first_to_keep_.empty();
  if (trims) {
    const std::string_view trim[] = {"XTRIM", replies_key_, "MINID", first_to_keep_};
    connection_->append(trim);
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(block).count();
  RedisArguments read;
  if (ms > 0) {  // BLOCK 0 waits for ever
    read.add("BLOCK");
    read.add_number(ms);
  }
  read.add("STREAMS");
  read.add(replies_key_);
  read.add(wake_key_);
  read.add("0-0");
  read.add(last_wake_);
  connection_->append({"XREAD", "COUNT", "1000"}, read);
  if (trims) {
    const auto trimmed = connection_->read();
    if (!trimmed) return failed(trimmed.error());
    // Nothing is trimmed where nothing may be written: the same replies would come again.
    if (trimmed->is_error()) refusal = *trimmed;
  }
  const auto streams = connection_->read();
  if (!streams) return failed(streams.error());
  if (streams->is_error()) refusal = *streams;
  if (refusal) {
    if (!caller_.follow(*refusal, session_)) return failed(error_of(*refusal));
    return false;  // the next look is at the node that owns the slot
  }
  first_to_keep_.clear();
  for (std::size_t i = 0; i < streams->size(); ++i) {
    const RedisReply stream = (*streams)[i];
    const RedisReply entries = stream[1];
    if (stream[0].text() == replies_key_) {
      read_replies(entries, news);
    } else if (entries.size() > 0) {
      last_wake_ = entries[entries.size() - 1][0].text();
      news.work = true;
    }
  }
  return news.work || !news.replies.empty() || !news.progress.empty() || !news.cancelled.empty();
}

void RedisNews::read_replies(const RedisReply& entries, QueueNews& news) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const RedisReply fields = entries[i][1];
    for (std::size_t k = 1; k < fields.size(); k += 2) {
      if (fields[k - 1].text() == "c") {
        news.cancelled.emplace_back(fields[k].text());
        continue;
      }
      if (fields[k - 1].text() == "p") {
        if (auto progress = read_progress(fields[k].text())) {
          news.progress.push_back(std::move(*progress));
        }
        continue;
      }
      // What cannot be read is of another version: nobody here could ever deliver it.
      if (auto result = read_result(fields[k].text())) news.replies.push_back(std::move(*result));
    }
    first_to_keep_ = id_after(entries[i][0].text());
  }
}

}  // namespace fogctl
