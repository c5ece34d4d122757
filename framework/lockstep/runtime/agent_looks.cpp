// What tasks ask each other: the observer of the run is told.
#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/context.hpp>

#include <utility>

namespace lockstep {

void agent::is_looked_at() const noexcept { detail::touch(identity_, access::read); }

// Of itself a task sees the same in every order.
void agent::is_watched() const noexcept {
  const detail::context* const context = detail::current_context;
  if (context != nullptr && context->running != this) detail::touch(everything, access::write);
}

std::uint32_t agent::steps() const noexcept {
  is_watched();
  return steps_;
}

agent::state agent::condition() const noexcept {
  is_watched();
  return condition(detail::unseen);
}

bool agent::finished() const noexcept {
  is_looked_at();
  return finished(detail::unseen);
}

const operation* agent::parked_at() const noexcept {
  is_watched();
  return parked_at(detail::unseen);
}

std::string agent::name() const {
  is_looked_at();
  return name(detail::unseen);
}

void agent::rename(label name) {
  detail::touch(identity_, access::write);
  rename(std::move(name), detail::unseen);
}

bool agent::was_cancelled() const noexcept {
  is_looked_at();
  return was_cancelled(detail::unseen);
}

std::exception_ptr agent::failure() const noexcept {
  is_looked_at();
  return failure(detail::unseen);
}

std::exception_ptr agent::thrown() const {
  is_looked_at();
  return thrown(detail::unseen);
}

label agent::cancel_reason() const {
  is_looked_at();
  return cancel_reason(detail::unseen);
}

std::vector<place> agent::stack() const {
  is_watched();
  return stack(detail::unseen);
}

}  // namespace lockstep
