// expect: transfer
#include <lockstep/sim/fault.hpp>

// The bytes of a link are no call: link::reset_after() has a fault on them.
lockstep::fault_rule rule() {
  return lockstep::on(lockstep::op::transfer);  // wrong
  return lockstep::on(lockstep::op::write);
}
