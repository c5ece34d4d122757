#include <lockstep/runtime/object.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

object::object(label name) : name_(std::move(name)) {
  if (detail::current_context != nullptr) {
    made_inside_ = true;
    adopt(detail::current_context, "", source());
  }
}

std::string object::described() const {
  if (!name_.empty()) return fmt::format("{} \"{}\"", noun(), name());
  return number_ != 0 ? fmt::format("{} #{}", noun(), number_) : std::string(noun());  // 0 where it was of no run yet
}

detail::usage object::use_of(const char* deed, const source& where) const { return {described(), 0, deed, where}; }

void object::look_elsewhere(const char* deed, const source& where) const {
  const bool run_is_over = home_->run() != run_;
  if (!run_is_over && (detail::current_context != nullptr || !is_at_home())) home_->refuse(run_, use_of(deed, where));
}

bool object::is_at_home() const noexcept { return home_->on_its_thread(); }

bool object::tell_elsewhere(const char* deed) const noexcept {
  const detail::context* context = detail::current_context;
  if (run_ == 0 || (context != nullptr && context->run == run_)) return false;
  const bool run_is_over = home_->run() != run_;
  if (run_is_over || (context == nullptr && is_at_home())) return false;
  static_cast<void>(home_->tell(run_, use_of(deed, source())));
  return true;
}

detail::context& object::adopt(detail::context* context, const char* deed, const source& where) {
  if (run_ != 0 && (made_inside_ || !home_->on_its_thread())) home_->refuse(run_, use_of(deed, where));
  if (context == nullptr) detail::no_loop_here();
  if (run_ != 0) forget_run();
  run_ = context->run;
  home_ = context->owner->inbox_;
  number_ = ++context->owner->objects_made_;
  agent* maker = context->running;
  identity_ = context->owner->identity_of_new();
  trace& history = context->owner->trace_;
  history.object_made(maker != nullptr ? maker->number() : 0, number_, identity_);
  if (history.keeps_all()) [[unlikely]] {
    const sparing_allocations of_the_trace;
    history.object_named(number_, name_.view());
  }
  return *context;
}

}  // namespace lockstep
