#include <lockstep/runtime/task_local.hpp>

#include <lockstep/runtime/spawn.hpp>

#include <algorithm>

namespace lockstep {

namespace detail {

namespace {

// There are few, and no order of addresses may matter.
template <class Values>
auto place_of(Values& in, const void* variable) noexcept {
  return std::find_if(in.begin(), in.end(), [variable](const bound_value& each) { return each.variable == variable; });
}

}  // namespace

bound_values& values_to_change(const source& where) {
  const bool in_a_task = current_context != nullptr && current_context->running != nullptr;
  if (!in_a_task && values_of_run != nullptr) return *values_of_run;
  return current_task(where).values_to_change();
}

const void* find_value(const void* variable) noexcept {
  const bound_values* const here = values_here();
  if (here == nullptr) return nullptr;
  const auto found = place_of(*here, variable);
  return found != here->end() ? found->value.get() : nullptr;
}

void bind_value(bound_values& in, const void* variable, std::shared_ptr<const void> value) {
  const auto found = place_of(in, variable);
  if (found != in.end()) {
    found->value.swap(value);  // what it was dies when nobody can reach it any more
  } else {
    in.push_back({variable, std::move(value)});
  }
}

}  // namespace detail

scoped_value::scoped_value(const void* variable, std::shared_ptr<const void> value, source where)
    : in_(detail::values_to_change(where)), variable_(variable) {
  const auto found = detail::place_of(in_, variable);
  if (found != in_.end()) before_ = found->value;
  detail::bind_value(in_, variable, std::move(value));
}

scoped_value::~scoped_value() {
  const auto found = detail::place_of(in_, variable_);
  if (found == in_.end()) return;
  std::shared_ptr<const void> ended = std::exchange(found->value, std::move(before_));
  if (found->value == nullptr) in_.erase(found);
}

task_locals task_locals::current() {
  task_locals copy;
  if (const detail::bound_values* const here = detail::values_here(); here != nullptr) copy.values_ = *here;
  return copy;
}

task_locals::in_force::in_force(detail::bound_values& values)
    : who_(detail::current_context != nullptr ? detail::current_context->running : nullptr),
      before_(who_ != nullptr ? who_->exchange_values(&values) : std::exchange(detail::values_of_run, &values)) {}

task_locals::in_force::~in_force() {
  if (who_ != nullptr) {
    who_->exchange_values(before_);
  } else {
    detail::values_of_run = before_;
  }
}

}  // namespace lockstep
