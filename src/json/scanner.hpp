// Finds where one JSON object ends and the next begins in a stream of bytes, however it is cut.
// Knows strings and escapes, nothing more: an object that is otherwise wrong is still framed.
// Belongs to one thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace fogctl::json {

class ObjectScanner {
 public:
  enum class Outcome {
    object,      // one object is complete: see `begin` and `end`
    incomplete,  // the bytes end before the object does
    lost,        // a byte other than white space outside an object: framing is lost
  };
  struct Step {
    Outcome outcome = Outcome::incomplete;
    std::size_t begin = 0;  // of the object, in the bytes given; of the bad byte when lost
    std::size_t end = 0;    // one past the object
  };

  /// Goes on where the last call stopped, in the same bytes with more behind them.
  [[nodiscard]] Step next(std::string_view bytes);
  /// The first `count` bytes were taken away from in front; all of them were scanned.
  void discard(std::size_t count);

 private:
  std::size_t position_ = 0;  // where to go on, in `bytes`
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace fogctl::json
