#include "cli/options.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/log.hpp"

namespace fogctl::cli {
namespace {

/// A file that is gone when the test ends.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int fd = ::mkstemp(path_.data());
    if (fd >= 0) ::close(fd);
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/fogctl-options-XXXXXX";
};

TEST_CASE("a Redis is named by host and port, by one address, or by its socket") {
  RedisFlags flags;
  CHECK(redis_address(flags)->display() == "127.0.0.1:6379");
  flags.host = "10.0.0.7";
  flags.port = 6380;
  CHECK(redis_address(flags)->display() == "10.0.0.7:6380");
  flags.address = "cloud.lab:7000";
  CHECK(redis_address(flags)->display() == "cloud.lab:7000");
  flags.address = "/run/redis.sock";
  CHECK(redis_address(flags)->display() == "/run/redis.sock");
}

TEST_CASE("a Redis is named by the sentinels that know its master") {
  RedisFlags flags;
  flags.address = "sentinel://10.0.0.1:26379,[::1]:26380/my-master.1";
  const auto address = redis_address(flags);
  REQUIRE(address);
  CHECK(address->sentinels == std::vector<RedisEndpoint>{{"10.0.0.1", 26379}, {"::1", 26380}});
  CHECK(address->master == "my-master.1");
  CHECK(address->display() == flags.address);
}

TEST_CASE("an address of a Redis that is none is refused") {
  const std::string wrong[] = {
      "redis.lab",          "redis://10.0.0.7:6379",     "10.0.0.7:0",      "h:70000",
      "run/redis.sock",     "/" + std::string(107, 'x'), "sentinel://",     "sentinel:///m",
      "sentinel://h:1",     "sentinel://h:1/",           "sentinel://h/m",  "sentinel://h:1,/m",
      "sentinel://h:1/a b", "sentinel://h:0/m",          "Sentinel://h:1/m"};
  for (const std::string& text : wrong) {
    CAPTURE(text);
    RedisFlags flags;
    flags.address = text;
    const auto address = redis_address(flags);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::invalid);
    CHECK(address.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("the password comes from its file, else from the environment") {
  constexpr const char* variable = "FOGCTL_REDIS_PASSWORD";
  RedisFlags flags;
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe)
  CHECK(redis_address(flags)->password.empty());
  ::setenv(variable, "from the environment", 1);  // NOLINT(concurrency-mt-unsafe)
  CHECK(redis_address(flags)->password == "from the environment");
  const TemporaryFile file("from the file \r\nanother line\n");
  flags.password_file = file.path();
  CHECK(redis_address(flags)->password == "from the file ");
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe)
}

TEST_CASE("a password file that gives none is an error that names it") {
  const TemporaryFile empty("\n");
  for (const std::string& path : {empty.path(), std::string("/nowhere/pw"), std::string("/tmp")}) {
    CAPTURE(path);
    RedisFlags flags;
    flags.password_file = path;
    const auto address = redis_address(flags);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::failed);
    CHECK(address.error().message.find(path) != std::string::npos);
  }
}

TEST_CASE("flags are read and checked while parsing") {
  Duration lease = std::chrono::seconds(5);
  std::string backend = "redis";
  double share = 0;
  std::size_t size = 0;
  CLI::App app;
  add_duration(app, "--lease", lease, "lease");
  add_choice(app, "--backend", backend, {"redis", "memory"}, "where");
  add_number(app, "--share", share, {0.0, 100.0}, "percent");
  add_size(app, "--size", size, {1024, std::size_t{64} << 20}, "bytes");
  add_log_level(app);
  app.parse("--lease 250ms --backend memory --share 99.5 --size 64MiB --log-level error");
  CHECK(lease == std::chrono::milliseconds(250));
  CHECK(backend == "memory");
  CHECK(share == doctest::Approx(99.5));
  CHECK(size == std::size_t{64} << 20);
  CHECK_FALSE(is_logged(LogLevel::warning));
  set_log_level(LogLevel::info);
  for (const char* line :
       {"--lease 5x", "--lease=-1s", "--backend disk", "--share nan", "--share 101", "--share 1e",
        "--size 65MiB", "--size 1KB", "--size 1000", "--log-level 3"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(app.parse(line), CLI::ValidationError);
  }
  app.parse("--size 4096");
  CHECK(size == 4096);
}

}  // namespace
}  // namespace fogctl::cli
