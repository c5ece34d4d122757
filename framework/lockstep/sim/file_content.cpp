#include <lockstep/sim/file_content.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace lockstep::sim {

const page_reference* file_content::page_at(std::uint64_t number) const noexcept {
  const auto chunk = chunks_.find(number / pages_per_chunk);
  if (chunk == chunks_.end()) return nullptr;
  const std::uint64_t at = number % pages_per_chunk;
  return at < chunk->second.size() && chunk->second[at] ? &chunk->second[at] : nullptr;
}

std::uint64_t file_content::next_page(std::uint64_t number) const noexcept {
  for (auto chunk = chunks_.lower_bound(number / pages_per_chunk); chunk != chunks_.end(); ++chunk) {
    const std::uint64_t base = chunk->first * pages_per_chunk;
    for (std::uint64_t at = number > base ? number - base : 0; at < chunk->second.size(); ++at) {
      if (chunk->second[at]) return base + at;
    }
  }
  return std::numeric_limits<std::uint64_t>::max();
}

page_reference& file_content::slot(std::uint64_t number) {
  std::vector<page_reference>& chunk = chunks_[number / pages_per_chunk];
  const std::uint64_t at = number % pages_per_chunk;
  if (at >= chunk.size()) chunk.resize(at + 1);
  return chunk[at];
}

void file_content::put_page(std::uint64_t number, page_reference shared) {
  if (!shared && page_at(number) == nullptr) return;
  page_reference& there = slot(number);
  pages_ += (shared ? 1 : 0);
  pages_ -= (there ? 1 : 0);
  there = std::move(shared);
}

std::uint64_t file_content::pages_missing(std::uint64_t offset, std::uint64_t size) const noexcept {
  std::uint64_t missing = 0;
  for (std::uint64_t number = offset / page_bytes; number * page_bytes < offset + size; ++number) {
    if (page_at(number) == nullptr) ++missing;
  }
  return missing;
}

// One that is the file's own and has memory for what is to be written, from `begin` to `end`, which is anything then.
std::byte* file_content::page_to_change(page_store& from_store, std::uint64_t number, std::size_t begin,
                                        std::size_t end) {
  page_reference& there = slot(number);
  const std::size_t known = there ? there.size() : 0;
  if (known >= end && !there.shared()) return there.bytes_to_change();
  page_reference fresh(from_store.take(std::max(known, end)));
  std::byte* const bytes = fresh.bytes_to_change();
  if (begin < known) {
    std::memcpy(bytes, there.bytes(), begin);
  } else {
    if (known != 0) std::memcpy(bytes, there.bytes(), known);
    std::memset(bytes + known, 0, begin - known);
  }
  if (end < known) {
    std::memcpy(bytes + end, there.bytes() + end, known - end);
    std::memset(bytes + known, 0, fresh.size() - known);
  } else {
    std::memset(bytes + end, 0, fresh.size() - end);
  }
  if (!there) ++pages_;
  there = std::move(fresh);
  return there.bytes_to_change();
}

std::size_t file_content::read(void* into, std::size_t size, std::uint64_t offset) const noexcept {
  if (offset >= size_) return 0;
  const std::size_t total = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  auto* to = static_cast<std::byte*>(into);
  for (std::size_t left = total; left != 0;) {
    const std::size_t within = offset % page_bytes;
    const std::size_t count = std::min(left, page_bytes - within);
    const page_reference* const from = page_at(offset / page_bytes);
    const std::size_t known = from == nullptr || from->size() <= within ? 0 : std::min(count, from->size() - within);
    if (known != 0) std::memcpy(to, from->bytes() + within, known);
    if (known != count) std::memset(to + known, 0, count - known);
    to += count;
    offset += count;
    left -= count;
  }
  return total;
}

// Those that are changed when such bytes are written. All but the last are written to their end; that may need one of
// the size of the others, or a smaller one.
void file_content::expect_pages(page_store& from_store, std::uint64_t offset, std::size_t size) {
  const std::uint64_t end = offset + size;
  std::size_t whole = 0;
  for (std::uint64_t number = offset / page_bytes; number * page_bytes < end; ++number) {
    const page_reference& there = slot(number);
    const std::size_t known = there ? there.size() : 0;
    const std::size_t needed = static_cast<std::size_t>(std::min<std::uint64_t>(end - number * page_bytes, page_bytes));
    if (known >= needed && !there.shared()) continue;
    if (needed < page_bytes) from_store.expect(std::max(known, needed), 1);
    ++whole;
  }
  from_store.expect(page_bytes, whole);
}

void file_content::write(page_store& from_store, const void* from, std::size_t size, std::uint64_t offset) {
  if (offset % page_bytes + size > page_bytes) expect_pages(from_store, offset, size);
  const auto* at = static_cast<const std::byte*>(from);
  for (std::size_t left = size; left != 0;) {
    const std::size_t within = offset % page_bytes;
    const std::size_t count = std::min(left, page_bytes - within);
    std::memcpy(page_to_change(from_store, offset / page_bytes, within, within + count) + within, at, count);
    at += count;
    offset += count;
    left -= count;
    size_ = std::max(size_, offset);
  }
}

void file_content::make_own(page_store& from_store, std::uint64_t number) {
  const page_reference* const there = page_at(number);
  if (there != nullptr) page_to_change(from_store, number, there->size(), there->size());
}

