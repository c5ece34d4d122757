#include <lockstep/runtime/async_generator.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <fmt/format.h>

#include <new>
#include <string>
#include <vector>

namespace lockstep::detail {

// -- clean-ups --------------------------------------------------------------------------------------------------------

// One by one: there may be many.
clean_up::~clean_up() {
  while (earlier != nullptr) earlier = std::exchange(earlier->earlier, nullptr);
}

void clean_ups::add(std::unique_ptr<clean_up> last) noexcept {
  last->earlier = std::move(last_);
  last_ = std::move(last);
  run_ = here().run;
}

std::unique_ptr<clean_up> clean_ups::take_last() noexcept {
  std::unique_ptr<clean_up> taken = std::move(last_);
  if (taken != nullptr) last_ = std::move(taken->earlier);
  return taken;
}

std::size_t clean_ups::size() const noexcept {
  std::size_t count = 0;
  for (const clean_up* at = last_.get(); at != nullptr; at = at->earlier.get()) ++count;
  return count;
}

task<std::exception_ptr> run_clean_ups(clean_ups all, std::exception_ptr failure) {
  std::vector<std::exception_ptr> failures;
  failures.reserve(all.size() + 1);  // so that none is lost for want of memory
  {
    const shield_scope until_done;
    while (const std::unique_ptr<clean_up> next = all.take_last()) {
      try {
        co_await next->run();
      } catch (...) {
        failures.push_back(std::current_exception());
      }
    }
  }
  if (failures.empty()) co_return failure;
  if (failure != nullptr && holds<cancelled>(failure)) {
    if (current_task().cancelling() != 0) current_task().keep_cancellation();
  } else if (failure != nullptr) {
    failures.insert(failures.begin(), failure);
  }
  if (failures.size() == 1) co_return failures.front();
  co_return pointer_to(exception_group(std::move(failures)));
}

task<void> clean_ups::run_alone(std::unique_ptr<clean_up> last, place of) {
  clean_ups all;
  all.last_ = std::move(last);
  all.run_ = here().run;  // if there is no memory to begin, they are handed over again
  all.of_ = of;
  const std::exception_ptr failure = co_await run_clean_ups(std::move(all), nullptr);
  if (failure != nullptr) std::rethrow_exception(failure);
}

// The generator was dropped before its end.
void clean_ups::hand_over() noexcept {
  std::unique_ptr<clean_up> last = std::move(last_);
  loop* const owner = current_loop();
  if (owner == nullptr || owner->context::run != run_ || !owner->accepts_clean_up()) return;
  try {
    owner->spawn_clean_up(run_alone(std::move(last), of_).release(), of_);
  } catch (const std::bad_alloc&) {
    const disturbance* const by = owner->disturbed_by();
    if (by != nullptr && by->explains(std::current_exception())) return;
    owner->report(verdict_kind::unhandled_exception,
                  fmt::format("the clean-up of {}() could not be run, as memory ran out", function_of(of_)), of_);
  }
}

// -- bodies -----------------------------------------------------------------------------------------------------------

void generator_body::enter() {
  if (std::exchange(entered, true)) {
    here().owner->misused(
        fmt::format("next() or close() of an async_generator, {}(), while a next() of it is under "
                    "way",
                    function_of(where)));
  }
}

generator_body& generator_body::current(source where) {
  frame* const at = current_task(where).stands_at();
  if (at == nullptr || !at->where.of_generator()) {
    here().owner->misused("on_close() outside of the body of an async_generator", where);
  }
  return static_cast<generator_body&>(*at);
}

void drop_body(std::coroutine_handle<> body, generator_body& of) noexcept {
  if (of.owner != nullptr) *of.owner = nullptr;
  destroy_body(body, of.memory, of.where, &of);
}

void desert_body(generator_body& body) noexcept {
  body.owner = nullptr;
  loop* const owner = current_loop();
  if (owner == nullptr) return;
  owner->report_end(
      verdict_kind::misuse,
      fmt::format("an async_generator, {}(), died while a next() of it is under way", function_of(body.where)),
      source(), {});
}

void throw_deserted() { throw misuse("the async_generator died while a next() of it was under way", here().run); }

}  // namespace lockstep::detail
