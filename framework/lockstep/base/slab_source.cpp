#include <lockstep/base/slab_source.hpp>

#include <algorithm>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lockstep {

namespace {

constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;
constexpr std::size_t region_bytes_max = std::size_t{4} << 20;

}  // namespace

slab_source::~slab_source() {
  for (const region& each : regions_) ::operator delete(each.begin, alignment_of(each.bytes));
}

std::align_val_t slab_source::alignment_of(std::size_t region_bytes) const noexcept {
  return std::align_val_t{region_bytes < huge_page_bytes ? slab_bytes_ : std::max(slab_bytes_, huge_page_bytes)};
}

void slab_source::add_region() {
  const std::size_t bytes = std::clamp(bytes_, slab_bytes_, std::max(slab_bytes_, region_bytes_max));
  regions_.reserve(regions_.size() + 1);
  next_ = static_cast<char*>(::operator new(bytes, alignment_of(bytes)));
  end_ = next_ + bytes;
  bytes_ += bytes;
  regions_.push_back({next_, bytes});
#ifdef __linux__
  if (bytes >= huge_page_bytes) ::madvise(next_, bytes, MADV_HUGEPAGE);  // no more than a hint
#endif
}

}  // namespace lockstep
