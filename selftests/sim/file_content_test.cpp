#include <lockstep/sim/file_content.hpp>

#include <lockstep/base/hash.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {
namespace {

class FileContentTest : public testing::Test {
 public:
  FileContentTest() { std::memset(zero.bytes_to_change(), 0, page_bytes); }

  void write(std::string_view text, std::uint64_t offset) { content.write(store, text.data(), text.size(), offset); }
  std::string read(std::size_t size, std::uint64_t offset) const { return read_of(content, size, offset); }
  static std::string read_of(const file_content& from, std::size_t size, std::uint64_t offset) {
    std::string text(size, '?');
    text.resize(from.read(text.data(), size, offset));
    return text;
  }

  page_store store;
  page_reference zero{store.take()};
  file_content content;
};

TEST_F(FileContentTest, IsReadAsItWasWritten) {
  write("hello", 0);
  write("J", 0);
  EXPECT_EQ(read(100, 0), "Jello");
  EXPECT_EQ(read(2, 3), "lo");
  EXPECT_EQ(read(2, 5), "");
  EXPECT_EQ(content.size(), 5u);
}

TEST_F(FileContentTest, HasHolesThatReadAsZeros) {
  constexpr std::uint64_t far = 5'000'000'000;
  write("x", far);
  EXPECT_EQ(content.pages(), 1u);
  EXPECT_EQ(read(2, far - 1), std::string("\0x", 2));
  EXPECT_EQ(content.next_data(zero, 0), far / page_bytes * page_bytes);
  EXPECT_EQ(content.next_hole(zero, far), far + 1) << "the end";
  EXPECT_EQ(content.pages_missing(0, 3 * page_bytes), 3u);
}

TEST_F(FileContentTest, KnowsWhichPagesWereNeverWritten) {
  content.set_aside(zero, page_bytes, 2 * page_bytes);
  EXPECT_FALSE(content.has_unwritten(zero, 0, page_bytes)) << "a hole";
  EXPECT_TRUE(content.has_unwritten(zero, 0, page_bytes + 1));
  content.punch(store, page_bytes + 5, 10);
  EXPECT_TRUE(content.has_unwritten(zero, page_bytes, page_bytes)) << "still";
  write("x", 2 * page_bytes - 1);
  EXPECT_FALSE(content.has_unwritten(zero, page_bytes, page_bytes));
  EXPECT_TRUE(content.has_unwritten(zero, page_bytes, page_bytes + 1));
}

TEST_F(FileContentTest, ForgetsWhatIsCutOff) {
  write(std::string(3 * page_bytes, 'a'), 0);
  content.resize(store, 10);
  EXPECT_EQ(content.pages(), 1u);
  content.resize(store, 12);
  EXPECT_EQ(read(100, 8), std::string("aa\0\0", 4));
  content.resize(store, 0);
  EXPECT_EQ(content.pages(), 0u);
  EXPECT_EQ(store.in_use(), 1u) << "the page of zeros";
}

TEST_F(FileContentTest, IsPunched) {
  write(std::string(4 * page_bytes, 'a'), 0);
  content.punch(store, page_bytes - 1, 2 * page_bytes + 2);
  EXPECT_EQ(content.pages(), 2u);
  EXPECT_EQ(read(2, page_bytes - 2), std::string("a\0", 2));
  EXPECT_EQ(read(2, 3 * page_bytes), std::string("\0a", 2));
  EXPECT_EQ(content.next_hole(zero, 0), page_bytes);
  content.punch(store, 10, 5);
  EXPECT_EQ(read(7, 9), std::string("a\0\0\0\0\0a", 7));
}

TEST_F(FileContentTest, TakesRoomAside) {
  content.set_aside(zero, 100, page_bytes);
  EXPECT_EQ(content.pages(), 2u);
  EXPECT_EQ(content.size(), 0u);
  write("x", page_bytes);
  EXPECT_EQ(content.next_data(zero, 0), page_bytes);
  EXPECT_EQ(read(1, 0), std::string("\0", 1));
}

TEST_F(FileContentTest, SharesPagesUntilOneIsChanged) {
  write(std::string(2 * page_bytes, 'a'), 0);
  const file_content copy = content;
  EXPECT_EQ(store.in_use(), 3u);
  EXPECT_TRUE(content.same_as(copy));
  write("b", page_bytes);
  EXPECT_EQ(store.in_use(), 4u);
  EXPECT_EQ(read_of(copy, 1, page_bytes), "a");
  EXPECT_FALSE(content.same_as(copy));
}

TEST_F(FileContentTest, IsTheSameWhereZerosAreWritten) {
  file_content other;
  other.resize(store, 3 * page_bytes);
  write(std::string(3 * page_bytes, '\0'), 0);
  EXPECT_TRUE(content.same_as(other));
  EXPECT_TRUE(other.same_as(content));
  write("x", 2 * page_bytes);
  EXPECT_FALSE(other.same_as(content));
  EXPECT_FALSE(content.same_as(other));
}

TEST_F(FileContentTest, IsFilledWithPagesOfOthers) {
  write(std::string(page_bytes, 'a'), 0);
  file_content other;
  other.put_page(7, *content.page_at(0));
  other.set_size(8 * page_bytes);
  EXPECT_EQ(read_of(other, 1, 7 * page_bytes), "a");
  EXPECT_EQ(other.pages(), 1u);
  other.put_page(7, {});
  EXPECT_EQ(other.pages(), 0u);
  EXPECT_EQ(other.page_at(7), nullptr);
}

// Pages that have memory for their first bytes only, beside a string.
TEST_F(FileContentTest, ReadsAsAStringWhateverIsDoneToIt) {
  constexpr std::size_t most = 3 * page_bytes;
  constexpr std::size_t edges[] = {0, 1, 63, 64, 65, 200, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 9000};
  std::string model;
  std::vector<file_content> shared;
  std::uint64_t state = 1;
  const auto any = [&state](std::size_t options) { return static_cast<std::size_t>(hash_of(state++, 0) % options); };
  for (int turn = 0; turn < 3000; ++turn) {
    const std::size_t begin = edges[any(std::size(edges))];
    const std::size_t end = std::max(begin, edges[any(std::size(edges))]);
    switch (any(turn % 100 == 0 ? 4 : 3)) {
      case 0: {
        const std::string text(end - begin, static_cast<char>('a' + turn % 26));
        write(text, begin);
        if (text.empty()) break;  // which makes no file longer
        model.resize(std::max(model.size(), end));
        model.replace(begin, text.size(), text);
        break;
      }
      case 1:
        content.punch(store, begin, end - begin);
        for (std::size_t i = begin; i < std::min(end, model.size()); ++i) model[i] = '\0';
        break;
      case 2:
        content.resize(store, begin);
        model.resize(begin);
        break;
      default: shared.push_back(content); break;
    }
    ASSERT_EQ(read(most, 0), model) << "turn " << turn;
  }
  const std::vector<std::string> before = [&] {
    std::vector<std::string> texts;
    for (const file_content& each : shared) texts.push_back(read_of(each, most, 0));
    return texts;
  }();
  write(std::string(most, 'z'), 0);
  for (std::size_t i = 0; i < shared.size(); ++i) EXPECT_EQ(read_of(shared[i], most, 0), before[i]);
}

}  // namespace
}  // namespace lockstep::sim
