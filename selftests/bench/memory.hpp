// Memory as a fresh process has it, so that what one workload leaves behind does not help or hurt the next.
#pragma once

#include <malloc.h>
#include <unistd.h>
#include <cstdio>

namespace bench {

// Makes freed slabs and arrays go back to the system at once. Otherwise malloc learns, from the first large block that
// is freed, to keep such blocks, and later runs find their pages already mapped.
inline void forget_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

// Gives the heap's free pages back to the system.
inline void trim_heap() { malloc_trim(0); }

// The bytes of this process that are in memory.
inline double resident_bytes() {
  long pages_total = 0;
  long pages_resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r"); file != nullptr) {
    if (std::fscanf(file, "%ld %ld", &pages_total, &pages_resident) != 2) pages_resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages_resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// The bytes that were allocated and not freed.
inline double heap_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

}  // namespace bench
