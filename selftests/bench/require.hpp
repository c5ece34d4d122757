// Ends the program when a workload has not done what it claims: a figure for work left undone is worse than none.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace bench {

inline void require(bool holds, const char* what) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "benchmark is broken: %s\n", what);
  std::exit(3);
}

}  // namespace bench
