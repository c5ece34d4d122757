#include <lockstep/trace/trace.hpp>

#include <algorithm>

namespace lockstep {

void trace::start(bool keep_all) {
  count_ = 0;
  hash_ = 0x2545F4914F6CDD1Dull;
  keep_all_ = keep_all;
  all_.clear();
  hashes_.clear();
}

std::vector<trace_record> trace::recent() const {
  if (keep_all_) return all_;
  std::vector<trace_record> result;
  const std::uint64_t held = std::min<std::uint64_t>(count_, capacity);
  result.reserve(held);
  for (std::uint64_t i = count_ - held; i < count_; ++i) result.push_back(records_[i % capacity]);
  return result;
}

void trace::keep(const trace_record& record) {
  all_.push_back(record);
  hashes_.push_back(hash_);
}

}  // namespace lockstep
