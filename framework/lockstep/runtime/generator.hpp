// generator<T>: a coroutine that computes a sequence as it is asked for, and never waits.
//
//   generator<int> powers_of_two(int up_to) {
//     for (int power = 1; power <= up_to; power *= 2) co_yield power;
//   }
//   for (int power : powers_of_two(1000)) …
//
// It is an input range and a view. Nothing runs before begin(). What awaits is an async_generator.
// Ours is the same with every compiler and library, and takes its frame from the loop's memory, where a loop runs.
// Threads: it is used and destroyed on the thread that made it. Inside a run, to destroy it elsewhere is misuse, and
// the thread of the run destroys it.
#pragma once

#include <lockstep/runtime/task.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class T>
class generator;

// `co_yield elements_of(more())` yields all that the generator `more()` does, at the cost of one resumption each,
// however deep they nest. Requires that it has not been begun. An exception in there leaves at that co_yield.
template <class T>
class elements_of {
 public:
  explicit elements_of(generator<T> items) noexcept : items_(std::move(items)) {}

 private:
  template <class U>
  friend class generator;
  generator<T> items_;
};

namespace detail {

// Destroys the body of a generator, which stands at a co_yield or has not begun: here, or, if it lies in the memory of
// another thread's loop, there; that is misuse then. `awaiting` is its frame, of one that may await.
void destroy_body(std::coroutine_handle<> body, const frame_pool* memory, const place& of,
                  const frame* awaiting = nullptr) noexcept;
[[noreturn]] void refuse_generator(const char* why);

// Says what is wrong with the operand of a co_yield.
template <class Value, class T>
constexpr void require_yieldable() {
  static_assert(std::convertible_to<Value, T>,
                "co_yield gives what the generator says that it gives: this value does not convert to that");
}

}  // namespace detail

