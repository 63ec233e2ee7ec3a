#include "work/reconciler.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fogctl {
namespace {

constexpr Duration between_looks = std::chrono::seconds(2);

}  // namespace

Result<std::vector<LeaseRef>> Reconciler::tend(Instant now) {
  std::vector<LeaseRef> wrong;
  if (std::string incarnation = queue_.incarnation(); incarnation != incarnation_) {
    const bool is_first = incarnation_.empty();
    incarnation_ = std::move(incarnation);
    if (!is_first) stage_ = Stage::first_look;
    look_at_ = now;
  }
  if (stage_ == Stage::at_rest || now < look_at_) return wrong;
  auto held = queue_.held(false);
  if (!held) return std::unexpected(held.error());
  std::vector<LeaseRef> unknown = pool_.unknown_of(std::move(*held));
  if (stage_ == Stage::first_look) {
    suspects_ = std::move(unknown);
    stage_ = suspects_.empty() ? Stage::at_rest : Stage::second_look;
    look_at_ = now + between_looks;
    return wrong;
  }
  stage_ = Stage::at_rest;
  std::ranges::copy_if(unknown, std::back_inserter(wrong), [&](const LeaseRef& lease) {
    return std::ranges::find(suspects_, lease) != suspects_.end();
  });
  return wrong;
}

}  // namespace fogctl
