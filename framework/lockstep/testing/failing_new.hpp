// Allocation functions that fail when a test asks for it, as `.fail_alloc_every` does: include this in exactly one
// source of the test program, which then has them in the place of the standard library's.
//
// They take memory from malloc() and aligned_alloc(), so that sanitizers see each block. They count nothing and cost
// nothing but a look at the loop that runs on the thread, if one does. Under ThreadSanitizer, whose own cannot be
// replaced, this is empty, and `.fail_alloc_every` is refused.
#pragma once

#include <lockstep/runtime/disturbance.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOCKSTEP_KEEP_ALLOCATION
#endif
#elif defined(__SANITIZE_THREAD__)
#define LOCKSTEP_KEEP_ALLOCATION
#endif

#ifndef LOCKSTEP_KEEP_ALLOCATION
namespace lockstep::detail {

inline void* allocate_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  if (allocation_fails()) return nullptr;
  if (bytes == 0) bytes = 1;
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(bytes);
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

inline void* allocate(std::size_t bytes, std::size_t alignment) {
  void* const block = allocate_or_null(bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace lockstep::detail

void* operator new(std::size_t bytes) { return lockstep::detail::allocate(bytes, 1); }
void* operator new[](std::size_t bytes) { return lockstep::detail::allocate(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return lockstep::detail::allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return lockstep::detail::allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return lockstep::detail::allocate_or_null(bytes, 1);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return lockstep::detail::allocate_or_null(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return lockstep::detail::allocate_or_null(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return lockstep::detail::allocate_or_null(bytes, static_cast<std::size_t>(alignment));
}

void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { std::free(block); }

#endif
