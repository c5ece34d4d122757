// async_generator<T>: a coroutine that makes a sequence as it is asked for, and may await in between.
//
//   async_generator<std::string> lines(std::shared_ptr<connection> from) {
//     on_close([from] { return from->say_goodbye(); });
//     while (auto line = co_await from->read_line()) co_yield *line;
//   }
//   auto all = lines(peer);
//   while (const std::string* line = co_await all.next()) …
//
// Asking for the next item is a call: the body runs in the name of the task that asks, and waits in its place. So a
// cancellation of that task is delivered at the await in the body, and leaves through next(); the generator has ended
// then.
//
// Ending
//   The body's locals are destroyed when it ends, or at once with the generator, if that dies while the body stands at
//   a co_yield. What must be awaited at the end is for on_close(): it is run, in the reverse order, by the next() in
//   which the body ends, by close(), or, if the generator is dropped before its end, by a daemon, which is awaited
//   before the run ends. There the locals of the body and whatever they refer to are gone, so it owns what it needs.
// Threads: as a task.
#pragma once

#include <lockstep/runtime/generator.hpp>
#include <lockstep/runtime/task.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class T>
class async_generator;

namespace detail {

// One thing to be done at the end of a generator, and those that were registered before it.
class clean_up {
 public:
  clean_up() = default;
  clean_up(const clean_up&) = delete;
  clean_up& operator=(const clean_up&) = delete;
  virtual ~clean_up();

  virtual task<void> run() = 0;

  std::unique_ptr<clean_up> earlier;
};

template <class F>
class clean_up_by final : public clean_up {
 public:
  explicit clean_up_by(F work) : work_(std::move(work)) {}
  task<void> run() override { return std::invoke(work_); }

 private:
  F work_;
};

// What is to be done at the end of one generator. Each thing is taken once; what is left when this dies is handed to
// the loop.
class clean_ups {
 public:
  clean_ups() = default;
  clean_ups(clean_ups&& other) noexcept = default;
  clean_ups& operator=(clean_ups&&) = delete;
  ~clean_ups() {
    if (last_) [[unlikely]]
      hand_over();
  }

  // The generator whose end it is.
  void belong_to(const place& generator) noexcept { of_ = generator; }
  bool empty() const noexcept { return last_ == nullptr; }
  std::size_t size() const noexcept;
  void add(std::unique_ptr<clean_up> last) noexcept;
  std::unique_ptr<clean_up> take_last() noexcept;

 private:
  [[gnu::cold]] void hand_over() noexcept;
  static task<void> run_alone(std::unique_ptr<clean_up> last, place of);

  std::unique_ptr<clean_up> last_;
  std::uint64_t run_ = 0;  // in which they were registered
  place of_;
};

// Does all of it within a shield, whatever fails. Returns what the end comes to if the body, if not null, ended by
// `failure`. Throws std::bad_alloc if there is no memory to begin; then `all` is handed to the loop.
task<std::exception_ptr> run_clean_ups(clean_ups all, std::exception_ptr failure);

// The frame of a generator's body, but for the type of its items.
struct generator_body : promise_base {
  // Where it stands keeps the mark by which current() knows it.
  template <class Awaitable>
  decltype(auto) await_transform(Awaitable&& awaitable, source_pointer at = __builtin_source_location()) {
    const marking after(where);
    return promise_base::await_transform(std::forward<Awaitable>(awaitable), at);
  }
  template <class Awaitable>
  auto await_transform(outside_in_place<Awaitable> temporary, source_pointer at = __builtin_source_location()) {
    where = source_at(at);
    where.mark_generator();
    return proxy(temporary, *this);
  }
  void return_void() const noexcept {}

  void begin_in(source function) noexcept {
    where = place::in_function(function);
    closing.belong_to(where);
    where.mark_generator();
  }
  // The one that runs here: in which the running task stands. Misuse if it stands in something else.
  static generator_body& current(source where);
  // Somebody asks for the next item, or for the end. Misuse if somebody does already.
  void enter();

  const frame_pool* memory = memory_here();
  clean_ups closing;
  bool entered = false;
  bool yielded = false;  // an item, since it was resumed last

