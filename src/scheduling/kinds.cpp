#include "scheduling/kinds.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {
namespace {

std::optional<TaskClass> class_among(const TaskKinds& kinds, std::string_view name) {
  const auto found = std::ranges::find(kinds, name, &TaskKind::name);
  return found == kinds.end() ? std::nullopt : std::optional(found->weight);
}

}  // namespace

const Kinds::Places::Link* Kinds::Places::find(PeerId link) const {
  const auto found = std::ranges::find(links, link, &Link::link);
  return found == links.end() ? nullptr : &*found;
}

Kinds::Kinds() {
  set_here(first_kinds());
}

void Kinds::set_here(TaskKinds kinds) {
  const TaskKinds before = std::exchange(here_, std::move(kinds));
  for (const TaskKind& kind : before) places_[kind.name].is_here = false;
  for (const TaskKind& kind : here_) places_[kind.name].is_here = true;
  for (const TaskKind& kind : before) remove_if_nowhere(kind.name);
}

void Kinds::set(PeerId link, TaskKinds kinds) {
  forget(link);
  for (const TaskKind& kind : kinds) {
    Places& places = places_[kind.name];
    if (places.find(link) == nullptr) places.links.push_back({link, kind.time});
    places.forget_order();
  }
  told_[link] = std::move(kinds);
}

void Kinds::forget(PeerId link) {
  const auto told = told_.find(link);
  if (told == told_.end()) return;
  const TaskKinds kinds = std::move(told->second);
  told_.erase(told);
  for (const TaskKind& kind : kinds) {
    const auto found = places_.find(kind.name);
    if (found == places_.end()) continue;  // it named the kind twice
    std::erase_if(found->second.links, [&](const auto& one) { return one.link == link; });
    found->second.forget_order();
    remove_if_nowhere(kind.name);
  }
}

const TaskKinds* Kinds::of(PeerId link) const {
  const auto told = told_.find(link);
  return told == told_.end() ? nullptr : &told->second;
}

const Kinds::Places* Kinds::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &found->second;
}

std::optional<TaskClass> Kinds::class_of(std::string_view name) const {
  auto weight = class_among(here_, name);
  for (auto told = told_.begin(); !weight && told != told_.end(); ++told) {
    weight = class_among(told->second, name);
  }
  return weight;
}

void Kinds::remove_if_nowhere(std::string_view name) {
  const auto found = places_.find(name);
  if (found == places_.end()) return;
  if (!found->second.is_here && found->second.links.empty()) places_.erase(found);
}

}  // namespace fogctl
