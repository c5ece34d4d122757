// Fairness: nobody who is ready is passed over for ever.
//
// A task that waits in a loop (`while (!flag) co_await yield();`) ends only if whoever sets the flag is let run. A
// search may let a task starve, since a defect may need that; but for no longer than any run that ends would take.
// Whoever has been passed over for that long is next; a run that then still does not end is a livelock. And a run that
// has become far longer than the plain one is searched no further: it goes on as the plain run does. Source: Musuvathi,
// Qadeer, "Fair stateless model checking", PLDI 2008.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace lockstep::detail {

// For how many choices a task may be passed over, where the plain run has so many steps; 0 where that is not known.
constexpr std::uint64_t patience_for(std::uint64_t steps) noexcept { return steps != 0 ? 16 + steps : 1'000; }

class fairness {
 public:
  // Before each run. Nobody is passed over more than twice as often as `patience` says.
  void begin_run(std::uint64_t patience) noexcept {
    made_ = 0;
    patience_ = look_at_ = patience;
    waiting_.clear();
  }
  // Asked at each choice of a task: who has to be next, if that is not for the search to say. Most runs are too short
  // for anybody to have waited: they pay for a counter.
  std::optional<std::size_t> due(const candidates& from) {
    if (++made_ < look_at_) [[likely]]
      return std::nullopt;
    return look(from);
  }
  // Whether the run goes on as the plain one does.
  bool is_long() const noexcept { return made_ > 16 * patience_ + 1'000; }

 private:
  // Who was ready one `patience` ago and has not made that step since has been passed over all the while.
  [[gnu::cold, gnu::noinline]] std::optional<std::size_t> look(const candidates& from) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const candidate who = from[i];
      for (auto& each : waiting_) {
        if (each.first != who.task || each.second != who.step) continue;
        each = waiting_.back();
        waiting_.pop_back();
        return i;
      }
    }
    waiting_.clear();
    for (std::size_t i = 0; i < from.size(); ++i) waiting_.emplace_back(from[i].task, from[i].step);
    look_at_ = made_ + patience_;
    return std::nullopt;
  }

  std::uint64_t made_ = 0;  // choices
  std::uint64_t patience_ = patience_for(0);
  std::uint64_t look_at_ = patience_for(0);
  std::vector<std::pair<identity, std::uint32_t>> waiting_;  // and the step they are ready for
};

}  // namespace lockstep::detail
