#include "task/kinds.hpp"

namespace fogctl {

const TaskKinds& original_kinds() {
  static const TaskKinds kinds = {{"light", TaskClass::light, {}, 0},
                                  {"medium", TaskClass::medium, {}, 0},
                                  {"heavy", TaskClass::heavy, {}, 0}};
  return kinds;
}

const TaskKinds& first_kinds() {
  static const TaskKinds kinds = [] {
    TaskKinds all = original_kinds();
    for (const char* name : {"add", "echo", "sleep", "sum", "mean", "fail"}) {
      all.push_back({name, TaskClass::light, {}, 0});
    }
    return all;
  }();
  return kinds;
}

}  // namespace fogctl