 private:
  struct marking {
    explicit marking(place& of) noexcept : marked(of) {}
    ~marking() { marked.mark_generator(); }
    place& marked;
  };
};

// Resumes the body, as an awaited task is called; goes on when it has yielded or ended.
class body_call {
 public:
  using lockstep_task = void;

  body_call(std::coroutine_handle<> called, generator_body& body) noexcept : called_(called), body_(body) {}
  body_call operator co_await() const noexcept { return *this; }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<frame> Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) const {
    context& here = *current_context;
    body_.caller = &caller.promise();
    body_.resume_after = nullptr;
    body_.yielded = false;
    here.running->stands_at(&body_);
    if (static_cast<const char*>(__builtin_frame_address(0)) > here.stack_end) [[likely]] {
      called_.resume();
      if (body_.yielded || called_.done()) return false;
    } else {
      static_cast<loop&>(here).call(called_);
    }
    body_.resume_after = caller;
    return true;
  }
  void await_resume() const noexcept {}

 private:
  std::coroutine_handle<> called_;
  generator_body& body_;
};

// Destroys a body that stands at a co_yield, has ended, or has not begun. Its generator, if it is still there, forgets
// it.
void drop_body(std::coroutine_handle<> body, generator_body& of) noexcept;
// The generator dies while a task is in its body: misuse, and the body is that task's now.
[[gnu::cold]] void desert_body(generator_body& body) noexcept;
[[noreturn]] void throw_deserted();

}  // namespace detail

// Owns the coroutine, which runs while next() is awaited. T is a value or an lvalue reference. One that has not begun
// when it dies does nothing.
// Requires that it lives, where it is, until next() or close() has returned; otherwise misuse.
// Source: Python's asynchronous generators, PEP 525.
template <class T>
class [[nodiscard("an async_generator does nothing before its next() is awaited")]] async_generator {
  static_assert(!std::is_rvalue_reference_v<T> && !std::is_void_v<T>,
                "an async_generator yields values or lvalue references: make it async_generator<T>");

 public:
  using item = std::remove_reference_t<T>;
  class promise_type;

  async_generator(const async_generator&) = delete;  // a generator has one owner: std::move() it
  async_generator(async_generator && other) noexcept : body_(std::exchange(other.body_, nullptr)) { own(); }
  async_generator& operator=(async_generator&& other) noexcept {
    std::swap(body_, other.body_);
    own();
    other.own();
    return *this;
  }
  ~async_generator() {
    if (!body_) return;
    if (promise().entered) {
      detail::desert_body(promise());
    } else {
      detail::drop_body(body_, promise());
    }
  }

  // Runs the body up to its next co_yield, and returns what that yields; null when the body has ended, and ever after.
  // The item is the body's, or, of an lvalue that is yielded as a value, a copy; it is good until next() is called
  // again, or the generator dies, and may be moved from.
  // Waits whenever the body waits. Throws what leaves the body, once the clean-ups have run; the generator has ended
  // then. If a clean-up fails as well, throws exception_group; a failing clean-up replaces a cancellation, which is
  // delivered at the next await.
  // Misuse while another next() or close() of it is under way.
  task<item*> next();
  // Ends it: destroys the body's locals, and runs the clean-ups within a shield. Does nothing once it has ended.
  // Throws what a clean-up throws, or exception_group if several fail. Misuse while a next() of it is under way.
  task<void> close();
  // Whether the body has ended; not before next() has said so.
  bool ended() const noexcept { return !body_; }

 private:
  template <class U, class F>
  friend task<void> for_each(async_generator<U> items, F use);

  explicit async_generator(std::coroutine_handle<> made) noexcept : body_(made) { own(); }

  // close(), after something failed outside of it; returns what that comes to.
  task<std::exception_ptr> close_after(std::exception_ptr failure);
  promise_type& promise() const noexcept {
    return std::coroutine_handle<promise_type>::from_address(body_.address()).promise();
  }
  void own() noexcept {
    if (body_) promise().owner = &body_;
  }

  std::coroutine_handle<> body_;  // null when it has ended
};

template <class T>
class async_generator<T>::promise_type final : public detail::generator_body {
 public:
  async_generator get_return_object(source at = source::current()) noexcept {
    begin_in(at);
    return async_generator(std::coroutine_handle<promise_type>::from_promise(*this));
  }

