// select(): waiting for several operations at once, of which exactly one happens.
//
//   const auto first = co_await select(letters.get(), stopped.wait(), sleep_for(1s));
//   if (first.index == 0) read(std::get<0>(first.value));
//
// Unlike when_any() it spawns nothing and cancels nothing: the task itself waits in several places. At the moment in
// which one of the objects grants its operation, the others are withdrawn. What is given to the task is given once, and
// no place in a line is kept for it elsewhere.
//
// Invariants
// 1. An arm is in a wait list, or its timer armed, only while its select is parked and no arm has been granted.
// 2. At most one arm is granted. Should an object grant another while it is withdrawn, that is revoked there and then.
// 3. What is asked of the task's operation (to withdraw, to revoke) is asked of the arms: all, or the granted one.
#pragma once

#include <lockstep/runtime/primitive.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/when_any.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <deque>
#include <functional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

namespace lockstep {

namespace detail {

// The operation at which a selecting task waits, but for the types of its arms.
class selection : public operation {
 public:
  // It refers to what is gone after the full-expression in which it was made.
  using awaited_where_made = void;

  std::string describe() const override;
  // The task that could end the wait at every arm, where that is one task.
  agent* holder() const noexcept override;
  identity feeder() const noexcept override;
  // Those of every arm that waits.
  void awaits(std::vector<agent*>& into) const override;

  void enqueue() noexcept override;
  void withdraw() noexcept override;
  bool revoke() noexcept override { return arms_[granted_]->revoke(); }

  // Of an arm that waits.
  static selection& of(const operation& waiting) noexcept;
  // For the loop: the object of an arm grants it.
  void grant_arm(operation& arm) noexcept;
  // The object of an arm has died.
  void lose_arm() noexcept;

 protected:
  selection() noexcept : operation(operation_kind::select) {}
  ~selection() = default;

  // Takes the operations, which stay where they are, for arms. Misuse for none, and for one that was awaited before.
  void take(operation* const* arms, std::size_t count, const source& where);
  // Before what holds them dies: those that were not granted may be awaited anew.
  void let_go() noexcept;
  // Tries one after the other, beginning with the one that the oracle says.
  bool try_in_turn();
  std::size_t granted() const noexcept { return granted_; }

 private:
  static constexpr std::size_t none = ~std::size_t{0};

  static bool waits(const operation& arm) noexcept { return arm.progress_ == progress::arm; }
  // The arm that an attempt begins with.
  std::size_t first_to_try() const;
  void settle_on(std::size_t at) noexcept;
  bool part_from(const object& dying, wait_list& orphans) noexcept override;
  void pass_to(agent& heir) noexcept override;
  void touch_end() const noexcept override;
  template <class Answer>
  Answer common(Answer (*asked)(const operation&)) const noexcept;

  operation* const* arms_ = nullptr;
  std::size_t count_ = 0;
  std::size_t enqueued_ = 0;  // so many of the first
  std::size_t granted_ = none;
};

template <class Operation>
using result_of_arm = decltype(std::declval<Operation&>().await_resume());

// What `arm` came to, as the N-th alternative.
template <class Value, std::size_t N, class Operation>
Value value_of_arm(Operation& arm) {
  if constexpr (std::is_void_v<result_of_arm<Operation>>) {
    arm.await_resume();
    return Value(std::in_place_index<N>);
  } else {
    return Value(std::in_place_index<N>, arm.await_resume());
  }
}

template <class... Operation>
class selecting final : public primitive<selecting<Operation...>, selection> {
  using selected = first_of<result_of_arm<Operation>...>;
  using value = decltype(selected::value);

 public:
  explicit selecting(Operation&... arms) : arms_{&arms...} { this->take(arms_.data(), arms_.size(), source()); }
  ~selecting() { this->let_go(); }

  bool try_now() { return this->try_in_turn(); }
  selected result() { return result_at<0>(); }

