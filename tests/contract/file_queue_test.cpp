// What only the queue in a file promises: one process has it, a wrong file is left alone, and a
// full disk costs nothing.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "contract/dead_tasks.hpp"
#include "queue/sqlite.hpp"

namespace fogctl::contract {
namespace {

Error refused(const FileQueueOptions& options) {
  const auto store = FileStore::open(options, system_clock());
  REQUIRE_FALSE(store.has_value());
  CAPTURE(store.error().message);
  CHECK(store.error().message.find(options.path) != std::string::npos);
  return store.error();
}

bool says(const Error& error, const std::string& words) {
  return error.message.find(words) != std::string::npos;
}

/// A clock whose wall is moved by hand.
class MovedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return system_clock().now(); }
  [[nodiscard]] WallTime wall_now() const override { return system_clock().wall_now() + moved; }
  Duration moved{};
};

/// As long as it lives.
class NoFileBeyond {
 public:
  explicit NoFileBeyond(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_) == 0);
    const rlimit limited{bytes, old_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~NoFileBeyond() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  NoFileBeyond(const NoFileBeyond&) = delete;
  NoFileBeyond& operator=(const NoFileBeyond&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

}  // namespace

TEST_CASE("file queue: closed in order it leaves one file, and that is all of it") {
  const ScratchFolder folder;
  {
    FileQueue queue(open_file(file_options(folder)), "a");
    enqueue(queue, {{.uid = "t", .content = "[1]"}});
    CHECK(std::filesystem::exists(file_options(folder).path + ".lock"));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  std::filesystem::rename(file_options(folder).path, folder.path() / "moved");
  auto options = file_options(folder);
  options.path = folder.path() / "moved";
  FileQueue queue(open_file(options), "b");
  const auto leases = lease(queue, 1);
  REQUIRE(uids(leases) == Names{"t"});
  CHECK(leases[0].task->content == "[1]");
}

TEST_CASE("file queue: opened again it knows how much it holds, and counts where it was not told") {
  const ScratchFolder folder;
  const auto options = file_options(folder);
  {
    FileQueue queue(open_file(options), "a");
    enqueue(queue, {{.uid = "queued", .weight = TaskClass::medium},
                    {.uid = "leased", .weight = TaskClass::heavy},
                    {.uid = "away", .away = true},
                    {.uid = "delayed"},
                    {.uid = "dead"},
                    {.uid = "done", .chosen = true}});
    for (const Lease& one : lease(queue, 5)) {
      const std::string& uid = one.task->uid;
      if (uid == "queued") must(queue.give_back(std::vector{ref(one)}, start()));
      if (uid == "delayed") must(queue.retry(std::vector{Retry{ref(one), start() + 1h}}, start()));
      if (uid == "done") finish(queue, std::vector{finished(one)});
      if (uid == "dead") finish(queue, std::vector{dead(one, 3)});
    }
  }
  const auto load_of_file = [&] {
    FileQueue queue(open_file(options), "b");
    return must(queue.load(start()));
  };
  const QueueLoad told = load_of_file();
  CHECK(told.queued == std::array<std::size_t, 3>{1, 1, 1});
  CHECK(sum(told.leased) + told.away == 0);
  CHECK(told.delayed == 1);
  CHECK(told.dead == 1);
  CHECK(told.dead_bytes > 50);
  must(sqlite::Database::open(options.path))->execute("UPDATE file SET counts = NULL");
  const QueueLoad counted = load_of_file();
  CHECK(counted.queued == told.queued);
  CHECK(counted.delayed == told.delayed);
  CHECK(counted.dead == told.dead);
  CHECK(counted.dead_bytes == told.dead_bytes);
  CHECK(counted.bytes == told.bytes);
}

TEST_CASE("file queue: the dead that wider bounds kept go some at a time, and grow no more") {
  const ScratchFolder folder;
  {
    FileQueue wide(open_file(file_options(folder)), "a");
    for (int i = 0; i < 250; ++i) die(wide, "t" + std::to_string(i), 1'000, start() + i * 1ms);
  }
  QueueLimits narrow;
  SUBCASE("by bytes") {
    narrow.max_dead_bytes = 10'000;
  }
  SUBCASE("by number") {
    narrow.max_dead = 8;
  }
  FileQueue queue(open_file(file_options(folder, narrow)), "b");
  die(queue, "n0", 1'000, start() + 1s);
  CHECK(must(queue.load(start())).dead == 250);
  must(queue.recover_expired(start()));
  CHECK(must(queue.load(start())).dead == 150);
  for (int i = 0; i < 2; ++i) must(queue.recover_expired(start()));
  CHECK(must(queue.load(start())).dead == 8);
  CHECK(dead_uids(queue, 2) == Names{"n0", "t249"});
}

TEST_CASE("file queue: its time goes on where it was, whatever the wall clock says") {
  const ScratchFolder folder;
  MovedClock clock;
  {
    auto store = FileStore::open(file_options(folder), clock);
    REQUIRE(store.has_value());
    FileQueue queue(*store, "a");
    enqueue(queue, {{.uid = "t", .chosen = true}, {.uid = "u", .start_by = 30s}});
    finish(queue, lease(queue, 1));
    finish(queue, lease(queue, 1));
    enqueue(queue, {{.uid = "v", .start_by = 30s}, {.uid = "w", .start_by = 7200s}});
    must(queue.leave(system_clock().now()));
  }
  SUBCASE("an hour back") {
    clock.moved = -1h;
  }
  SUBCASE("ten years back") {
    clock.moved = -10 * 365 * 24h;
  }
  auto store = FileStore::open(file_options(folder), clock);
  REQUIRE(store.has_value());
  FileQueue queue(*store, "b");
  // Half a minute later it is late, and comes behind; its result is kept for its hour.
  CHECK(uids(lease(queue, 2, start() + 31s)) == Names{"w", "v"});
  CHECK(must(queue.kept_result("t", start() + 59min)).has_value());
  CHECK_FALSE(must(queue.kept_result("t", start() + 61min)).has_value());
}

TEST_CASE("file queue: a second process is refused, and told whose it is") {
  const ScratchFolder folder;
  int ready[2], leave[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(leave) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open_file(file_options(folder));
    char word = 'r';
    [[maybe_unused]] const auto written = ::write(ready[1], &word, 1);
    [[maybe_unused]] const auto read = ::read(leave[0], &word, 1);
    ::raise(SIGKILL);
  }
  char word = 0;
  REQUIRE(::read(ready[0], &word, 1) == 1);
  const Error error = refused(file_options(folder));
  CHECK(error.code == ErrorCode::in_use);
  CHECK(says(error, "process " + std::to_string(child)));
  REQUIRE(::write(leave[1], &word, 1) == 1);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  (void)open_file(file_options(folder));  // its lock went with it
  for (const int descriptor : {ready[0], ready[1], leave[0], leave[1]}) ::close(descriptor);
}

TEST_CASE("file queue: what is no queue file is refused and left as it is") {
  const ScratchFolder folder;
  auto options = file_options(folder);
  SUBCASE("text") {
    const std::string text(5000, 'x');
    std::ofstream(options.path) << text;
    CHECK(says(refused(options), "not a database"));
    CHECK(std::filesystem::file_size(options.path) == text.size());
  }
  SUBCASE("an SQLite file of something else") {
    {
      auto other = sqlite::Database::open(options.path);
      REQUIRE(other.has_value());
      (*other)->execute("CREATE TABLE notes(text)");
    }
    CHECK(refused(options).code == ErrorCode::invalid);
    CHECK(sqlite::Database::open(options.path).value()->number("SELECT count(*) FROM notes") == 0);
  }
  SUBCASE("a queue file of a newer version") {
    (void)open_file(options);
    {
      auto newer = sqlite::Database::open(options.path);
      (*newer)->execute("PRAGMA user_version = 99");
    }
    const Error error = refused(options);
    CHECK(error.code == ErrorCode::invalid);
    CHECK(says(error, "version 99"));
  }
  SUBCASE("a folder") {
    options.path = folder.path();
    (void)refused(options);
  }
  SUBCASE("in a folder that is not there") {
    options.path = folder.path() / "no" / "queue";
    CHECK(says(refused(options), "No such file or directory"));
  }
}

TEST_CASE("file queue: a link to a file is another name of it, also before the file is there") {
  namespace fs = std::filesystem;
  const ScratchFolder folder;
  const fs::path target = folder.path() / "there" / "queue";
  const fs::path link = folder.path() / "links" / "link";
  fs::create_directories(target.parent_path());
  fs::create_directories(link.parent_path());
  fs::create_symlink("../there/queue", link.parent_path() / "step");
  fs::create_symlink(link.parent_path() / "step", link);
  auto by_link = file_options(folder);
  by_link.path = link;
  auto by_target = by_link;
  by_target.path = target;
  {
    FileQueue queue(open_file(by_link), "a");
    enqueue(queue, {{.uid = "t"}});
    CHECK(fs::file_size(target.string() + "-wal") >= 2 << 20);
    CHECK(fs::exists(target.string() + ".lock"));
    CHECK(std::distance(fs::directory_iterator(link.parent_path()), {}) == 2);
    CHECK(says(refused(by_target), "it is in use by process"));
  }
  const auto store = open_file(by_target);
  const auto second = FileStore::open(by_link, system_clock());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::in_use);
  FileQueue queue(store, "b");
  CHECK(uids(lease(queue, 1)) == Names{"t"});
}

TEST_CASE("file queue: links that lead to themselves are refused") {
  const ScratchFolder folder;
  const auto options = file_options(folder);
  std::filesystem::create_symlink("queue", options.path);
  CHECK(says(refused(options), "unable to open"));
}

TEST_CASE("file queue: a file that may only be read is refused as that") {
  const ScratchFolder folder;
  const auto options = file_options(folder);
  (void)open_file(options);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::filesystem::permissions(options.path, std::filesystem::perms{0444});
  const uid_t user = ::geteuid();
  if (user == 0) REQUIRE(::seteuid(65534) == 0);  // root may write it all the same
  const Error error = refused(options);
  REQUIRE(::seteuid(user) == 0);
  CHECK(error.code == ErrorCode::unauthorized);
  CHECK(says(error, options.path + ": it may be read, and not written"));
}

TEST_CASE(
    "file queue: where its file was removed or replaced it takes no task, and ends what it has") {
  namespace fs = std::filesystem;
  const ScratchFolder folder;
  const std::string path = file_options(folder).path;
  FileQueue queue(open_file(file_options(folder)), "a");
  enqueue(queue, {{.uid = "1"}});
  must(queue.probe());
  SUBCASE("removed") {
    fs::remove(path);
  }
  SUBCASE("replaced") {
    fs::rename(path, path + ".old");
    std::ofstream(path) << "another";
  }
  const auto refused = queue.enqueue(make_all({{.uid = "2"}}), up_to(0), start());
  REQUIRE_FALSE(refused.has_value());
  CHECK(is_transient(refused.error()));
  CHECK(says(refused.error(), "queue file " + path + " was removed"));
  CHECK_FALSE(queue.probe().has_value());
  CHECK(finish(queue, lease(queue, 9)) == std::vector{FinishStatus::done});
}

TEST_CASE(
    "file queue: without room it takes no new task and ends what it has, until there is room") {
  const ScratchFolder folder;
  FileQueue queue(open_file(file_options(folder)), "a");
  enqueue(queue, {{.uid = "before", .chosen = true}, {.uid = "held"}, {.uid = "away"}});
  const auto before = must(queue.load(start()));
  const auto big = make_all({{.uid = "1", .content = std::string(2'000'000, 'x')},
                             {.uid = "2", .content = std::string(2'000'000, 'x')},
                             {.uid = "3", .away = true}});
  {
    // No file of this process may grow beyond this: writing fails as it does on a full disk.
    const NoFileBeyond limit(2'200'000);
    const auto refused = must(queue.enqueue(big, {}, start()));
    CHECK(statuses(refused) == std::vector{no_room, no_room, no_room});
    CHECK(refused.outcomes[0].why.find(file_options(folder).path) != std::string::npos);
    const auto after = must(queue.load(start()));
    CHECK(after.queued == before.queued);
    CHECK(after.bytes == before.bytes);
    CHECK(after.away == 0);
    CHECK(statuses(must(queue.enqueue(make_all({{.uid = "held", .arrival = 1s}, {.uid = "new"}}),
                                      {}, start()))) == std::vector{duplicate, no_room});

    auto leases = lease(queue, 2);
    REQUIRE(leases.size() == 2);
    must(queue.started(std::vector{ref(leases[1])}, start()));
    must(queue.give_back(std::vector{ref(leases[1])}, start()));
    CHECK(must(queue.withdraw(std::vector<std::string>{"away"}, start())) != std::vector{0U});
    // One result that fits into no reserve, and is not kept.
    const auto ends = finish(queue, {finished(leases[0], std::string(3'000'000, 'r'))});
    CHECK(ends == std::vector{FinishStatus::done});
    CHECK_FALSE(must(queue.kept_result("before", start())).has_value());
    CHECK(finish(queue, lease(queue, 9)) == std::vector{FinishStatus::done});
  }
  const auto taken = [&] {
    (void)must(queue.load(system_clock().now()));
    return statuses(must(queue.enqueue(big, up_to(9), start()))) ==
           std::vector{leased, leased, leased};
  };
  bool is_taken = taken();
  for (int look = 0; look < 3000 && !is_taken; ++look) {
    std::this_thread::sleep_for(10ms);
    is_taken = taken();
  }
  CHECK(is_taken);
  CHECK(must(queue.load(start())).away == 2);
}

TEST_CASE("file queue: without room for a new task it has some for a result that is kept") {
  const ScratchFolder folder;
  const auto options = file_options(folder);
  int sent = 0;
  const auto enqueue_some = [&sent](TaskQueue& queue) {
    std::vector<TaskSpec> specs;
    for (int end = sent + 16; sent < end; ++sent) {
      specs.push_back({.uid = std::to_string(sent), .chosen = true});
      specs.back().content.assign(4000, 'x');
    }
    return statuses(enqueue(queue, specs)) == std::vector(specs.size(), no_room);
  };
  {
    FileQueue queue(open_file(options), "a");
    while (std::filesystem::file_size(options.path) < (2U << 20U)) {
      REQUIRE_FALSE(enqueue_some(queue));
    }
  }
  FileQueue queue(open_file(options), "b");  // with a journal that is empty
  const NoFileBeyond limit(2'200'000);
  while (!enqueue_some(queue)) REQUIRE(sent < 1000);
  const auto first = lease(queue, 1);
  REQUIRE(first.size() == 1);
  CHECK(finish(queue, {finished(first[0], std::string(300'000, 'r'))}) ==
        std::vector{FinishStatus::done});
  CHECK(must(queue.kept_result(first[0].task->uid, start())).has_value());
}

}  // namespace fogctl::contract
