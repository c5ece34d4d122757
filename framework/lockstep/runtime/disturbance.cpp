#include <lockstep/runtime/disturbance.hpp>

#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

namespace lockstep {

namespace {

// "1st", "2nd", "3rd", "4th", "11th".
std::string ordinal(std::uint64_t number) {
  const std::uint64_t last = number % 100 / 10 == 1 ? 0 : number % 10;
  return fmt::format("{}{}", number, last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

std::string where_it_stands(const agent& who) {
  const std::vector<place> lines = who.stack(detail::unseen);
  return lines.empty() ? std::string() : file_and_line(lines.front());
}

}  // namespace

std::string_view name_of(disturbance_kind kind) noexcept {
  switch (kind) {
    case disturbance_kind::cancel: return "cancel";
    case disturbance_kind::fail_alloc: return "fail_alloc";
    case disturbance_kind::destroy: return "destroy";
  }
  return "unknown disturbance";
}

bool disturbance::explains(const std::exception_ptr& thrown) const noexcept {
  if (done_.empty()) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const cancelled&) {
    return kind_ == disturbance_kind::cancel;
  } catch (const std::bad_alloc&) {
    return kind_ == disturbance_kind::fail_alloc;
  } catch (const exception_group& several) {
    const auto& all = several.exceptions();
    return std::all_of(all.begin(), all.end(), [this](const std::exception_ptr& each) { return explains(each); });
  } catch (const std::nested_exception& outer) {
    return outer.nested_ptr() != nullptr && explains(outer.nested_ptr());
  } catch (...) {
    return false;
  }
}

void disturbance::begin() {
  detail::context& context = detail::here();
  in_ = context.owner;
  begun_ = true;
  under_test_ = context.running->id();
  if (kind_ != disturbance_kind::fail_alloc) return;
  context.frames = nullptr;  // so that every frame is allocated
  if (!waits_for_name_) context.fails = this;
}

void disturbance::end() noexcept {
  if (!std::exchange(begun_, false)) return;
  in_->disturb(nullptr);
  agent* const who = in_->running();
  if (who != nullptr && kind_ == disturbance_kind::cancel && !done_.empty() && who->id() == under_test_ &&
      who->cancelling() != 0) {
    who->uncancel();
  }
}

void disturbance::name(agent& who) noexcept {
  if (!begun_) return;
  if (!std::exchange(named_, true) && !waits_for_name_) moments_ = 0;
  waits_for_name_ = false;
  under_test_ = who.id();
  awaits_ = who.parked_at(detail::unseen) != nullptr ? 1 : 0;
  in_->fails = lets_fail(*in_->running()) ? this : nullptr;
}

bool disturbance::is_under_test(const agent& who) const noexcept {
  return begun_ && !waits_for_name_ && who.id() == under_test_;
}

bool disturbance::descends(const agent* who) const noexcept {
  while (who != nullptr && who->id() != under_test_) who = who->parent();
  return who != nullptr;
}

// Counts a moment, and says whether it is the one.
bool disturbance::is_due() noexcept { return ++moments_ == at_ && done_.empty(); }

void disturbance::cancel(agent& who, std::string_view when) {
  if (!is_due()) return;
  done_ = awaits_ == 0 ? fmt::format("task \"{}\" was cancelled before it began", who.name(detail::unseen))
                       : fmt::format("task \"{}\" was cancelled at its {} suspension, {}, {}", who.name(detail::unseen),
                                     ordinal(awaits_), where_it_stands(who), when);
  agent* const was_running = std::exchange(in_->context::running, nullptr);
  who.cancel("cancel_every");
  in_->context::running = was_running;
}

void disturbance::destroy(const agent& who) {
  if (!begun_ || waits_for_name_ || !is_due()) return;
  const std::string stands = who.finished(detail::unseen) ? "had ended" : "had come to " + where_it_stands(who);
  done_ = fmt::format("the world was torn down at the {} moment, when task \"{}\" {}", ordinal(moments_),
                      who.name(detail::unseen), stands);
  in_->stop();
}

void disturbance::comes_to(agent& who, const operation& op) {
  if (kind_ == disturbance_kind::cancel && is_under_test(who)) {
    ++awaits_;
    cancel(who, fmt::format("when it came there ({})", op.describe()));
  } else if (kind_ == disturbance_kind::destroy) {
    destroy(who);
  }
}

void disturbance::before_step(agent& who) {
  if (kind_ != disturbance_kind::cancel || !is_under_test(who)) return;
  if (who.yields()) ++awaits_;  // which it comes to unseen
  cancel(who, "just before it went on");
}

void disturbance::after_step(agent& who) {
  if (kind_ == disturbance_kind::destroy) {
    destroy(who);
  } else if (const operation* at = who.parked_at(detail::unseen);
             kind_ == disturbance_kind::cancel && is_under_test(who) && at != nullptr) {
    cancel(who, fmt::format("while it waited ({})", at->describe()));
  }
}

bool disturbance::lets_fail(const agent& who) const noexcept {
  return kind_ == disturbance_kind::fail_alloc && begun_ && !waits_for_name_ && descends(&who);
}

bool disturbance::allocates() noexcept {
  if (!is_due()) return false;
  const sparing_allocations of_reports;
  const agent* const who = detail::current_context->running;
  const std::string task =
      who != nullptr ? fmt::format("task \"{}\"", who->name(detail::unseen)) : "a task that has ended";
  const std::string after = who != nullptr ? where_it_stands(*who) : std::string();
  done_ = fmt::format("the {} allocation failed, in {}{}{}", ordinal(moments_), task, after.empty() ? "" : ", after ",
                      after);
  return true;
}

bool allocation_fails() noexcept {
  const detail::context* const context = detail::current_context;
  return context != nullptr && context->fails != nullptr && context->fails->allocates();
}

// -- the loop's side --------------------------------------------------------------------------------------------------

void loop::disturb(disturbance* by) noexcept {
  disturbed_by_ = by;
  if (by != nullptr) {
    request(attention_disturb);
  } else {
    attention_.fetch_and(static_cast<std::uint16_t>(~attention_disturb), std::memory_order_relaxed);
    context::fails = nullptr;
    context::frames = pool_.get();
  }
}

}  // namespace lockstep
