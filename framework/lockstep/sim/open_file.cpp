#include <lockstep/sim/open_file.hpp>

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/runtime/frame.hpp>

#include <fmt/format.h>

namespace lockstep::sim {

void open_file::opened_here() noexcept {
  const agent* const who = detail::current_context == nullptr ? nullptr : detail::current_context->running;
  if (who == nullptr || who->stands_at() == nullptr || opened_at_ != place()) return;
  opened_at_ = who->stands_at()->where;
  by_direct_call_ = true;
}

source open_file::opened_behind() const noexcept {
  return opened_at_.line() == 0 || is_internal(opened_at_) ? opened_at() : source(opened_at_);
}

std::string open_file::text_of_opener() const {
  if (!by_direct_call_) return {};
  const std::string stands = is_internal(opened_at_) ? std::string() : file_and_line(opened_at_);
  const char* const how = stands.empty() ? "" : opened_at_.line() != 0 ? " behind " : " in ";
  return fmt::format(", opened by a direct call of the system{}{}", how, stands);
}

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
