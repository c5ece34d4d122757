#include <lockstep/sim/open_file.hpp>

namespace lockstep::sim {

// Those that stay keep their order, and those that come meanwhile are not told.
void open_file::tell_watches(unsigned events) noexcept {
  const auto tell = [events](readiness_watch& each) {
    if (((each.events() | POLLERR | POLLHUP) & events) != 0) each.may_be_ready();
  };
  retain();
  if (&watches_.front() == &watches_.back()) [[likely]] {
    tell(watches_.front());
  } else {
    watch_list telling;
    telling.splice_back(watches_);
    while (!telling.empty()) {
      readiness_watch& each = telling.pop_front();
      watches_.push_back(each);
      tell(each);
    }
  }
  release();
}

void open_file::end() noexcept {
  references_ = 1;  // while it is told, which may have it told of more
  while (!watches_.empty()) watches_.pop_front().was_closed();
  closed();
  if (--references_ == 0) delete this;
}

}  // namespace lockstep::sim
