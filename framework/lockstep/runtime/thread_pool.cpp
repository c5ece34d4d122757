#include <lockstep/runtime/thread_pool.hpp>

#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/runtime/timeout.hpp>

#include <fmt/format.h>

namespace lockstep {

class thread_pool::draining final : public primitive<thread_pool::draining> {
 public:
  explicit draining(thread_pool& of) noexcept : primitive(operation_kind::job, of) {}

  bool try_now() const noexcept { return subject<thread_pool>().jobs_.empty(); }
  void touch_what() const noexcept { detail::touch(everything, access::write); }
  void enqueue() noexcept override { subject<thread_pool>().drainers_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  std::string describe() const override { return "end of every " + operation::describe(); }
  void result() const noexcept {}
};

thread_pool::thread_pool(unsigned workers, label name, source where) : object(std::move(name)), count_(workers) {
  if (workers != 0) return;
  const std::string text = object::described() + " without a worker: no job would ever run";
  if (detail::current_context != nullptr) detail::current_context->owner->misused(text, where);
  throw misuse(text);
}

thread_pool::~thread_pool() {
  loop* owner = current_loop();
  wait_list not_begun;
  if (owner != nullptr) owner->part_from(*this, not_begun, false);
  while (!not_begun.empty()) not_begun.pop_front().orphan();
  if (!jobs_.empty() || !drainers_.empty()) {
    if (tell_elsewhere("died while a task waits for it")) owner = nullptr;
    if (owner != nullptr) {
      operation& first = !jobs_.empty() ? jobs_.front() : drainers_.front();
      owner->report_end(verdict_kind::misuse,
                        fmt::format("the {} died while task \"{}\" waits for {}", described(),
                                    first.who()->name(detail::unseen), jobs_.empty() ? "it" : "a job"),
                        source(), {first.who()});
    }
    while (!jobs_.empty()) static_cast<detail::job_waiter&>(jobs_.pop_front()).forget_pool();
    while (!drainers_.empty()) drainers_.pop_front().orphan();
  }
}

void thread_pool::forget_run() noexcept {
  workers_.reset();
  closed_ = false;
}

void thread_pool::admit() {
  const source where = detail::users_line();
  loop& owner = *enter("was given a job", where).owner;
  if (closed_) owner.misused(described() + ", which was shut down, was given a job", where);
}

void thread_pool::submit(job work) {
  if (workers_ == nullptr) workers_ = detail::here().owner->make_workers(count_, name());
  workers_->submit(std::move(work));
}

void thread_pool::has_lost_a_job() noexcept {
  if (!jobs_.empty()) return;
  while (!drainers_.empty()) detail::current_context->owner->grant(drainers_.pop_front());
}

void thread_pool::part_with_jobs() noexcept {
  while (!jobs_.empty()) static_cast<detail::job_waiter&>(jobs_.pop_front()).forget_pool();
  if (workers_ != nullptr) workers_->leave_jobs();
  workers_.reset();
}

task<std::size_t> thread_pool::shut_down(duration limit) {
  enter("was shut down", detail::users_line());
  closed_ = true;
  const auto drained = [](thread_pool& of) -> task<void> {
    draining all(of);
    co_await all;
  };
  try {
    co_await with_timeout(limit, drained(*this));
  } catch (const timed_out&) {
  }
  co_return unfinished();
}

// -- the loop's own ---------------------------------------------------------------------------------------------------

// It is nobody's, so that who uses it first is not to be seen in any identity.
executor& loop::default_executor() {
  if (default_executor_died_)
    misused("the executor that was given to set_default_executor() has died", detail::users_line());
  if (default_executor_ == nullptr) {
    // Nobody's, whoever is the first to use it; also if there is no memory for it.
    struct in_nobodys_name {
      context& of;
      agent* const user = std::exchange(of.running, nullptr);
      ~in_nobodys_name() { of.running = user; }
    };
    const in_nobodys_name made_so{*this};
    default_pool_ = std::make_unique<thread_pool>(driver_.workers_by_default(), label("default"));
    default_executor_ = default_pool_.get();
  }
  return *default_executor_;
}

std::vector<agent*> loop::waiting_for_jobs() const {
  std::vector<agent*> waiters = alive();
  std::erase_if(waiters, [](const agent* who) {
    const auto* const wait = dynamic_cast<const detail::job_waiter*>(who->parked_at(detail::unseen));
    return wait == nullptr || !wait->waits_for_job();
  });
  return waiters;
}

// Objects that outlive the run must not grant them anything, nor handles complain that they do.
void loop::part_with_jobs() noexcept {
  for (agent* who : alive()) {
    who->is_.outlives = true;
    if (who->is_.in_foreign || who->parked_at(detail::unseen) == nullptr) continue;
    operation& at = *who->operation_;
    if (auto* const wait = dynamic_cast<detail::job_waiter*>(&at); wait == nullptr || !wait->waits_for_job()) {
      at.withdraw();
      at.orphan();
    } else if (thread_pool* const pool = wait->pool(); pool != nullptr) {
      pool->part_with_jobs();
    }
  }
}

void loop::end_default_pool() noexcept { default_pool_.reset(); }

std::unique_ptr<executor> loop::make_workers(unsigned count, std::string_view name) {
  std::unique_ptr<executor> made = driver_.make_workers(count, name);
  if (made == nullptr) misused("the driver of this loop has no workers for blocking jobs", detail::users_line());
  return made;
}

void set_default_executor(executor& on) { detail::here().owner->set_default_executor(on); }

task<std::size_t> shut_down_default_executor(duration limit) {
  auto* const pool = dynamic_cast<thread_pool*>(&detail::here().owner->default_executor());
  if (pool == nullptr) co_return 0;
  co_return co_await pool->shut_down(limit);
}

}  // namespace lockstep
