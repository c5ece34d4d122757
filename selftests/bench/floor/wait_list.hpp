// Tasks that wait for one thing, in the order in which they came; each is linked through its own awaiter.
#pragma once

#include <coroutine>

namespace bench::floor {

struct waiting {
  waiting* next;  // set when it waits
  std::coroutine_handle<> waiter;
};

// `Awaiter` derives from `waiting`.
template <class Awaiter>
class wait_list {
 public:
  wait_list() = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;

  void push(Awaiter& last) noexcept {
    last.next = nullptr;
    *end_ = &last;
    end_ = &last.next;
  }
  // Takes the first out; null if nobody waits.
  Awaiter* pop() noexcept {
    waiting* const first = first_;
    if (first != nullptr) {
      first_ = first->next;
      if (first_ == nullptr) end_ = &first_;
    }
    return static_cast<Awaiter*>(first);
  }

 private:
  waiting* first_ = nullptr;
  waiting** end_ = &first_;
};

}  // namespace bench::floor
