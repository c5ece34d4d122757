// shared<T>: a variable that tasks share, whose reads and writes a search can see.
//
//   shared<int> balance{100, "balance"};
//   if (balance < amount) co_return false;
//   balance -= amount;
//
// It reads and writes like the T in it. Reports show its values; and a search that is told `all_shared_declared` knows
// from it which steps depend on each other, and tries far fewer orders.
// Threads: as a mutex, see mutex.hpp.
#pragma once

#include <lockstep/base/value_text.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/object.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class T>
class shared final : public object {
 public:
  using value_type = T;

  shared() requires std::default_initializable<T> : object({}) {}
  template <class U = T>
    requires std::constructible_from<T, U&&>
  explicit(!std::convertible_to<U&&, T>) shared(U&& value, label name = {})
      : object(std::move(name)), value_(std::forward<U>(value)) {}
  std::string_view noun() const noexcept override { return "shared"; }

  // The value, which is read now. The reference is good until the next write.
  const T& get() const noexcept {
    touch(access::read);
    tell(&shared::text_read);
    return value_;
  }
  operator const T&() const noexcept { return get(); }
  const T& operator*() const noexcept { return get(); }
  const T* operator->() const noexcept { return &get(); }

  // Writes it. Misuse from another run or thread.
  template <class U>
  requires std::assignable_from<T&, U&&> shared& operator=(U&& value) {
    enter_to_change("was written", source());
    value_ = std::forward<U>(value);
    tell(&shared::text_written);
    return *this;
  }
  // What is in the other, as if both were a T.
  shared& operator=(const shared& other) { return *this = other.get(); }
  // Changes it in place: calls `change(T&)` and returns what that returns.
  template <std::invocable<T&> F>
  decltype(auto) change(F&& how) {
    enter_to_change("was written", source());
    struct teller {
      const shared& of;
      ~teller() { of.tell(&shared::text_written); }
    } const in_the_end{*this};
    return std::invoke(std::forward<F>(how), value_);
  }

#define LOCKSTEP_SHARED_OPERATOR(op)                           \
  template <class U>                                           \
    requires requires(T & value, const U& by) { value op by; } \
  shared& operator op(const U& by) {                           \
    change([&by](T& value) { value op by; });                  \
    return *this;                                              \
  }
  LOCKSTEP_SHARED_OPERATOR(+=)
  LOCKSTEP_SHARED_OPERATOR(-=)
  LOCKSTEP_SHARED_OPERATOR(*=)
  LOCKSTEP_SHARED_OPERATOR(/=)
  LOCKSTEP_SHARED_OPERATOR(|=)
  LOCKSTEP_SHARED_OPERATOR(&=)
  LOCKSTEP_SHARED_OPERATOR(^=)
#undef LOCKSTEP_SHARED_OPERATOR
  // Before the change and after it, as of a number.
  T operator++() requires requires(T& value) { ++value; }
  {
    return change([](T& value) -> T { return ++value; });
  }
  T operator--() requires requires(T& value) { --value; }
  {
    return change([](T& value) -> T { return --value; });
  }
  T operator++(int) requires requires(T& value) { value++; }
  {
    return change([](T& value) -> T { return value++; });
  }
  T operator--(int) requires requires(T& value) { value--; }
  {
    return change([](T& value) -> T { return value--; });
  }

 private:
  // For reports of the run, if it is kept whole.
  void tell(std::string (*text)(const object&)) const noexcept {
    const detail::context* const context = detail::current_context;
    if (context != nullptr && context->owner->takes_notes()) [[unlikely]]
      context->owner->note_value(*this, is_of(*context), text);
  }
  static std::string text_read(const object& of) {
    return detail::text_of_value(static_cast<const shared&>(of).value_).value_or("read");
  }
  static std::string text_written(const object& of) {
    const std::optional<std::string> value = detail::text_of_value(static_cast<const shared&>(of).value_);
    return value ? "= " + *value : "written";
  }

  T value_{};
};

template <class T>
shared(T) -> shared<T>;
template <class T>
shared(T, label) -> shared<T>;

}  // namespace lockstep