void file_content::zero_within(page_store& from_store, std::uint64_t number, std::size_t begin, std::size_t end) {
  const page_reference* const there = page_at(number);
  if (there == nullptr) return;
  end = std::min(end, there->size());
  const auto is_zero = [](std::byte each) { return each == std::byte{}; };
  if (begin >= end || std::all_of(there->bytes() + begin, there->bytes() + end, is_zero)) return;
  std::memset(page_to_change(from_store, number, begin, end) + begin, 0, end - begin);
}

void file_content::resize(page_store& from_store, std::uint64_t size) {
  if (size <= size_) {
    if (size < size_ && size % page_bytes != 0)
      zero_within(from_store, size / page_bytes, size % page_bytes, page_bytes);
    const std::uint64_t first = (size + page_bytes - 1) / page_bytes;
    auto chunk = chunks_.lower_bound(first / pages_per_chunk);
    while (chunk != chunks_.end()) {
      const std::uint64_t base = chunk->first * pages_per_chunk;
      const std::uint64_t kept = first > base ? first - base : 0;
      for (std::uint64_t at = kept; at < chunk->second.size(); ++at) {
        if (chunk->second[at]) --pages_;
      }
      if (kept == 0) {
        chunk = chunks_.erase(chunk);
      } else {
        if (kept < chunk->second.size()) chunk->second.resize(kept);
        ++chunk;
      }
    }
  }
  size_ = size;
}

void file_content::punch(page_store& from_store, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t end = offset + size;
  const std::uint64_t first = offset / page_bytes;
  const std::uint64_t last = end / page_bytes;
  if (first == last) return zero_within(from_store, first, offset % page_bytes, end % page_bytes);
  if (end % page_bytes != 0) make_own(from_store, last);
  if (offset % page_bytes != 0) zero_within(from_store, first, offset % page_bytes, page_bytes);
  zero_within(from_store, last, 0, end % page_bytes);
  const std::uint64_t whole = (offset + page_bytes - 1) / page_bytes;
  for (auto chunk = chunks_.lower_bound(whole / pages_per_chunk); chunk != chunks_.end(); ++chunk) {
    const std::uint64_t base = chunk->first * pages_per_chunk;
    if (base >= last) break;
    for (std::uint64_t at = whole > base ? whole - base : 0; at < chunk->second.size() && base + at < last; ++at) {
      if (!chunk->second[at]) continue;
      --pages_;
      chunk->second[at] = {};
    }
  }
}

void file_content::expect_to_set_aside(std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return;
  const std::uint64_t last = (offset + size - 1) / page_bytes;
  for (std::uint64_t chunk = offset / page_bytes / pages_per_chunk; chunk <= last / pages_per_chunk; ++chunk) {
    slot(std::min(last, (chunk + 1) * pages_per_chunk - 1));
  }
}

void file_content::set_aside(const page_reference& zero, std::uint64_t offset, std::uint64_t size) {
  expect_to_set_aside(offset, size);
  for (std::uint64_t number = offset / page_bytes; number * page_bytes < offset + size; ++number) {
    if (page_at(number) == nullptr) put_page(number, zero);
  }
}

bool file_content::has_unwritten(const page_reference& zero, std::uint64_t offset, std::uint64_t size) const noexcept {
  const std::uint64_t end = (offset + size + page_bytes - 1) / page_bytes;
  for (std::uint64_t at = next_page(offset / page_bytes); at < end; at = next_page(at + 1)) {
    if (*page_at(at) == zero) return true;
  }
  return false;
}

std::uint64_t file_content::next_data(const page_reference& zero, std::uint64_t offset) const noexcept {
  for (auto chunk = chunks_.lower_bound(offset / page_bytes / pages_per_chunk); chunk != chunks_.end(); ++chunk) {
    for (std::uint64_t at = 0; at < chunk->second.size(); ++at) {
      const std::uint64_t number = chunk->first * pages_per_chunk + at;
      if (!chunk->second[at] || chunk->second[at] == zero || (number + 1) * page_bytes <= offset) continue;
      return std::min(std::max(offset, number * page_bytes), size_);
    }
  }
  return size_;
}

std::uint64_t file_content::next_hole(const page_reference& zero, std::uint64_t offset) const noexcept {
  while (offset < size_) {
    const page_reference* const there = page_at(offset / page_bytes);
    if (there == nullptr || *there == zero) return offset;
    offset = (offset / page_bytes + 1) * page_bytes;
  }
  return size_;
}

bool file_content::same_as(const file_content& other) const noexcept {
  if (size_ != other.size_) return false;
  std::array<std::byte, page_bytes> one;
  std::array<std::byte, page_bytes> two;
  const auto differs = [&](const file_content& in) {
    for (const auto& [chunk, pages] : in.chunks_) {
      for (std::uint64_t at = 0; at < pages.size(); ++at) {
        const std::uint64_t number = chunk * pages_per_chunk + at;
        if (!pages[at] || number * page_bytes >= size_) continue;
        const page_reference* const mine = page_at(number);
        const page_reference* const others = other.page_at(number);
        if (mine != nullptr && others != nullptr && *mine == *others) continue;
        const std::size_t count = read(one.data(), page_bytes, number * page_bytes);
        other.read(two.data(), page_bytes, number * page_bytes);
        if (std::memcmp(one.data(), two.data(), count) != 0) return true;
      }
    }
    return false;
  };
  return !differs(*this) && !differs(other);
}

}  // namespace lockstep::sim
