#include <lockstep/sim/open_file.hpp>

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/runtime/frame.hpp>

#include <fmt/format.h>

namespace lockstep::sim {

// As little as is needed for a text later: most files are given a line next.
void open_file::opened_here() noexcept {
  const agent* const who = detail::current_context == nullptr ? nullptr : detail::current_context->running;
  if (who == nullptr || who->stands_at() == nullptr || opener_.stands != place()) return;
  opener_.name = who->parent() == nullptr ? label("main") : who->given_name(detail::unseen);
  opener_.stands = who->stands_at()->where;
}

source open_file::opened_behind() const noexcept {
  const bool by_opener = opened_at_.line() == 0 && opener_.stands.line() != 0 && !is_internal(opener_.stands);
  return by_opener ? source(opener_.stands) : opened_at_;
}

std::string open_file::text_of_opener() const {
  if (opened_at_.line() != 0 || opener_.stands == place()) return {};
  std::string text = ", opened by a direct call of the system";
  if (!opener_.name.empty()) text += fmt::format(" in task \"{}\"", opener_.name.view());
  if (const std::string stands = file_and_line(opener_.stands); !is_internal(opener_.stands) && !stands.empty()) {
    text += fmt::format(", {}{}", opener_.stands.line() != 0 ? "behind " : "", stands);
  }
  return text;
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
