// What must hold whenever all is quiet: that no permit is lost, that the books balance.
//
//   const quiesce_check no_slot_is_lost([&] { EXPECT_EQ(slots.available() + taken, 2u); });
#pragma once

#include <lockstep/runtime/loop.hpp>

#include <functional>

namespace lockstep {

// While it lives, calls `holds` whenever every task waits, before time moves; and once more when the run has ended, if
// it lives in the fixture. Between two such moments what it looks at may be in the middle of a change.
// `holds` is a plain function, with EXPECT_* or CO_ASSERT_* in it, or one that throws; a failure names the moment. It
// is not called again after it has failed. After a run that was torn down, it finds what destructors have left: an
// object that outlives the tasks has got back what their guards and permits held of it, and what it had granted to a
// task that has not run. What a task took without a guard (try_lock(), acquire(), an item that it got) is lost with it,
// unless a destructor of its own gives it back. Of what was handed over for good at that moment (put(), send()) nobody
// can say whether it has returned. Requires a loop on this thread, or misuse; it
// dies in the same run. Costs nothing where there is none.
class [[nodiscard("keep the check in a variable: it ends with it")]] quiesce_check final
    : private detail::quiet_listener {
 public:
  explicit quiesce_check(std::function<void()> holds, source where = source::current());
  quiesce_check(const quiesce_check&) = delete;
  quiesce_check& operator=(const quiesce_check&) = delete;
  ~quiesce_check() { unlink(); }

 private:
  void all_is_quiet() noexcept override;

  std::function<void()> holds_;
  source where_;
};

}  // namespace lockstep
