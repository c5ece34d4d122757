#include <lockstep/trace/trace.hpp>

#include <algorithm>

namespace lockstep {

void trace::start(std::uint64_t steps_max, bool keep_all) {
  earlier_ = 0;
  others_ = 0;
  steps_max_ = steps_max;
  limit_reached_ = steps_max == 0;
  hash_ = 0x2545F4914F6CDD1Dull;
  keep_all_ = keep_all;
  all_.clear();
  hashes_.clear();
  next_ = records_.get();
  set_end();
}

// The next record at which turn() has something to do.
void trace::set_end() noexcept {
  trace_record* const next = next_;
  std::uint64_t room = static_cast<std::uint64_t>(records_.get() + capacity - next);
  if (!limit_reached_) room = std::min(room, steps_max_ - steps());
  end_ = next + (keep_all_ ? 1 : room);
}

bool trace::turn() {
  trace_record* const next = next_;
  if (keep_all_) {
    all_.push_back(next[-1]);
    hashes_.push_back(hash_);
  }
  if (steps() >= steps_max_) limit_reached_ = true;
  if (next == records_.get() + capacity) {
    earlier_ += capacity;
    next_ = records_.get();
  }
  set_end();
  return limit_reached_;
}

std::vector<trace_record> trace::recent() const {
  if (keep_all_) return all_;
  const std::size_t at = static_cast<std::size_t>(next_.load() - records_.get());
  std::vector<trace_record> result;
  if (earlier_ != 0) result.assign(records_.get() + at, records_.get() + capacity);
  result.insert(result.end(), records_.get(), records_.get() + at);
  return result;
}

}  // namespace lockstep
