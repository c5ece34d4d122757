#include <lockstep/runtime/shared_task.hpp>

#include <lockstep/runtime/shield.hpp>

namespace lockstep::detail {

task<void> shared_work::wait() {
  agent& work = to_join(users_line());
  touch(everything, access::write);
  shield_scope::make_room(current_task());
  struct waiting {
    std::size_t& waiters;
    explicit waiting(std::size_t& of) noexcept : waiters(of) { ++waiters; }
    ~waiting() { --waiters; }
  };
  std::exception_ptr interrupted;
  {
    const waiting one(waiters_);
    try {
      co_await end_of_task(work);
    } catch (const cancelled&) {
      interrupted = std::current_exception();
    }
  }
  if (interrupted == nullptr) co_return;
  // Only now: somebody may have come while this one was on its way.
  if (waiters_ == 0 && work.cancel(current_task().cancel_reason(detail::unseen))) {
    const shield_scope until_it_has_ended;
    co_await end_of_task(work);
  }
  std::rethrow_exception(interrupted);
}

}  // namespace lockstep::detail
