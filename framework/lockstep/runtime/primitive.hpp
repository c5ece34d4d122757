// The awaitable half of an operation of ours: what co_await calls.
//
// `Self` derives from primitive<Self>, is final, and has
//   bool try_now();            performs it if it need not wait
//   void enqueue() noexcept;   otherwise joins its object's wait list or arms its timer
//   void withdraw() noexcept;  leaves that
//   result();                  what the await returns, or throws
// and, if an attempt touches anything but the object that it is about in the way of its kind,
//   void touch_what() const;   tells the observer, see choice/step_observer.hpp
// Its object hands the result over and calls loop::grant(): a waiter that is woken has what it waited for.
// `Base` is what it has in common with others of its kind.
#pragma once

#include <lockstep/runtime/loop.hpp>

#include <concepts>
#include <coroutine>

namespace lockstep {

namespace detail {

[[noreturn]] void throw_cancelled(agent& who);
// Requires that it is `cancelled` or `failed`.
[[noreturn]] void throw_no_result(operation::progress why, agent& who);
[[noreturn]] void throw_cancelled_yield();
[[noreturn]] void awaited_outside_of_tasks();

}  // namespace detail

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
template <class Self, class Base = operation>
class primitive : public Base {
 public:
  // For the tasks of `owner`, which runs. Measured: GCC would call it.
  [[gnu::always_inline]] bool begin_in_task(loop& owner) {
    if (owner.needs_attention()) [[unlikely]]
      return begin_attentively(owner);
    if (!self().try_now()) return false;
    owner.note_granted(*this);
    return true;
  }
  void wait_in_task(loop& owner, std::coroutine_handle<> leaf, frame& awaiting) {
    if (this->progress_ == operation::progress::fresh) [[likely]] {
      owner.park(*this, leaf);
      self().enqueue();
    } else {
      owner.park_unusually(*this, leaf, &awaiting);
    }
  }

  // For the coroutines of others.
  bool await_ready() {
    if (detail::here().running == nullptr) [[unlikely]]
      detail::awaited_outside_of_tasks();
    loop& owner = *detail::here().owner;
    return owner.needs_attention() ? owner.begin_of_foreign(*this) : begin_in_task(owner);
  }
  void await_suspend(std::coroutine_handle<> leaf) { detail::here().owner->park_unusually(*this, leaf, nullptr); }
  decltype(auto) await_resume() {
    if (this->progress_ > operation::progress::granted) [[unlikely]]
      detail::throw_no_result(this->progress_, *detail::here().running);
    return self().result();
  }

 protected:
  using Base::Base;
  ~primitive() = default;

  bool attempt() final {
    if (detail::current_context->observer != nullptr) [[unlikely]]
      self().touch_what();
    return self().try_now();
  }

 private:
  // Most often it is only that others may run first, and it waits whoever does.
  [[gnu::noinline]] bool begin_attentively(loop& owner) {
    const bool only_switches = owner.asked_here() == loop::attention_switch && owner.observer == nullptr;
    const bool fresh = this->progress_ == operation::progress::fresh;
    if (only_switches && fresh && self().waits_in_any_case()) return false;
    return owner.begin_attentively(*this);
  }
  Self& self() noexcept { return static_cast<Self&>(*this); }
};
#pragma GCC diagnostic pop

// What may be awaited inside a task and knows its frame.
template <class T>
concept operation_of_ours = std::derived_from<std::remove_cvref_t<T>, operation>;

}  // namespace lockstep
