// What is sent in the workloads of the network, W5.
#pragma once

#include <cstddef>

namespace bench {

inline constexpr std::size_t message_bytes = 64;
inline constexpr std::size_t buffer_bytes = 256;  // of who answers
inline constexpr std::size_t bulk_bytes = std::size_t{1} << 20;
inline constexpr std::size_t piece_bytes = std::size_t{64} * 1024;  // that are read at once

}  // namespace bench
