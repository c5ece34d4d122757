#include <lockstep/trace/trace.hpp>

#include <algorithm>

namespace lockstep {

void trace::start(bool keep_all) {
  earlier_ = 0;
  hash_ = 0x2545F4914F6CDD1Dull;
  keep_all_ = keep_all;
  all_.clear();
  hashes_.clear();
  next_ = records_.get();
  end_ = next_ + (keep_all ? 1 : capacity);
}

void trace::turn() {
  if (keep_all_) {
    all_.push_back(records_[0]);
    hashes_.push_back(hash_);
  }
  earlier_ += static_cast<std::uint64_t>(next_ - records_.get());
  next_ = records_.get();
}

std::vector<trace_record> trace::recent() const {
  if (keep_all_) return all_;
  const auto at = static_cast<std::size_t>(next_ - records_.get());
  std::vector<trace_record> result;
  if (earlier_ != 0) result.assign(records_.get() + at, records_.get() + capacity);
  result.insert(result.end(), records_.get(), records_.get() + at);
  return result;
}

}  // namespace lockstep