 private:
  template <std::size_t N>
  selected result_at() {
    if constexpr (N + 1 < sizeof...(Operation)) {
      if (this->granted() != N) return result_at<N + 1>();
    }
    using arm = std::variant_alternative_t<N, std::variant<Operation*...>>;
    return {N, value_of_arm<value, N>(static_cast<std::remove_pointer_t<arm>&>(*arms_[N]))};
  }

  std::array<operation*, sizeof...(Operation)> arms_;
};

template <class Operation>
class selecting_among final : public primitive<selecting_among<Operation>, selection> {
  using result_type = result_of_arm<Operation>;

 public:
  template <class Range, class F>
  selecting_among(Range& objects, F& operation_on, const source& where) {
    for (auto&& each : objects) {
      operations_.emplace_back([&]() -> Operation { return std::invoke(operation_on, each); });
      arms_.push_back(&operations_.back().made);
    }
    this->take(arms_.data(), arms_.size(), where);
  }
  ~selecting_among() { this->let_go(); }

  bool try_now() { return this->try_in_turn(); }
  first_among<result_type> result() {
    Operation& arm = operations_[this->granted()].made;
    if constexpr (std::is_void_v<result_type>) {
      arm.await_resume();
      return {this->granted(), {}};
    } else {
      return {this->granted(), arm.await_resume()};
    }
  }

 private:
  // Operations do not move.
  struct place_of_one {
    template <class Make>
    explicit place_of_one(const Make& make) : made(make()) {}
    Operation made;
  };
  std::deque<place_of_one> operations_;
  std::vector<operation*> arms_;
};

}  // namespace detail

// Waits until one of the operations happens, and returns which one, counted from 0, and its result: std::monostate for
// void, std::reference_wrapper for a reference. Throws what the await of that operation would have thrown. All others
// are as if they had never been there: they took nothing, and nobody waited behind them in vain. (But the item that a
// put() was given goes with it. To try again, keep the operation in a variable: one that lost may be awaited anew.)
//
// Operations are what our objects return, such as queue::get(), mutex::lock(), event::wait(), sleep_for() and
// join_handle::join(). They live until the end of the full-expression, so co_await select() where it is made.
// If several could happen at once, it is the first of the arguments; but a search in `any_order` may begin with another
// one (the domain "select-1.2" is that of task 1.2), so do not rely on it: what has precedence is asked for by a try_
// function first. Otherwise it is the one that is granted first.
// Cancellation withdraws all. It does not cancel a task that join() waits for, as join() alone would: in here that is
// the same as join_shielded(). What was granted just before is given back, where that can be.
// If the object of an operation dies, which is misuse, the others wait on. Misuse of an operation that was awaited
// before, or is given twice.
// Source: Go's select statement.
template <operation_of_ours... Operation>
  requires(sizeof...(Operation) > 0)
LOCKSTEP_AWAIT_IT detail::selecting<std::remove_reference_t<Operation>...> select(Operation&&... operations) {
  return detail::selecting<std::remove_reference_t<Operation>...>(operations...);
}

// The same over any number of objects, at least one: of the operations that `operation_on` returns for each. Returns
// the place of the object in the range, and the result.
//
//   const auto [index, letter] = co_await select_among(inboxes, [](auto& each) { return each.get(); });
template <std::ranges::input_range Range, class F>
requires operation_of_ours<std::invoke_result_t<F&, std::ranges::range_reference_t<Range>>> LOCKSTEP_AWAIT_IT auto
select_among(Range&& objects, F operation_on, source where = source::current()) {
  return detail::selecting_among<std::invoke_result_t<F&, std::ranges::range_reference_t<Range>>>(objects, operation_on,
                                                                                                  where);
}

// Says what to do with anything else.
template <class... Other>
  requires((operation_of_ours<Other> || ... || false) && !(operation_of_ours<Other> && ...))
|| (detail::is_task<std::remove_cvref_t<Other>> || ... || false) void select(Other&&...) {
  static_assert((operation_of_ours<Other> && ...),
                "select() takes operations of ours, such as queue.get() or sleep_for(1s); "
                "a task is spawned first, and its handle.join_shielded() is one");
}

}  // namespace lockstep

#pragma GCC diagnostic pop
