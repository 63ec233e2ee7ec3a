// The node's part about tied copies: what begins where, and queued tasks that go elsewhere.
#include <asio/post.hpp>
#include <utility>

#include "base/log.hpp"
#include "json/json.hpp"
#include "node/node.hpp"

namespace fogctl {

/// On a worker's thread. Where nothing here is a copy or has one, nobody needs to know.
void Node::on_begun(const Task& task) {
  if (!has_copies_) return;
  asio::post(io_, [this, uid = task.uid] {
    scheduler_.on_started(uid, clock_.now(), actions_);
    perform();
  });
}

void Node::on_message(PeerId peer, const wire::Started& started) {
  const auto id = json::read_integer(started.task_id);
  if (id) scheduler_.on_copy_started(peer, *id, clock_.now(), actions_);
}

void Node::on_message(PeerId peer, const wire::CancelCopy& cancel) {
  scheduler_.on_copy_cancelled(peer, cancel.uid, clock_.now(), actions_);
}

void Node::perform(TellStarted& action, LaneWork&) {
  buffer_.clear();
  wire::append_started(buffer_, action.origin.task_id);
  connections_.send(action.origin.peer, buffer_);
}

void Node::perform(CancelCopy& action, LaneWork&) {
  buffer_.clear();
  wire::append_cancel_copy(buffer_, action.uid);
  if (action.link == cloud_link) return cloud_->send_text(buffer_);
  connections_.send(action.link, buffer_);
}

void Node::perform(Withdraw& action, LaneWork& work) {
  ++withdrawing_;
  work.withdraw.push_back(std::move(action.uid));
}

void Node::on_withdrawn(const std::vector<LaneWithdrawal>& answers) {
  withdrawing_ -= answers.size();
  for (const LaneWithdrawal& one : answers) {
    WithdrawAnswer answer;
    if (!one.number) {
      answer.kind = WithdrawAnswer::Kind::unavailable;
    } else if (*one.number != 0) {
      answer = {WithdrawAnswer::Kind::away, *one.number};
    }
    scheduler_.on_withdrawn(one.uid, answer, clock_.now(), actions_);
  }
}

}  // namespace fogctl
