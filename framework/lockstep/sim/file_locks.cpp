#include <lockstep/sim/file_locks.hpp>

#include <fmt/format.h>

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace lockstep::sim {

file_locks::lists& file_locks::held() {
  if (held_ == nullptr) held_ = std::make_unique<lists>();
  return *held_;
}

void file_locks::forget_if_empty() noexcept {
  if (held_ != nullptr && held_->wholes.empty() && held_->ranges.empty()) held_.reset();
}

int file_locks::flock(const owner& who, int operation, const lock_origin& taken) {
  const bool exclusive = (operation & LOCK_EX) != 0;
  if ((operation & LOCK_UN) != 0) {
    drop_flock(who);
    return 0;
  }
  std::vector<whole>& all = held().wholes;
  const auto own = std::find_if(all.begin(), all.end(), [&](const whole& each) { return each.who == who; });
  if (own != all.end() && own->exclusive == exclusive) return 0;
  if (own != all.end()) all.erase(own);  // a change is made by letting go first
  const bool refused =
      std::any_of(all.begin(), all.end(), [&](const whole& each) { return exclusive || each.exclusive; });
  if (!refused) all.push_back({who, exclusive, taken});
  forget_if_empty();
  return refused ? -EWOULDBLOCK : 0;
}

void file_locks::flock_taken_at(const owner& who, const source& where) noexcept {
  if (held_ == nullptr) return;
  for (whole& each : held_->wholes) {
    if (each.who == who) each.taken = {each.taken.through, where, true};
  }
}

bool file_locks::conflict(const owner& who, short type, std::int64_t begin, std::int64_t end,
                          range& found) const noexcept {
  if (held_ == nullptr) return false;
  for (const range& each : held_->ranges) {
    if (each.who == who || each.end < begin || end < each.begin) continue;
    if (type != F_WRLCK && each.type != F_WRLCK) continue;
    found = each;
    return true;
  }
  return false;
}

int file_locks::set(const owner& who, short type, std::int64_t begin, std::int64_t end, const lock_origin& taken) {
  range other{};
  if (type != F_UNLCK && conflict(who, type, begin, end, other)) return -EAGAIN;
  // Those of one owner stay together, in the order of their bytes, where its first one was.
  std::vector<range> kept;
  std::vector<range> own;
  std::size_t own_at = held().ranges.size();
  for (const range& each : held_->ranges) {
    if (!(each.who == who)) {
      kept.push_back(each);
      continue;
    }
    own_at = kept.size();
    if (each.end < begin || end < each.begin) {
      own.push_back(each);
      continue;
    }
    if (each.begin < begin) own.push_back({each.who, each.type, each.begin, begin - 1, each.taken});
    if (end < each.end) own.push_back({each.who, each.type, end + 1, each.end, each.taken});
  }
  if (type != F_UNLCK) {
    // What touches it, and is of its kind, becomes one with it.
    std::erase_if(own, [&](const range& each) {
      const bool before = each.end < begin && begin - each.end > 1;
      const bool after = each.begin > end && each.begin - end > 1;
      if (each.type != type || before || after) return false;
      begin = std::min(begin, each.begin);
      end = std::max(end, each.end);
      return true;
    });
    own.push_back({who, type, begin, end, taken});
    std::sort(own.begin(), own.end(), [](const range& a, const range& b) { return a.begin < b.begin; });
  }
  kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(std::min(own_at, kept.size())), own.begin(), own.end());
  held_->ranges = std::move(kept);
  forget_if_empty();
  return 0;
}

void file_locks::drop_ranges(const owner& who) noexcept {
  if (held_ == nullptr) return;
  std::erase_if(held_->ranges, [&](const range& each) { return each.who == who; });
  forget_if_empty();
}

void file_locks::drop_flock(const owner& who) noexcept {
  if (held_ == nullptr) return;
  std::erase_if(held_->wholes, [&](const whole& each) { return each.who == who; });
  forget_if_empty();
}

bool file_locks::holds(const owner& who) const noexcept {
  if (held_ == nullptr) return false;
  const auto own = [&](const auto& each) { return each.who == who; };
  return std::any_of(held_->wholes.begin(), held_->wholes.end(), own) ||
         std::any_of(held_->ranges.begin(), held_->ranges.end(), own);
}

std::string file_locks::text_of(const void* through) const {
  std::string text;
  if (held_ == nullptr) return text;
  const auto tell = [&](const lock_origin& taken, const std::string& how) {
    if (taken.through != through) return;
    const std::string stood = is_internal(taken.stood) ? "" : file_and_line(taken.stood);
    const char* const where = stood.empty()             ? ""
                              : taken.at_the_call       ? " at "
                              : taken.stood.line() != 0 ? " behind "
                                                        : " in ";
    text += fmt::format(", with a lock taken{}{} by {}", where, stood, how);
  };
  for (const whole& each : held_->wholes) tell(each.taken, "flock()");
  for (const range& each : held_->ranges) {
    const char* const call = each.who.process < 0 ? "F_OFD_SETLK" : "F_SETLK";
    const bool is_open = each.end == std::numeric_limits<std::int64_t>::max();
    tell(each.taken, is_open ? fmt::format("{} on the bytes from {} on", call, each.begin)
                             : fmt::format("{} on the bytes {} to {}", call, each.begin, each.end));
  }
  return text;
}

}  // namespace lockstep::sim
