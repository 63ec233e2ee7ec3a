// One keeper as its fogctl sees it: started, spoken to, and its end together with all that it
// leaves behind. Belongs to one thread at a time.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "programs/control_group.hpp"
#include "programs/keeper_messages.hpp"

namespace fogctl {

class KeeperProcess {
 public:
  /// `groups`: the folder for its control group; empty: it has none. Error: failed, saying why.
  [[nodiscard]] static Result<std::unique_ptr<KeeperProcess>> start(const std::string& groups);
  /// Ends it, and what it ran.
  ~KeeperProcess();
  KeeperProcess(const KeeperProcess&) = delete;
  KeeperProcess& operator=(const KeeperProcess&) = delete;

  /// The three files go with a Start; null: none. False: it is gone.
  [[nodiscard]] bool order(const keeper::Order& order, const std::array<int, 3>* files = nullptr);
  /// Readable when there is a word, or it is gone.
  [[nodiscard]] int socket() const { return socket_.get(); }
  /// Its next word, waited for so long. None: none came, or it is gone.
  [[nodiscard]] std::optional<keeper::Word> word(Duration patience);
  /// After a word that did not come: it was gone before it read its last order.
  [[nodiscard]] bool has_read_nothing() const { return has_read_nothing_; }
  /// Likewise: it was gone after that.
  [[nodiscard]] bool is_gone() const { return is_gone_; }

 private:
  KeeperProcess(pid_t pid, FileDescriptor socket, std::optional<ControlGroup> group);

  pid_t pid_;
  FileDescriptor socket_;
  std::optional<ControlGroup> group_;
  bool has_read_nothing_ = false;
  bool is_gone_ = false;
};

}  // namespace fogctl
