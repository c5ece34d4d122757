#include <lockstep/fs/file_call.hpp>

#include <lockstep/fs/file_lock.hpp>
#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/sync/guard.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

namespace lockstep::detail {

namespace {

constexpr int no_memory = 1 << 16;  // no error number of a system's, but std::bad_alloc

// While it lives, the disk's time of the calls that are made is let pass so.
class accounting {
 public:
  accounting(system_calls& of, system_calls::disk_time how) noexcept : of_(of) { of_.account(how); }
  accounting(const accounting&) = delete;
  accounting& operator=(const accounting&) = delete;
  ~accounting() { of_.account(system_calls::disk_time::blocks); }

 private:
  system_calls& of_;
};

}  // namespace

// -- held_file --------------------------------------------------------------------------------------------------------

held_file::held_file(const char* noun, std::string path, std::shared_ptr<system_calls> calls)
    : object(label(std::move(path))), noun_(noun), calls_(std::move(calls)) {}

void held_file::hold(int fd, const source& where) noexcept {
  fd_ = fd;
  calls_->opened_at(fd, where);
}

held_file::~held_file() {
  wait_list orphans;
  while (!waiting_.empty()) {
    file_call& each = waiting_.pop_front();
    if (each.armed() && current_loop() != nullptr) current_context->owner->timers().disarm(each);
    each.part();
    each.forget_pool();
    orphans.push_back(each);
  }
  orphan_waiters(orphans, *this, true);
  if (const int fd = let_go(); fd >= 0) calls_->close(fd);
}

int held_file::let_go() noexcept {
  if (lock_ != nullptr) lock_->forget_file();
  return std::exchange(fd_, -1);
}

// Not at the end of a run, where those who wait are about to be destroyed.
void held_file::go_on() noexcept {
  if (waiting_.empty()) return;
  const loop* const owner = current_loop();
  if (owner == nullptr || owner->tearing_down()) return;
  while (file_call* const first = first_that_may_begin()) first->begin_in_turn();
}

file_call* held_file::first_that_may_begin() noexcept {
  for (file_call& each : waiting_) {
    if (each.state_ == file_call::state::queued && each.may_begin()) return &each;
  }
  return nullptr;
}

// -- file_call --------------------------------------------------------------------------------------------------------

// It refers to nothing of the call but that.
class file_call::job_of_call final : public job_state {
 public:
  explicit job_of_call(file_call& of) : job_state(users_line()), of_(of) {}

 private:
  void call() override { of_.make(system_calls::disk_time::blocks); }
  void destroy_function() noexcept override {}
  void destroy_result() noexcept override {}

