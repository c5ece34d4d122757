// What is in a file: its size, and the pages that were written; the rest is holes, which read as zeros.
//
// Copies share their pages. A page may lie behind the end, where room was set aside; what is behind the end is zero.
#pragma once

#include <lockstep/sim/page.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace lockstep::sim {

class file_content {
 public:
  std::uint64_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0 && pages_ == 0; }
  // How many pages there are, of which some may be set aside only.
  std::uint64_t pages() const noexcept { return pages_; }
  // How many more there are when such bytes are written.
  std::uint64_t pages_missing(std::uint64_t offset, std::uint64_t size) const noexcept;

  // Returns how many bytes there were: fewer than `size` at the end of the file.
  std::size_t read(void* into, std::size_t size, std::uint64_t offset) const noexcept;
  // These throw std::bad_alloc, and then nothing has changed.
  void write(page_store& from_store, const void* from, std::size_t size, std::uint64_t offset);
  // What is cut off is gone; what is added reads as zeros.
  void resize(page_store& from_store, std::uint64_t size);
  // Makes the bytes zero; pages that are wholly within become holes.
  void punch(page_store& from_store, std::uint64_t offset, std::uint64_t size);
  // Gives the range pages, as room that was never written. `zero` is a page of zeros, which they share. Needs no memory
  // if it is expected.
  void set_aside(const page_reference& zero, std::uint64_t offset, std::uint64_t size);
  void expect_to_set_aside(std::uint64_t offset, std::uint64_t size);

  // The first byte from `offset` on that is in a page which was written, or in none; the size for none.
  std::uint64_t next_data(const page_reference& zero, std::uint64_t offset) const noexcept;
  std::uint64_t next_hole(const page_reference& zero, std::uint64_t offset) const noexcept;

  // The first page from `number` on that is there; the largest number for none.
  std::uint64_t next_page(std::uint64_t number) const noexcept;
  // Null for a hole.
  const page_reference* page_at(std::uint64_t number) const noexcept;
  // Whether a page of those bytes is only set aside.
  bool has_unwritten(const page_reference& zero, std::uint64_t offset, std::uint64_t size) const noexcept;
  // A hole if it is null.
  void put_page(std::uint64_t number, page_reference shared);
  void set_size(std::uint64_t size) noexcept { size_ = size; }
  void forget() noexcept {
    chunks_.clear();
    size_ = pages_ = 0;
  }
  // Whether all bytes are the same.
  bool same_as(const file_content& other) const noexcept;

 private:
  static constexpr std::uint64_t pages_per_chunk = 512;

  page_reference& slot(std::uint64_t number);
  std::byte* page_to_change(page_store& from_store, std::uint64_t number, std::size_t begin, std::size_t end);
  void expect_pages(page_store& from_store, std::uint64_t offset, std::size_t size);
  void make_own(page_store& from_store, std::uint64_t number);
  void zero_within(page_store& from_store, std::uint64_t number, std::size_t begin, std::size_t end);

  std::uint64_t size_ = 0;
  std::uint64_t pages_ = 0;
  std::map<std::uint64_t, std::vector<page_reference>> chunks_;  // by number / pages_per_chunk
};

}  // namespace lockstep::sim
