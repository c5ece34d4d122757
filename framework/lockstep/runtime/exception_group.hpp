// Several exceptions as one: what a group of tasks throws when some of them failed. It loses none.
//
// Groups nest: a group of tasks within another one fails with a group of its own. What is asked of a group by type is
// asked of the exceptions in it and in the groups within, at any depth; what comes back is nested as it was.
//
//   } catch (const exception_group& failed) {
//     const auto rest = failed.visit<timed_out>([&](const timed_out& why) { log(why.what()); });
//     if (rest) throw *rest;
//   }
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

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

// In the order in which they failed. Catch it, look through exceptions(), and throw on what you cannot deal with.
// Source: PEP 654.
class exception_group : public std::exception {
 public:
  // Requires at least one.
  explicit exception_group(std::vector<std::exception_ptr> all);

  // "2 tasks failed: connection refused; no such file"; a group within this one stands in parentheses.
  // Shorter if there was no memory for that.
  const char* what() const noexcept override { return text_.empty() ? "some tasks failed" : text_.c_str(); }
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return all_; }

  // The exceptions in it and in the groups within, none of which is a group, in their order.
  std::vector<std::exception_ptr> flatten() const;

  struct parts;
  // Those that are an E or derive from it, and the others. None of them is lost, and none is in both.
  template <class E>
  parts split() const;
  // The first half of that.
  template <class E>
  std::optional<exception_group> subgroup() const;
  // Calls `use(const E&)` with each that is an E, and returns the others, which are the caller's to throw on.
  // What `use` throws takes the place of what it was called with: if it ever does, visit() throws a group of all that
  // it threw, and last, as a group within, of the others. Source: Python's except*.
  template <class E, class F>
  [[nodiscard("throw on what is left")]] std::optional<exception_group> visit(F use) const;

 private:
  void describe();
  using condition = bool (*)(const std::exception_ptr&);
  parts split_by(condition matches) const;
  // Requires room in `thrown` for one more.
  [[noreturn]] static void throw_with(std::vector<std::exception_ptr> thrown, std::optional<exception_group> rest);

  std::vector<std::exception_ptr> all_;
  std::string text_;
};

struct exception_group::parts {
  std::optional<exception_group> matching;
  std::optional<exception_group> rest;
};

template <class E>
exception_group::parts exception_group::split() const {
  return split_by(&holds<E>);
}

template <class E>
std::optional<exception_group> exception_group::subgroup() const {
  return split<E>().matching;
}

template <class E, class F>
std::optional<exception_group> exception_group::visit(F use) const {
  parts found = split<E>();
  if (found.matching) {
    const std::vector<std::exception_ptr> matching = found.matching->flatten();
    std::vector<std::exception_ptr> thrown;
    thrown.reserve(matching.size() + 1);
    for (const std::exception_ptr& each : matching) {
      try {
        std::rethrow_exception(each);
      } catch (const E& failure) {
        try {
          std::invoke(use, failure);
        } catch (...) {
          thrown.push_back(std::current_exception());
        }
      }
    }
    if (!thrown.empty()) throw_with(std::move(thrown), std::move(found.rest));
  }
  return std::move(found.rest);
}

namespace detail {

// Unlike std::make_exception_ptr, which may copy it, and gives std::bad_alloc in its place if there is no memory for
// that.
std::exception_ptr pointer_to(exception_group group);

}  // namespace detail

// What an exception says of itself: what() of a std::exception, "(no text)" if that is null; a description of anything
// else.
std::string text_of(const std::exception_ptr& thrown);

}  // namespace lockstep
