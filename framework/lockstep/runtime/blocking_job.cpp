#include <lockstep/runtime/blocking_job.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/job_waiter.hpp>
#include <lockstep/runtime/loop.hpp>

#include <future>

namespace lockstep::detail {

// What a thread of a pool sees: no loop runs there. On the loop's own thread, which stands for one in a simulation,
// the loop's inbox takes it for another as well, so that what is misuse in a program is so in its test.
class job_state::scope {
 public:
  explicit scope(job_state& runs) noexcept
      : outer_context_(std::exchange(current_context, nullptr)), outer_job_(std::exchange(current_job, &runs)),
        elsewhere_(*runs.home_) {}
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope() {
    current_context = outer_context_;
    current_job = outer_job_;
  }

 private:
  context* outer_context_;
  job_state* outer_job_;
  inbox::elsewhere elsewhere_;
};

job_state::job_state(const source& where) : job_state(where, *lockstep::detail::here().owner) {}

job_state::job_state(const source& where, loop& owner)
    : home_(owner.shared_outside()), run_(owner.context::run), where_(where), environment_(owner.driven_by()),
      locals_(task_locals::current()), given_(owner.now()), given_on_machine_(environment_.machine_time()) {}

// A letter that nobody has taken must not outlive it.
job_state::~job_state() { home_->withdraw(*this); }

bool job_state::begin() noexcept {
  stage expected = stage::waiting;
  return stage_.compare_exchange_strong(expected, stage::running, std::memory_order_acq_rel);
}

void job_state::run() noexcept {
  const scope in_job(*this);
  try {
    locals_.run([this] { call(); });
  } catch (...) {
    failure_ = std::current_exception();
  }
  destroy_function();
}

// First the letter, then the mark: a task that is being destroyed waits for the mark.
void job_state::send() noexcept {
  home_->post(*this, run_);
  stage_.store(stage::done, std::memory_order_release);
  stage_.notify_all();
}

void job_state::drop() noexcept {
  if (!begin()) return;
  destroy_function();
  failure_ = std::make_exception_ptr(std::future_error(std::future_errc::broken_promise));
  send();
}

// -- in a simulation --------------------------------------------------------------------------------------------------

duration job_state::run_at(time_point start) noexcept {
  given_ = start;
  simulated_ = true;
  run();
  return consumed_;
}

void job_state::hand_over() noexcept {
  stage_.store(stage::done, std::memory_order_relaxed);
  arrive(run_);
}

// -- the loop's side --------------------------------------------------------------------------------------------------

bool job_state::take_back() noexcept {
  stage expected = stage::waiting;
  if (!stage_.compare_exchange_strong(expected, stage::taken_back, std::memory_order_acq_rel)) {
    return expected == stage::taken_back;
  }
  destroy_function();
  return true;
}

void job_state::wait_until_done() noexcept {
  for (stage now = stage_.load(std::memory_order_acquire); now == stage::running;) {
    stage_.wait(now, std::memory_order_acquire);
    now = stage_.load(std::memory_order_acquire);
  }
}

void job_state::refused(std::exception_ptr why) noexcept {
  if (stage_.load(std::memory_order_acquire) == stage::done) failure_ = std::move(why);
}

void job_state::arrive(std::uint64_t run) noexcept {
  if (run == run_ && waiter_ != nullptr) std::exchange(waiter_, nullptr)->arrived();
}

// -- in the function --------------------------------------------------------------------------------------------------

job_state* job_state::here() noexcept { return current_context == nullptr ? current_job : nullptr; }

// The loop and its driver live while a job of theirs runs.
time_point job_state::local_time() const noexcept {
  return saturating_add(given_, consumed_ + environment_.machine_time() - given_on_machine_);
}

void job_state::consume(duration length) noexcept {
  if (simulated_ && length > duration::zero()) consumed_ = saturating_add(consumed_, length);
}

void job_state::refuse_loop() const { home_->refuse(run_, {"the loop", 0, "was used", where_}); }

}  // namespace lockstep::detail
