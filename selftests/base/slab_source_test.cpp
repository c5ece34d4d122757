#include <lockstep/base/slab_source.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>

namespace lockstep {
namespace {

TEST(SlabSourceTest, EachSlabIsAlignedToItsSizeAndApartFromTheOthers) {
  constexpr std::size_t slab_bytes = 4096;
  slab_source source(slab_bytes);
  std::set<std::uintptr_t> slabs;
  for (int i = 0; i < 3'000; ++i) {  // more than the largest region holds
    void* const slab = source.take();
    std::memset(slab, 0xAB, slab_bytes);
    const auto address = reinterpret_cast<std::uintptr_t>(slab);
    EXPECT_EQ(address % slab_bytes, 0u);
    EXPECT_TRUE(slabs.insert(address).second);
  }
}

TEST(SlabSourceTest, ASlabMayBeAsLargeAsTheLargestRegion) {
  constexpr std::size_t slab_bytes = std::size_t{4} << 20;
  slab_source source(slab_bytes);
  void* const first = source.take();
  void* const second = source.take();
  EXPECT_NE(first, second);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % slab_bytes, 0u);
  static_cast<char*>(first)[slab_bytes - 1] = 1;
  static_cast<char*>(second)[slab_bytes - 1] = 2;
  EXPECT_EQ(static_cast<char*>(first)[slab_bytes - 1], 1);
}

}  // namespace
}  // namespace lockstep
