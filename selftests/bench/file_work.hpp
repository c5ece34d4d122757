// What the benchmarks of files have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

constexpr std::size_t page_size = 4096;
constexpr std::uint64_t file_pages = 1024;  // a file of 4 MiB, beyond the second cache
constexpr std::string_view deep_path = "/var/lib/app/data";

// Every page in turn, far from the one before.
constexpr std::uint64_t page_of(std::uint64_t operation) noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
  return (operation * odd) % file_pages;
}

// Of one file of many.
inline std::string name_of(std::uint64_t i) { return "/d" + std::to_string(i % 16) + "/f" + std::to_string(i); }

template <class Visit>
constexpr void for_each_part(std::string_view path, const Visit& visit) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    visit(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
}

// The compiler must take it for used.
inline void keep(const void* used) noexcept { asm volatile("" : : "g"(used) : "memory"); }

}  // namespace bench