// Owns the coroutine. *begin() is a T&&, or T itself if that is a reference, and is good until the next ++: what the
// body yields, or, of an lvalue that is yielded as a value, a copy. An exception that leaves the body is thrown by
// begin() or ++, and the generator is at its end then.
// Source: std::generator.
template <class T>
class [[nodiscard("a generator does nothing before it is iterated over")]] generator
    : public std::ranges::view_interface<generator<T>> {
  static_assert(!std::is_rvalue_reference_v<T> && !std::is_void_v<T>,
                "a generator yields values or lvalue references: make it generator<T>");
  using item = std::remove_reference_t<T>;

 public:
  using reference = std::conditional_t<std::is_reference_v<T>, T, T&&>;
  class promise_type;
  class iterator;

  generator(const generator&) = delete;  // a generator has one owner: std::move() it
  generator(generator && other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  generator& operator=(generator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~generator() {
    if (handle_) destroy();
  }

  // Runs the body up to its first co_yield. Misuse for the second time, and of one that was moved from.
  iterator begin() {
    if (!handle_) detail::refuse_generator("begin() of a generator that was moved from");
    if (handle_.promise().begun_) detail::refuse_generator("begin() of a generator twice");
    iterator first(handle_);
    ++first;
    return first;
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  using handle = std::coroutine_handle<promise_type>;

  explicit generator(handle made) noexcept : handle_(made) {}
  void destroy() noexcept;

  handle handle_;
};

template <class T>
class generator<T>::promise_type : public detail::pooled_frame {
 public:
  promise_type() noexcept : memory_(memory_here()) {}
  generator get_return_object(source at = source::current()) noexcept {
    made_at_ = place::in_function(at);
    leaf_ = handle::from_promise(*this);
    return generator(leaf_);
  }
  std::suspend_always initial_suspend() const noexcept { return {}; }

  // The one that it was nested in goes on.
  struct back_to_parent {
    bool await_ready() const noexcept { return false; }
    void await_suspend(handle ended) const noexcept {
      if (ended.promise().parent_) ended.promise().root_->leaf_ = ended.promise().parent_;
    }
    void await_resume() const noexcept {}
  };
  back_to_parent final_suspend() const noexcept { return {}; }

  std::suspend_always yield_value(item&& made) noexcept requires(!std::is_reference_v<T>) {
    root_->item_ = std::addressof(made);
    return {};
  }
  std::suspend_always yield_value(const item& kept) requires(!std::is_reference_v<T> && std::copy_constructible<item>) {
    copy_.emplace(kept);
    root_->item_ = std::addressof(*copy_);
    return {};
  }
  std::suspend_always yield_value(T referred) noexcept requires std::is_reference_v<T> {
    root_->item_ = std::addressof(referred);
    return {};
  }
  template <class Other>
    requires(!std::convertible_to<Other, T>)
  std::suspend_always yield_value(Other&&) {
    detail::require_yieldable<Other, T>();
    return {};
  }

  class nesting;
  nesting yield_value(elements_of<T> nested) { return nesting(std::move(nested.items_)); }

  template <class Awaitable>
  std::suspend_never await_transform(Awaitable&&) {
    static_assert(std::is_void_v<Awaitable>, "a generator does not wait: make it an async_generator to co_await");
    return {};
  }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { failure_ = std::current_exception(); }

 private:
  friend generator;
  using kept_copy = std::conditional_t<std::is_reference_v<T>, std::nullptr_t, std::remove_const_t<item>>;

  const frame_pool* memory_;
  place made_at_;
  promise_type* root_ = this;  // the one that is iterated over, which knows
  handle leaf_;                //   which of those nested in it is to be resumed, and
  item* item_ = nullptr;       //   what was yielded last
  handle parent_;              // the one in which this is nested
  handle* owner_ = nullptr;    // the slot, in the parent's frame, that owns this
  std::optional<kept_copy> copy_;
  std::exception_ptr failure_;
  bool begun_ = false;
};

template <class T>
class generator<T>::promise_type::nesting {
 public:
  explicit nesting(generator items) noexcept : items_(std::move(items)) {}
  bool await_ready() const {
    if (!items_.handle_) detail::refuse_generator("elements_of() a generator that was moved from");
    if (items_.handle_.promise().begun_) detail::refuse_generator("elements_of() a generator that was begun before");
    return false;
  }
  void await_suspend(handle parent) noexcept {
    promise_type& nested = items_.handle_.promise();
    nested.begun_ = true;
    nested.root_ = parent.promise().root_;
    nested.parent_ = parent;
    nested.owner_ = &items_.handle_;
    nested.root_->leaf_ = items_.handle_;
  }
  void await_resume() const {
    if (items_.handle_.promise().failure_) std::rethrow_exception(items_.handle_.promise().failure_);
  }

 private:
  generator items_;
};

template <class T>
class generator<T>::iterator {
 public:
  using value_type = std::remove_cvref_t<T>;
  using difference_type = std::ptrdiff_t;

  iterator(iterator&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  iterator& operator=(iterator&& other) noexcept {
    body_ = std::exchange(other.body_, nullptr);
    return *this;
  }

  reference operator*() const noexcept { return static_cast<reference>(*body_.promise().item_); }
  iterator& operator++() {
    promise_type& root = body_.promise();
    root.begun_ = true;
    root.item_ = nullptr;
    while (root.item_ == nullptr && !body_.done()) root.leaf_.resume();
    if (root.failure_) std::rethrow_exception(std::exchange(root.failure_, nullptr));
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return at.body_.done(); }

 private:
  friend generator;
  explicit iterator(handle body) noexcept : body_(body) {}

  handle body_;
};

// Leaf first, as the frames are nested as deep as one likes.
template <class T>
void generator<T>::destroy() noexcept {
  const promise_type& root = handle_.promise();
  for (handle at = root.leaf_; at != handle_;) {
    const handle parent = at.promise().parent_;
    *at.promise().owner_ = nullptr;
    at.destroy();
    at = parent;
  }
  detail::destroy_body(handle_, root.memory_, root.made_at_);
}

}  // namespace lockstep

template <class T>
inline constexpr bool std::ranges::enable_view<lockstep::generator<T>> = true;
