// Pages of 4 KiB, which files share: what is in memory, what is on the disk, and what is on its way there hold the same
// page until one of them changes it.
//
// A page that is not full has memory for its first bytes only, and the rest reads as zeros: a million little files take
// little.
//
// Lifetime: a page ends with its last reference; its memory is kept by the store for the next one. A store that was
// made by make() lives until its last page has ended, as images take pages of one disk to that of another world; of one
// that was not, all references go first. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

namespace lockstep::sim {

constexpr std::size_t page_bytes = 4096;

class page_store;

// What its bytes begin with; they lie behind it.
struct alignas(32) page {
  page_store* home;
  page* next_free;
  std::uint32_t references;
  std::uint32_t size;  // how many bytes it has memory for

  std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

class page_store {
 public:
  page_store() = default;
  page_store(const page_store&) = delete;
  page_store& operator=(const page_store&) = delete;
  ~page_store() {
    for (page* first : free_) {
      while (first != nullptr) release(*std::exchange(first, first->next_free));
    }
  }

  static std::shared_ptr<page_store> make() {
    return {new page_store, [](page_store* of) { of->let_go(); }};
  }

  // One without a reference, with memory for at least so many bytes, which are anything. Throws std::bad_alloc.
  page& take(std::size_t bytes = page_bytes) {
    const std::size_t kind = kind_of(bytes);
    page* const taken =
        free_[kind] != nullptr ? std::exchange(free_[kind], free_[kind]->next_free) : allocate(sizes[kind]);
    taken->home = this;
    taken->references = 0;
    ++in_use_;
    return *taken;
  }
  // The next `count` of that size need no memory. Throws std::bad_alloc.
  void expect(std::size_t bytes, std::size_t count) {
    const std::size_t kind = kind_of(bytes);
    for (const page* at = free_[kind]; at != nullptr && count != 0; at = at->next_free) --count;
    for (; count != 0; --count) {
      page* const made = allocate(sizes[kind]);
      made->next_free = std::exchange(free_[kind], made);
    }
  }
  void give_back(page& gone) noexcept {
    page*& first = free_[kind_of(gone.size)];
    gone.next_free = first;
    first = &gone;
    if (--in_use_ == 0 && let_go_) [[unlikely]]
      delete this;
  }
  std::size_t in_use() const noexcept { return in_use_; }

 private:
  void let_go() noexcept {
    let_go_ = true;
    if (in_use_ == 0) delete this;
  }

  static constexpr std::size_t sizes[] = {64, 512, page_bytes};

  static constexpr std::size_t kind_of(std::size_t bytes) noexcept {
    return bytes > sizes[1] ? 2 : (bytes > sizes[0] ? 1 : 0);
  }
  static page* allocate(std::size_t size) {
    page* const made = static_cast<page*>(::operator new (sizeof(page) + size, std::align_val_t{alignof(page)}));
    made->size = static_cast<std::uint32_t>(size);
    return made;
  }
  static void release(page& gone) noexcept { ::operator delete (&gone, std::align_val_t{alignof(page)}); }

  page* free_[std::size(sizes)] = {};
  std::size_t in_use_ = 0;
  bool let_go_ = false;  // only pages hold it
};

class page_reference {
 public:
  page_reference() noexcept = default;
  explicit page_reference(page& of) noexcept : page_(&of) { ++of.references; }
  page_reference(const page_reference& other) noexcept : page_(other.page_) {
    if (page_ != nullptr) ++page_->references;
  }
  page_reference(page_reference&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  page_reference& operator=(page_reference other) noexcept {
    std::swap(page_, other.page_);
    return *this;
  }
  ~page_reference() {
    if (page_ != nullptr && --page_->references == 0) page_->home->give_back(*page_);
  }

  explicit operator bool() const noexcept { return page_ != nullptr; }
  bool operator==(const page_reference& other) const noexcept { return page_ == other.page_; }
  // As many as there is memory for; the rest of the 4 KiB is zeros.
  std::size_t size() const noexcept { return page_->size; }
  const std::byte* bytes() const noexcept { return page_->bytes(); }
  // Requires that nobody else refers to it.
  std::byte* bytes_to_change() noexcept { return page_->bytes(); }
  bool shared() const noexcept { return page_->references > 1; }

 private:
  page* page_ = nullptr;
};

// Some pages in a row, of which there mostly is one.
class page_run {
 public:
  page_run() noexcept = default;
  explicit page_run(std::size_t pages) {
    if (pages > 1) others_ = std::make_unique<page_reference[]>(pages - 1);
  }

  // Whether it has no page at all.
  bool empty() const noexcept { return !first_; }
  page_reference& operator[](std::size_t i) noexcept { return i == 0 ? first_ : others_[i - 1]; }
  const page_reference& operator[](std::size_t i) const noexcept { return i == 0 ? first_ : others_[i - 1]; }

 private:
  page_reference first_;
  std::unique_ptr<page_reference[]> others_;
};

}  // namespace lockstep::sim
