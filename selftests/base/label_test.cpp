#include <lockstep/base/label.hpp>

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

TEST(LabelTest, IsEmptyByDefault) {
  const label none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_TRUE(label("").empty());
}

TEST(LabelTest, PointsAtALiteral) {
  static constexpr char text[] = "reader";
  const label name(text);
  EXPECT_EQ(name.view(), "reader");
  EXPECT_EQ(name.view().data(), text);
}

TEST(LabelTest, OutlivesTheStringItWasMadeOf) {
  label name;
  {
    std::string text(100, 'x');
    name = text;
    text.assign(100, 'y');
  }
  EXPECT_EQ(name.view(), std::string(100, 'x'));
}

TEST(LabelTest, CopiesShareTheText) {
  const label name(std::string(100, 'x'));
  const label copy = name;
  EXPECT_EQ(copy.view().data(), name.view().data());
}

TEST(LabelTest, IsMovedFromToEmpty) {
  label name(std::string("writer"));
  const label taken = std::move(name);
  EXPECT_EQ(taken.view(), "writer");
}

}  // namespace
}  // namespace lockstep
