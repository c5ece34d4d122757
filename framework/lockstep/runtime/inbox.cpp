#include <lockstep/runtime/inbox.hpp>

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/driver.hpp>
#include <lockstep/runtime/foreign.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

namespace {

void let_go(agent* dropped) noexcept { loop::release(*dropped); }
void let_go(std::coroutine_handle<> unstarted) noexcept { unstarted.destroy(); }

}  // namespace

// What is destroyed may hold more of it.
std::unique_lock<std::recursive_mutex> inbox::of_loops_gone() {
  static std::recursive_mutex& made = *new std::recursive_mutex;  // for ever, as statics may hold such memory
  return std::unique_lock(made);
}

inbox::~inbox() { destroy_abandoned(); }

void inbox::destroy_abandoned() noexcept {
  for (detail::wake_up* at = std::exchange(abandoned_, nullptr); at != nullptr;) {
    std::exchange(at, at->next)->proxy.destroy();
  }
}

// -- the run it is for ------------------------------------------------------------------------------------------------

void inbox::open_carefully(std::uint64_t run) {
  const std::lock_guard lock(mutex_);
  destroy_abandoned();
  begin(run);
}

inbox::mail inbox::close() {
  const std::lock_guard lock(mutex_);
  run_.store(0, std::memory_order_relaxed);
  arrived_.store(false, std::memory_order_relaxed);
  return std::exchange(mail_, {});
}

void inbox::retire() {
  const std::lock_guard lock(mutex_);
  loop_is_gone_ = true;
  woken_ = nullptr;
}

// -- what was used where it may not be --------------------------------------------------------------------------------

std::string inbox::word(std::uint64_t run, detail::usage& use) noexcept {
  const sparing_allocations of_reports;
  if (detail::job_state::here() != nullptr) {
    use.deed += " in a blocking job";
  } else {
    use.deed += on_its_thread() ? " in another run than its own" : " on another thread";
  }
  if (use.done_there && use.where.line() != 0 && !is_internal(use.where))
    use.deed += fmt::format(" ({})", file_and_line(use.where));
  std::string text = use.subject + " " + use.deed;
  if (detail::context* context = detail::current_context; context != nullptr && context->run != run) {
    context->owner->report_misuse(text, use.where);
  }
  return text;
}

std::string inbox::tell(std::uint64_t run, detail::usage use) noexcept {
  const sparing_allocations of_reports;
  std::string text = word(run, use);
  const std::lock_guard lock(mutex_);
  if (run != 0 && run == inbox::run()) {
    mail_.complaints.push_back({run, std::move(use)});
    notify();
  }
  return text;
}

void inbox::refuse(std::uint64_t run, detail::usage use) {
  const detail::context* context = detail::current_context;
  if (context == nullptr && on_its_thread()) detail::no_loop_here();
  throw misuse(tell(run, std::move(use)), context != nullptr ? context->run : run);
}

template <class T>
void inbox::take_over(std::vector<T> mail::*list, T item, std::optional<detail::usage> use) {
  const std::uint64_t told = use ? run() : 0;
  if (told != 0) {
    use->done_there = false;
    static_cast<void>(word(told, *use));
  }
  std::unique_lock lock(mutex_);
  if (run() != 0 || !(loop_is_gone_ || on_its_thread())) {
    if (told != 0) mail_.complaints.push_back({told, std::move(*use)});
    (mail_.*list).push_back(item);
    notify();
    return;
  }
  lock.unlock();
  const auto alone = of_loops_gone();
  let_go(item);
}

void inbox::take_over(agent& dropped, std::optional<detail::usage> use) noexcept {
  take_over(&mail::dropped, &dropped, std::move(use));
}

void inbox::take_over(std::coroutine_handle<> unstarted, std::optional<detail::usage> use) noexcept {
  take_over(&mail::unstarted, unstarted, std::move(use));
}

// -- calls ------------------------------------------------------------------------------------------------------------

bool inbox::post(std::uint64_t run, std::shared_ptr<detail::scheduled_call> call) {
  const std::lock_guard lock(mutex_);
  if (!takes_calls_ || run != inbox::run()) return false;
  mail_.calls.push_back(std::move(call));
  notify();
  return true;
}

void inbox::refuse_calls() {
  const std::lock_guard lock(mutex_);
  takes_calls_ = false;
}

// A loop that waits for the last of them has nothing to wait for any more.
void inbox::lose_caller() noexcept {
  const std::lock_guard lock(mutex_);
  if (--callers == 0) notify();
}

// -- wake-ups ---------------------------------------------------------------------------------------------------------

// With the lock held: as soon as it is free, the loop may take what is there, end, and destroy this.
void inbox::notify() {
  if (arrived_.exchange(true, std::memory_order_acq_rel)) return;
  waiting_.notify_one();
  if (woken_ != nullptr) woken_->wake();
}

void inbox::post(detail::wake_up& done) {
  const std::lock_guard lock(mutex_);
  done.posted = true;
  if (!done.from_outside && !on_its_thread()) {
    const std::string deed = fmt::format("{} what was resumed on another thread: mark it, as in co_await outside(x)",
                                         done.wait != nullptr ? "awaits" : "awaited");
    mail_.complaints.push_back({done.run, {"a task that is gone", done.task, deed, done.where}});
  }
  if (done.wait != nullptr) mail_.done.push_back(done.wait);
  notify();
}

void inbox::remove(detail::wake_up& unwanted) noexcept {
  std::erase(mail_.done, std::exchange(unwanted.wait, nullptr));
}

void inbox::withdraw(detail::wake_up& unwanted) noexcept {
  const std::lock_guard lock(mutex_);
  remove(unwanted);
}

void inbox::abandon(detail::wake_up& unwanted, std::coroutine_handle<> proxy) noexcept {
  const std::lock_guard lock(mutex_);
  remove(unwanted);
  if (unwanted.posted) {
    proxy.destroy();
  } else {
    unwanted.proxy = proxy;
    unwanted.next = std::exchange(abandoned_, &unwanted);
  }
}

// A run that is over waits for none of its jobs.
void inbox::post(detail::job_state& done, std::uint64_t run) noexcept {
  const std::lock_guard lock(mutex_);
  if (run != inbox::run()) return;
  mail_.jobs.push_back(&done);
  notify();
}

void inbox::withdraw(detail::job_state& unwanted) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(mail_.jobs, &unwanted);
}

inbox::mail inbox::take() {
  const std::lock_guard lock(mutex_);
  arrived_.store(false, std::memory_order_relaxed);
  return std::exchange(mail_, {});
}

void inbox::wait() {
  std::unique_lock lock(mutex_);
  waiting_.wait(lock, [this] { return arrived_.load(std::memory_order_relaxed); });
}

}  // namespace lockstep
