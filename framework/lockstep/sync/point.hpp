// Named points in the code, and a written order in which a test wants them to be reached.
//
// `co_await point("get:has-read")` says where a task is. Outside an order it is a step like any other. Within one, a
// task that comes to a point before its turn waits there.
//
//   const order the_bad_one("get:has-read", "invalidated", "get:stores");
#pragma once

#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/primitive.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

class order;

class point_operation final : public primitive<point_operation> {
 public:
  explicit point_operation(label name) noexcept : primitive(operation_kind::point), name_(std::move(name)) {}

  ~point_operation();

  bool try_now();
  void touch_what() const noexcept { detail::touch(the_points, access::write); }
  void touch_end() const noexcept override { touch_what(); }
  void enqueue() noexcept override;
  void withdraw() noexcept override;
  bool revoke() noexcept override;
  // `point "c", which waits for "b", number 2 of 3 in the order at cache_test.cpp:41`.
  std::string describe() const override;
  void result() noexcept;
  std::string_view name() const noexcept { return name_.view(); }

 private:
  friend class order;

  label name_;
  order* within_ = nullptr;  // the one that holds it up, or has handed it the turn
};

// Says that the running task is here. Cancellation is delivered here like at any await.
LOCKSTEP_AWAIT_IT point_operation point(label name);

namespace detail {

// The first name of an order, and where that is written: a pack of names leaves no room for a defaulted parameter.
struct first_name {
  template <std::convertible_to<std::string_view> Name>
  first_name(const Name& name, source at = source::current()) : text(std::string_view(name)), where(at) {}

  std::string text;
  source where;
};

}  // namespace detail

// While it lives, tasks pass the points that it names in the order in which it names them: what a task does between a
// point and its next await, it does before another passes the next point. A name may come several times. Of several
// tasks that wait at one point, the one that came first passes. A point that does not come any more holds nobody up.
// If it dies before all were reached, that is a verdict which names the first that was not, unless an exception ends
// its scope. One at a time in a run: a second one is misuse, and so is one without a loop on this thread.
// A task that is cancelled or destroyed at a point leaves the turn to the next that comes there.
class order {
 public:
  template <std::convertible_to<std::string_view>... Name>
  [[nodiscard("keep the order in a variable: it ends with it")]] explicit order(detail::first_name first,
                                                                                const Name&... others)
      : order(std::vector<std::string>{std::move(first.text), std::string(std::string_view(others))...}, first.where) {}
  // Requires at least one name; misuse otherwise.
  explicit order(std::vector<std::string> names, source where = source::current());
  order(const order&) = delete;
  order& operator=(const order&) = delete;
  ~order();

  // Whether every point was reached.
  bool complete() const noexcept {
    detail::touch(the_points, access::read);
    return reached_ == names_.size();
  }

 private:
  friend class point_operation;

  bool is_due(std::string_view name) const noexcept {
    return handed_ == nullptr && !complete() && names_[reached_] == name;
  }
  bool comes_later(std::string_view name) const noexcept;
  // The running task passes the point that is next.
  void pass() noexcept;
  // Hands the turn to a task that waits at the point that is next, and lets those go at whose points it comes no more.
  void hand_on() noexcept;
  void note_stranger(std::string_view name);
  std::string what_is_missing();

  std::vector<std::string> names_;
  std::size_t reached_ = 0;
  std::vector<std::string> strangers_;  // the points passed that it does not name at all
  source where_;
  wait_list waiters_;
  point_operation* handed_ = nullptr;  // has the turn, and its task has not run yet
};

}  // namespace lockstep
