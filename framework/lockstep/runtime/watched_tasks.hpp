// The tasks whose end one listener waits for: each leaves at once, however many there are, and the others keep their
// order.
#pragma once

#include <lockstep/runtime/agent.hpp>

#include <cstddef>
#include <vector>

namespace lockstep::detail {

class watched_tasks {
 public:
  watched_tasks() = default;
  watched_tasks(const watched_tasks&) = delete;
  watched_tasks& operator=(const watched_tasks&) = delete;

  // Tells `listener` when the task has finished.
  void add(agent& who, finish_listener& listener);
  // Requires that it was added and is not removed. Nobody is told of it any more.
  void remove(agent& who) noexcept;

  bool empty() const noexcept { return places_.empty(); }
  std::size_t size() const noexcept { return count_; }
  // The one that was added last. Requires that there is one.
  agent& last() const noexcept { return *places_.back(); }
  // In the order in which they were added.
  std::vector<agent*> all() const;
  // The same, but for one whose end is just being told.
  void add_to(std::vector<agent*>& others) const;
  // Calls `what` for each in that order, without a need of memory. It may add and remove tasks; those that it adds are
  // left out.
  template <class F>
  void for_each(F what) {
    ++walks_;
    for (std::size_t i = 0, end = places_.size(); i < end && i < places_.size(); ++i) {
      if (places_[i] != nullptr) what(*places_[i]);
    }
    --walks_;
  }

 private:
  void close_gaps();

  std::vector<agent*> places_;  // null where one was removed, but not at the end
  std::size_t count_ = 0;
  unsigned walks_ = 0;  // under way: then gaps stay
};

}  // namespace lockstep::detail
