// Pages of 4 KiB, which files share: what is in memory, what is on the disk, and what is on its way there hold the same
// page until one of them changes it.
//
// Lifetime: a page ends with its last reference; its memory is kept by the store for the next one. A store that was
// made by make() lives until its last page has ended, as images take pages of one disk to that of another world; of one
// that was not, all references go first. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace lockstep::sim {

constexpr std::size_t page_bytes = 4096;

class page_store;

struct page {
  alignas(64) std::byte bytes[page_bytes];
  page_store* home;
  union {
    std::uint32_t references;
    page* next_free;
  };
};

class page_store {
 public:
  page_store() = default;
  page_store(const page_store&) = delete;
  page_store& operator=(const page_store&) = delete;
  ~page_store() {
    while (free_ != nullptr) delete std::exchange(free_, free_->next_free);
  }

  static std::shared_ptr<page_store> make() {
    return {new page_store, [](page_store* of) { of->let_go(); }};
  }

  // One without a reference, whose bytes are anything. Throws std::bad_alloc.
  page& take() {
    page* const taken = free_ != nullptr ? std::exchange(free_, free_->next_free) : new page;
    taken->home = this;
    taken->references = 0;
    ++in_use_;
    return *taken;
  }
  void give_back(page& gone) noexcept {
    gone.next_free = free_;
    free_ = &gone;
    if (--in_use_ == 0 && let_go_) [[unlikely]]
      delete this;
  }
  std::size_t in_use() const noexcept { return in_use_; }

 private:
  void let_go() noexcept {
    let_go_ = true;
    if (in_use_ == 0) delete this;
  }

  page* free_ = nullptr;
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
  const std::byte* bytes() const noexcept { return page_->bytes; }
  // Requires that nobody else refers to it.
  std::byte* bytes_to_change() noexcept { return page_->bytes; }
  bool shared() const noexcept { return page_->references > 1; }

 private:
  page* page_ = nullptr;
};

}  // namespace lockstep::sim
