// Named points in the code, and a written order in which a test wants them to be reached.
//
// `co_await point("reader:got-lock")` says where a task is. Outside an order it is a step like any other. Within one,
// a task that comes to a point before its turn waits there.
#pragma once

#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/primitive.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

class order;

class point_operation final : public primitive<point_operation> {
 public:
  point_operation(label name, order* within) noexcept;

  bool try_now();
  void enqueue() noexcept override;
  void withdraw() noexcept override { unlink(); }
  std::string describe() const override;
  void result() const noexcept {}
  std::string_view name() const noexcept { return name_.view(); }

 private:
  friend class order;

  label name_;
  order* within_;
};

// Says that the running task is here. Cancellation is delivered here like at any await.
LOCKSTEP_AWAIT_IT point_operation point(label name);

namespace detail {

// Knows the line at which an order is written.
struct first_name {
  first_name(const char* name, source at = source::current()) : text(name), where(at) {}
  first_name(std::string name, source at = source::current()) : text(std::move(name)), where(at) {}

  std::string text;
  source where;
};

}  // namespace detail

// While it lives, tasks pass the points that it names in the order in which it names them; a name may come several
// times. If it dies before all were reached, that is a verdict which names the first that was not. One at a time.
class order {
 public:
  template <class... Name>
  [[nodiscard("keep the order in a variable: it ends with it")]] explicit order(detail::first_name first,
                                                                                const Name&... names)
      : order(std::vector<std::string>{std::move(first.text), std::string(names)...}, first.where) {}
  explicit order(std::vector<std::string> names, source where = source::current());
  order(const order&) = delete;
  order& operator=(const order&) = delete;
  ~order();

  // Whether every point was reached.
  bool complete() const noexcept { return reached_ == names_.size(); }

 private:
  friend class point_operation;

  bool is_due(std::string_view name) const noexcept;
  bool comes_later(std::string_view name) const noexcept;
  void pass();

  std::vector<std::string> names_;
  std::size_t reached_ = 0;
  source where_;
  wait_list waiters_;
};

}  // namespace lockstep
