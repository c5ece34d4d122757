// as_completed: tasks in the order in which they end.
//
//   as_completed pages(fetches);  // a std::vector<task<page>>, or handles
//   while (join_handle<page>* const each = co_await pages.next()) use(each->result());
#pragma once

#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/onlooker.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace lockstep {

// Yields the handle of each task when that has ended; what it came to is the caller's to read. Belongs to one task.
template <class T>
class as_completed {
 public:
  // Of tasks that stay the caller's: the handles must own them, and stay where they are, for as long as this lives.
  // Several may look at the same task.
  explicit as_completed(std::span<join_handle<T>> handles, source where = source::current())
      : as_completed(addresses_in(handles), where) {}
  explicit as_completed(std::vector<join_handle<T>>& handles, source where = source::current())
      : as_completed(std::span<join_handle<T>>(handles), where) {}
  // Of tasks that it runs and owns, in the order given. Those that have not ended when it dies are destroyed, which is
  // a verdict as with a handle.
  explicit as_completed(std::vector<task<T>> works, source where = source::current())
      : as_completed(spawn_all(std::move(works), where), where) {}
  as_completed(const as_completed&) = delete;
  as_completed& operator=(const as_completed&) = delete;

  // How many are yet to be yielded.
  std::size_t left() const noexcept {
    detail::touch(everything, access::write);
    return handles_.size() - taken_;
  }
  // Asks those that have not ended to stop. They are yielded when they have.
  void cancel(const label& reason = {}, source where = source::current()) {
    for (join_handle<T>* each : handles_) each->cancel(reason, where);
  }

  // Waits until one more has ended and returns its handle; null when all have been yielded. Those that end at one
  // instant come in the order of their last steps; those that had ended before come first, as they were given.
  // Cancelling the waiter leaves the tasks alone. Misuse while another next() of it is under way.
  task<join_handle<T>*> next() { return next_until(time_point::max()); }
  // The same, but throws `timed_out` at the deadline. One may go on afterwards: nothing is lost by it.
  task<join_handle<T>*> next_until(time_point deadline) {
    const time_point began = now();
    const detail::onlooker::turn mine(on_);
    if (!co_await detail::onlooker::wait(on_, {taken_ + 1}, deadline)) {
      throw timed_out(saturating_add(deadline.time_since_epoch(), -began.time_since_epoch()));
    }
    co_return taken_ < handles_.size() ? handles_[on_.ended()[taken_++]] : nullptr;
  }
  task<join_handle<T>*> next_for(duration limit) { return next_until(saturating_add(now(), limit)); }
  template <coarser_duration D>
  task<join_handle<T>*> next_for(D limit) {
    return next_for(saturating_cast(limit));
  }

 private:
  struct all {
    std::vector<join_handle<T>> owned;
    std::vector<join_handle<T>*> handles;
  };
  as_completed(all tasks, const source& where)
      : owned_(std::move(tasks.owned)), handles_(std::move(tasks.handles)),
        on_({handles_.begin(), handles_.end()}, where) {}

  static all addresses_in(std::span<join_handle<T>> handles) {
    all found;
    for (join_handle<T>& each : handles) found.handles.push_back(&each);
    return found;
  }
  static all spawn_all(std::vector<task<T>> works, const source& where) {
    all made;
    made.owned.reserve(works.size());
    for (task<T>& work : works) {
      made.owned.push_back(spawn(std::move(work), where));
      made.handles.push_back(&made.owned.back());
    }
    return made;
  }

  std::vector<join_handle<T>> owned_;
  std::vector<join_handle<T>*> handles_;
  detail::onlooker on_;  // which must go before the handles
  std::size_t taken_ = 0;
};

template <class T>
as_completed(std::vector<task<T>>) -> as_completed<T>;
template <class T>
as_completed(std::vector<join_handle<T>>&) -> as_completed<T>;
template <class T>
as_completed(std::span<join_handle<T>>) -> as_completed<T>;

}  // namespace lockstep
