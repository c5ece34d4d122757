// As much of P2300 as <lockstep/adapters/execution.hpp> uses, for machines that have no stdexec: found last, so that
// the real one wins where there is one. Written from the paper.
#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace stdexec {

struct sender_t {};
struct receiver_t {};
struct operation_state_t {};

// -- stopping ---------------------------------------------------------------------------------------------------------

using inplace_stop_token = std::stop_token;
using inplace_stop_source = std::stop_source;

struct never_stop_token {
  template <class F>
  struct callback_type {
    callback_type(never_stop_token, F) noexcept {}
  };
};

template <class Token, class F>
struct stop_callback_of {
  using type = typename Token::template callback_type<F>;
};
template <class F>
struct stop_callback_of<std::stop_token, F> {
  using type = std::stop_callback<F>;
};
template <class Token, class F>
using stop_callback_for_t = typename stop_callback_of<Token, F>::type;

struct get_stop_token_t {
  template <class Environment>
  auto operator()(const Environment& of) const noexcept {
    if constexpr (requires { of.query(*this); }) {
      return of.query(*this);
    } else {
      return never_stop_token();
    }
  }
};
inline constexpr get_stop_token_t get_stop_token;

struct empty_env {};
struct get_env_t {
  template <class T>
  decltype(auto) operator()(const T& of) const noexcept {
    if constexpr (requires { of.get_env(); }) {
      return of.get_env();
    } else {
      return empty_env();
    }
  }
};
inline constexpr get_env_t get_env;

template <class T>
using env_of_t = std::remove_cvref_t<decltype(get_env(std::declval<const T&>()))>;
template <class Environment>
using stop_token_of_t = std::remove_cvref_t<decltype(get_stop_token(std::declval<const Environment&>()))>;

// -- completing -------------------------------------------------------------------------------------------------------

struct set_value_t {
  template <class Receiver, class... T>
  void operator()(Receiver&& to, T&&... values) const noexcept {
    std::forward<Receiver>(to).set_value(std::forward<T>(values)...);
  }
};
struct set_error_t {
  template <class Receiver, class Error>
  void operator()(Receiver&& to, Error&& error) const noexcept {
    std::forward<Receiver>(to).set_error(std::forward<Error>(error));
  }
};
struct set_stopped_t {
  template <class Receiver>
  void operator()(Receiver&& to) const noexcept {
    std::forward<Receiver>(to).set_stopped();
  }
};
inline constexpr set_value_t set_value;
inline constexpr set_error_t set_error;
inline constexpr set_stopped_t set_stopped;

template <class... Signatures>
struct completion_signatures {};

template <class... Tuples>
struct list {
  template <class... More>
  friend list<Tuples..., More...> operator+(list, list<More...>) {
    return {};
  }
};
template <template <class...> class Tuple, class Signature>
struct values_in {
  using type = list<>;
};
template <template <class...> class Tuple, class... T>
struct values_in<Tuple, set_value_t(T...)> {
  using type = list<Tuple<T...>>;
};
template <template <class...> class Variant, class... Tuples>
Variant<Tuples...> in_variant(list<Tuples...>);
template <template <class...> class Tuple, template <class...> class Variant, class... Signatures>
auto gather(completion_signatures<Signatures...>)
    -> decltype(in_variant<Variant>((list<>() + ... + typename values_in<Tuple, Signatures>::type())));
template <class Sender, class Environment, template <class...> class Tuple, template <class...> class Variant>
using value_types_of_t = decltype(gather<Tuple, Variant>(typename Sender::completion_signatures()));

// -- doing ------------------------------------------------------------------------------------------------------------

struct connect_t {
  template <class Sender, class Receiver>
  auto operator()(Sender&& from, Receiver to) const {
    return std::forward<Sender>(from).connect(std::move(to));
  }
};
inline constexpr connect_t connect;
template <class Sender, class Receiver>
using connect_result_t = decltype(connect(std::declval<Sender>(), std::declval<Receiver>()));

struct start_t {
  template <class Operation>
  void operator()(Operation& to_start) const noexcept {
    to_start.start();
  }
};
inline constexpr start_t start;

}  // namespace stdexec
