// A note that belongs to a task for as long as a scope lasts; reports and failures within the scope show it.
//
// Unlike a trace kept per thread, it stays with its task across awaits. Children do not inherit it.
#pragma once

#include <lockstep/base/source.hpp>

#include <string>

namespace lockstep {

class agent;

// Ends where it began: in the same task, the innermost first.
class scoped_annotation {
 public:
  // Notes `text` for the running task, or for nobody outside a task.
  explicit scoped_annotation(std::string text, source where = source::current());
  scoped_annotation(const scoped_annotation&) = delete;
  scoped_annotation& operator=(const scoped_annotation&) = delete;
  ~scoped_annotation();

  const std::string& text() const noexcept { return text_; }
  const source& where() const noexcept { return where_; }
  // The next outer one of the same task.
  const scoped_annotation* outer() const noexcept { return outer_; }

  // The innermost of the running task; null if it has none.
  static const scoped_annotation* innermost() noexcept;

 private:
  friend class agent;

  std::string text_;
  source where_;
  agent* owner_ = nullptr;
  scoped_annotation* outer_ = nullptr;
};

}  // namespace lockstep
