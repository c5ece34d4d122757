#include <lockstep/system/read_errors.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(IncompleteReadTest, SaysHowMuchCame) {
  const incomplete_read ended(3, 8);
  EXPECT_EQ(ended.bytes_read(), 3U);
  EXPECT_EQ(ended.partial(), "");
  EXPECT_STREQ(ended.what(), "the stream ended after 3 of 8 bytes");
}

TEST(IncompleteReadTest, HasWhatAReaderHad) {
  const incomplete_read of_size(std::string("abc"), 8);
  EXPECT_EQ(of_size.partial(), "abc");
  EXPECT_STREQ(of_size.what(), "the stream ended after 3 of 8 bytes");
  const incomplete_read of_line(std::string("abc"), std::string_view("\n"));
  EXPECT_EQ(of_line.bytes_read(), 3U);
  EXPECT_EQ(of_line.partial(), "abc");
  EXPECT_STREQ(of_line.what(), "the stream ended after 3 bytes, without \"\\n\"");
}

TEST(LimitOverrunTest, SaysHowMuchCouldBeTaken) {
  const limit_overrun passed(10, 8);
  EXPECT_EQ(passed.consumed(), 10U);
  EXPECT_STREQ(passed.what(), "10 bytes have come, and at most 8 may");
}

}  // namespace
}  // namespace lockstep
