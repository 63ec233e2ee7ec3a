#include "scheduling/predictions.hpp"

#include <algorithm>
#include <cmath>

namespace fogctl {

void PredictionError::add(Duration error) {
  const double seconds = to_seconds(error);
  ++tasks_;
  const double before = seconds - mean_;
  mean_ += before / static_cast<double>(tasks_);
  squares_ += before * (seconds - mean_);
}

Duration PredictionError::spread() const {
  if (tasks_ < 2) return {};
  return from_seconds(std::sqrt(squares_ / static_cast<double>(tasks_ - 1)));
}

void Predictions::add(std::string_view task_name, Site site, PeerId link, Duration error) {
  if (site == Site::here) here_.add(error);
  if (site == Site::cloud) cloud_.add(error);
  if (site == Site::neighbour) links_[link].add(error);
  auto found = names_.find(task_name);
  if (found == names_.end()) {
    if (names_.size() == most_names) forget_oldest();
    found = names_.emplace(task_name, Named{}).first;
  }
  found->second.error.add(error);
  found->second.added = ++additions_;
}

void Predictions::forget_oldest() {
  names_.erase(
      std::ranges::min_element(names_, {}, [](const auto& one) { return one.second.added; }));
}

PredictionError Predictions::of_link(PeerId link) const {
  const auto found = links_.find(link);
  return found == links_.end() ? PredictionError{} : found->second;
}

std::map<std::string, PredictionError> Predictions::of_names() const {
  std::map<std::string, PredictionError> names;
  for (const auto& [name, named] : names_) names.emplace(name, named.error);
  return names;
}

}  // namespace fogctl
