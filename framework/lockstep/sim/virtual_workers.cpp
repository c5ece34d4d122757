#include <lockstep/sim/virtual_workers.hpp>

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <utility>

namespace lockstep::sim {

struct virtual_workers::desk {
  unsigned free;
  intrusive_list<seat> queue;
};

// A job's place: in the queue, or at a worker, which is free again when the place dies.
class virtual_workers::seat : public list_hook<> {
 public:
  explicit seat(std::shared_ptr<desk> at) : desk_(std::move(at)) {
    if (desk_->free != 0) {
      --desk_->free;
      taken_ = true;
    } else {
      desk_->queue.push_back(*this);
    }
  }
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;
  ~seat() {
    detail::touch(everything, access::write);
    if (!taken_) {
      if (linked()) unlink();
    } else if (desk_->queue.empty()) {
      ++desk_->free;
    } else {
      desk_->queue.pop_front().call(true);
    }
  }

  bool taken() const noexcept { return taken_; }
  bool called() const noexcept { return called_; }
  // Its worker, or that there will be none.
  void call(bool taken) noexcept {
    taken_ = taken;
    called_ = true;
    if (operation* const waiter = std::exchange(waiter_, nullptr); waiter != nullptr) {
      detail::current_context->owner->grant(*waiter);
    }
  }
  void waits(operation* at) noexcept { waiter_ = at; }

 private:
  std::shared_ptr<desk> desk_;
  bool taken_ = false;
  bool called_ = false;
  operation* waiter_ = nullptr;
};

class virtual_workers::turn final : public primitive<virtual_workers::turn> {
 public:
  explicit turn(seat& of) noexcept : primitive(operation_kind::job), seat_(of) {}

  bool try_now() const noexcept { return seat_.taken() || seat_.called(); }
  void touch_what() const noexcept { detail::touch(everything, access::write); }
  void touch_end() const noexcept override { touch_what(); }
  void enqueue() noexcept override { seat_.waits(this); }
  void withdraw() noexcept override { seat_.waits(nullptr); }
  std::string describe() const override { return "a free worker"; }
  void result() const noexcept {}

 private:
  seat& seat_;
};

virtual_workers::virtual_workers(unsigned count) : desk_(std::make_shared<desk>()) { desk_->free = count; }

virtual_workers::~virtual_workers() {
  while (!desk_->queue.empty()) desk_->queue.pop_front().call(false);
}

void virtual_workers::submit(job work) {
  detail::touch(everything, access::write);
  loop& owner = *detail::here().owner;
  const source where = detail::users_line();
  const std::shared_ptr<detail::job_state> state = work.state();
  task<void> run = blocking_job(std::make_unique<seat>(desk_), std::move(work));
  agent& made = owner.adopt(run.release(), where);
  detail::spawn_guard guard(made);
  shield_scope::make_room(made);  // or it could fail before it has the job in hand
  state->is_run_by(guard.pass());
}

// Who waits for the job ends this task early; nobody else can.
task<void> virtual_workers::blocking_job(std::unique_ptr<seat> given_seat, job given) {
  const std::unique_ptr<seat> at = std::move(given_seat);  // and left at the end, not when the frame goes
  const shield_scope uninterrupted;
  if (!at->taken()) {
    turn mine(*at);
    co_await mine;
  }
  const std::shared_ptr<detail::job_state> work = given.release();
  if (!at->taken()) {  // its pool is gone
    work->drop();
    co_return;
  }
  if (!work->begin()) co_return;
  loop& owner = *detail::here().owner;
  owner.excuse_slow_step();
  const duration length = work->run_at(owner.now());
  if (length > duration::zero()) co_await sleep_for(length);
  work->hand_over();
}

}  // namespace lockstep::sim