  back_to_caller yield_value(item&& made) noexcept requires(!std::is_reference_v<T>) { return yield(made); }
  back_to_caller yield_value(const item& kept) requires(!std::is_reference_v<T> && std::copy_constructible<item>) {
    copy_.emplace(kept);
    return yield(*copy_);
  }
  back_to_caller yield_value(T referred) noexcept requires std::is_reference_v<T> { return yield(referred); }
  template <class Other>
    requires(!std::convertible_to<Other, T>)
  std::suspend_always yield_value(Other&&) {
    detail::require_yieldable<Other, T>();
    return {};
  }

  item* last_item() const noexcept { return item_; }

 private:
  using kept_copy = std::conditional_t<std::is_reference_v<T>, std::nullptr_t, std::remove_const_t<item>>;

  back_to_caller yield(item& made) noexcept {
    item_ = std::addressof(made);
    yielded = true;
    return {};
  }

  item* item_ = nullptr;
  std::optional<kept_copy> copy_;
};

template <class T>
auto async_generator<T>::next() -> task<item*> {
  const std::coroutine_handle<> called = body_;
  if (!called) co_return nullptr;
  promise_type& body = promise();
  body.enter();
  co_await detail::body_call(called, body);
  body.entered = false;
  const bool deserted = body.owner == nullptr;
  if (body.yielded && !deserted) co_return body.last_item();
  std::exception_ptr failure = body.failure;
  detail::clean_ups closing = std::move(body.closing);
  detail::drop_body(called, body);
  if (!closing.empty()) {
    try {
      failure = co_await detail::run_clean_ups(std::move(closing), failure);
    } catch (const std::bad_alloc&) {
      if (failure == nullptr) failure = std::current_exception();
    }
  }
  if (failure != nullptr) std::rethrow_exception(failure);
  if (deserted) detail::throw_deserted();
  co_return nullptr;
}

template <class T>
task<std::exception_ptr> async_generator<T>::close_after(std::exception_ptr failure) {
  if (!body_) co_return failure;
  promise().enter();
  detail::clean_ups closing = std::move(promise().closing);
  detail::drop_body(body_, promise());
  if (closing.empty()) co_return failure;
  try {
    failure = co_await detail::run_clean_ups(std::move(closing), failure);
  } catch (const std::bad_alloc&) {
    if (failure == nullptr) failure = std::current_exception();
  }
  co_return failure;
}

template <class T>
task<void> async_generator<T>::close() {
  const std::exception_ptr failure = co_await close_after(nullptr);
  if (failure != nullptr) std::rethrow_exception(failure);
}

// In the body of an async_generator, or in a function that it calls: `work()`, which returns a task<void>, is run at
// the end of that generator. `work` may run when the body's locals and the task that used the generator are gone, so it
// owns all that it needs: capture by value, or move into it. Does not suspend: it is called and not awaited. Misuse
// elsewhere, as in a task that the body awaits.
template <class F>
void on_close(F&& work, source where = source::current()) {
  using closure = std::decay_t<F>;
  static_assert(std::same_as<std::invoke_result_t<closure&>, task<void>>, "on_close() takes what returns a task<void>");
  detail::generator_body& body = detail::generator_body::current(where);
  body.closing.add(std::make_unique<detail::clean_up_by<closure>>(std::forward<F>(work)));
}

// Calls `use(item)` for each item, and awaits what that returns if it is a task; then the generator has ended, and its
// clean-ups have run, also if `use` throws or the task is cancelled. Values are passed as rvalues.
// Throws what left `use` or the generator; exception_group if clean-ups failed as well.
template <class T, class F>
task<void> for_each(async_generator<T> items, F use) {
  using result = std::invoke_result_t<F&, T&&>;
  static_assert(std::is_void_v<result> || std::same_as<result, task<void>>,
                "for_each() calls what returns void or a task<void>");
  std::exception_ptr failure;
  try {
    while (auto* item = co_await items.next()) {
      if constexpr (std::is_void_v<result>) {
        std::invoke(use, static_cast<T&&>(*item));
      } else {
        co_await std::invoke(use, static_cast<T&&>(*item));
      }
    }
  } catch (...) {
    failure = std::current_exception();
  }
  failure = co_await items.close_after(std::move(failure));
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace lockstep
