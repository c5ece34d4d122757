#include <lockstep/real/os_clock.hpp>

#include <algorithm>

namespace lockstep::real {

os_clock::os_clock(std::uint32_t scale) noexcept : scale_(std::max(scale, 1u)), read_at_(machine::now()) {}

time_point os_clock::read() noexcept {
  const machine::time_point before = read_at_;
  read_at_ = machine::now();
  const duration passed = read_at_ - before;
  const bool fits = passed <= duration::max() / scale_;
  shown_ = saturating_add(shown_, fits ? passed * scale_ : duration::max());
  return shown_;
}

time_point os_clock::hold() noexcept {
  read_at_ = machine::now();
  return shown_;
}

os_clock::machine::time_point os_clock::when(time_point at) const noexcept {
  if (at <= shown_) return read_at_;
  const duration left = at - shown_;
  const duration on_machine = left / scale_ + duration(left % scale_ != duration::zero() ? 1 : 0);
  return on_machine < machine::time_point::max() - read_at_ ? read_at_ + on_machine : machine::time_point::max();
}

}  // namespace lockstep::real
