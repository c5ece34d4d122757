#include <lockstep/sim/pieces.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;

TEST(PiecesTest, AreOneRowOfBytes) {
  char first[] = "abc";
  char second[] = "de";
  const iovec memory[] = {{first, 3}, {nullptr, 0}, {second, 2}};
  pieces row(memory, 3);
  EXPECT_EQ(row.left(), 5u);
  std::vector<std::string> parts;
  const auto note = [&](std::span<std::byte> part) {
    parts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
  };
  row.take(2, note);
  row.take(0, note);
  row.take(3, note);
  EXPECT_THAT(parts, ElementsAre("ab", "c", "de"));
  EXPECT_EQ(row.left(), 0u);
}

TEST(PiecesTest, MayBeNone) { EXPECT_EQ(pieces(nullptr, 0).left(), 0u); }

}  // namespace
}  // namespace lockstep::sim