  file_call& of_;
};

file_call::~file_call() {
  if (list_hook<file_call>::linked()) list_hook<file_call>::unlink();
  if (turn_) pass_turn();
}

std::string file_call::describe() const {
  const held_file* const file = of();
  if (file == nullptr) return fmt::format("{} a file that is gone", deed_);
  return fmt::format("{} {:?}{}", deed_, file->path(), file->fd() >= 0 ? "" : ", which is closed");
}

void file_call::touch_what() const noexcept {
  if (calls_->wait_for_disk()) return touch(everything, access::write);
  if (what() != nullptr) what()->touch(reads_only() ? access::read : access::write);
}

bool file_call::may_begin() const noexcept {
  const held_file* const file = of();
  if (file == nullptr) return true;
  if (is(order::in_turn)) return file->turn_ == nullptr || file->turn_ == this;
  if (order_ != order::last_here) return true;
  for (file_call& each : subject<held_file>().waiting_) {
    if (each.is_to_be_made()) return false;
  }
  return true;
}

bool file_call::try_now() {
  if (state_ == state::on_disk) return false;  // it was an arm of a select that took another
  if (!may_begin()) {
    state_ = state::queued;
    return false;
  }
  return begin();
}

// Asked to wait for it twice, the disk takes its time once.
bool file_call::begin() {
  if (held_file* const file = of(); file != nullptr) {
    if (order_ != order::last_here) fd_ = file->fd();
    if (is(order::in_turn)) {
      file->turn_ = this;
      turn_ = true;
    }
    if (fd_ < 0) return has_failed(EBADF);
  }
  if (!is(order::here) && calls_->wait_for_disk()) {
    is_for(nullptr);
    has_job(std::make_shared<job_of_call>(*this));
    state_ = state::in_job;
    return false;
  }
  using enum system_calls::disk_time;
  duration length{};
  if (is(order::at_end)) {
    const accounting meanwhile(*calls_, awaited);
    length = calls_->time_of_sync(fd_);
  }
  if (length <= duration::zero()) {
    make(is(order::at_end) ? spent : awaited);
    length = calls_->take_disk_time();
  }
  state_ = state::made;
  if (length <= duration::zero()) [[likely]]
    return true;
  state_ = state::on_disk;
  until_ = saturating_add(current_context->owner->now(), length);
  return false;
}

bool file_call::has_failed(int error) noexcept {
  outcome_ = -error;
  state_ = state::made;
  return true;
}

// A signal that comes before anything has happened is nothing; but one that comes for ever is an error.
void file_call::make(system_calls::disk_time how) {
  const accounting meanwhile(*calls_, how);
  int attempts = 0;
  do {
    outcome_ = call();
  } while (outcome_ == -EINTR && order_ != order::last_here && ++attempts < 64);
  made_ = true;
}

void file_call::enqueue() noexcept {
  if (held_file* const file = of(); file != nullptr) file->waiting_.push_back(*this);
  wait_in_state();
}

void file_call::wait_in_state() noexcept {
  loop& owner = *current_context->owner;
  if (state_ == state::in_job) {
    submit();
  } else if (state_ == state::on_disk && until_ <= owner.now()) {
    end_on_disk();
  } else if (state_ == state::on_disk && until_ != time_point::max()) {
    owner.timers().arm(*this, until_);
  }
}

// In the name of its own task, whoever has passed the turn on.
void file_call::begin_in_turn() noexcept {
  if (!in_its_name([this] { return begin(); })) return wait_in_state();
  leave();
  grant();
}

template <class F>
bool file_call::in_its_name(const F& make) noexcept {
  subject<held_file>().touch(access::write);
  const loop_scope as_its_task(*current_context->owner, who());
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return has_failed(no_memory);
  } catch (...) {  // misuse of the executor, which has been reported
    return has_failed(ECANCELED);
  }
}

void file_call::has_passed(timer& due) noexcept { static_cast<file_call&>(due).end_on_disk(); }

void file_call::end_on_disk() noexcept {
  if (!made_) {
    in_its_name([this] {
      make(system_calls::disk_time::spent);
      return true;
    });
  }
  leave();
  grant();
}

void file_call::job_ended() noexcept {
  if (stopped()) return;
  if (!made_) has_failed(ECANCELED);  // the executor has dropped it, and fail() says why
  leave();
  grant();
}

void file_call::leave() noexcept {
  state_ = state::made;
  if (list_hook<file_call>::linked()) list_hook<file_call>::unlink();
}

void file_call::grant() noexcept {
  current_context->owner->grant(*this);
  if (held_file* const file = of(); file != nullptr) file->go_on();
}

void file_call::pass_turn() noexcept {
  turn_ = false;
  held_file* const file = of();
  if (file == nullptr || file->turn_ != this) return;
  file->turn_ = nullptr;
  file->go_on();
}

// It may be awaited again, if it was an arm of a select.
void file_call::withdraw() noexcept {
  if (armed()) current_context->owner->timers().disarm(*this);
  part();
  if (state_ == state::in_job) let_job_go();
  leave();
  if (made_) undo();
  made_ = false;
  state_ = state::fresh;
  if (turn_) {
    pass_turn();
  } else if (held_file* const file = of(); file != nullptr) {
    file->go_on();
  }
}

bool file_call::cancel_requested() noexcept {
  if (state_ == state::in_job && !cancel_job()) return false;
  withdraw();
  return true;
}

bool file_call::revoke() noexcept {
  if (what() == nullptr && turn_) return false;
  if (outcome_ < 0 || !undo()) return false;
  made_ = false;
  if (turn_) pass_turn();
  return true;
}

void file_call::undo_unseen() noexcept {
  if (!made_ || seen_ || stopped() || (turn_ && what() == nullptr)) return;
  undo();
  made_ = false;
}

void file_call::fail() const {
  if (outcome_ == -no_memory) throw std::bad_alloc();
  if (failure() != nullptr) std::rethrow_exception(failure());
  throw std::system_error(static_cast<int>(-outcome_), std::system_category(), describe());
}

}  // namespace lockstep::detail
