// Several exceptions as one: what a group of tasks throws when some of them failed. It loses none.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace lockstep {

// In the order in which they failed. Catch it, look through exceptions(), and throw on what you cannot deal with.
// Source: PEP 654.
class exception_group : public std::exception {
 public:
  // Requires at least one.
  explicit exception_group(std::vector<std::exception_ptr> all);

  // "2 tasks failed: connection refused; no such file". Shorter if there was no memory for that.
  const char* what() const noexcept override { return text_.empty() ? "some tasks failed" : text_.c_str(); }
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return all_; }

 private:
  void describe();

  std::vector<std::exception_ptr> all_;
  std::string text_;
};

// Whether an exception is an E, or derives from it. Requires one.
template <class E>
bool holds(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

// What an exception says of itself: what() of a std::exception, "(no text)" if that is null; a description of anything
// else.
std::string text_of(const std::exception_ptr& thrown);

}  // namespace lockstep
