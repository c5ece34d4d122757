#include <lockstep/fs/lines.hpp>

#include "in_each_world.hpp"

#include <stdexcept>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

task<std::vector<std::string>> lines_of(std::string path, std::string text) {
  co_await write_file(path, std::move(text));
  file from = co_await open(path);
  std::vector<std::string> found;
  auto all = lines(from);
  while (std::string* const each = co_await all.next()) found.push_back(std::move(*each));
  co_return found;
}

task<void> yields_lines(std::string folder) {
  const std::string path = folder + "/a";
  EXPECT_THAT(co_await lines_of(path, ""), ElementsAre());
  EXPECT_THAT(co_await lines_of(path, "\n"), ElementsAre("\n"));
  EXPECT_THAT(co_await lines_of(path, "one"), ElementsAre("one"));
  EXPECT_THAT(co_await lines_of(path, "one\n\ntwo\n"), ElementsAre("one\n", "\n", "two\n"));
  EXPECT_THAT(co_await lines_of(path, "one\ntwo"), ElementsAre("one\n", "two"));
  const std::string is_long(50'000, 'x');
  EXPECT_THAT(co_await lines_of(path, is_long + "\nend"), ElementsAre(is_long + "\n", "end"));
}

TEST(LinesTest, AreThoseOfTheFile) { run_in_each_world(yields_lines); }

task<void> limits_lines(std::string folder) {
  co_await write_file(folder + "/a", "123\n1234\n");
  file from = co_await open(folder + "/a");
  auto all = lines(from, 3);
  EXPECT_EQ(*co_await all.next(), "123\n");
  EXPECT_EQ(co_await text_of_error(all.next()), "4 bytes have come, and at most 3 may");
  EXPECT_EQ(co_await all.next(), nullptr);
}

TEST(LinesTest, AreNoLongerThanTheLimit) { run_in_each_world(limits_lines); }

task<void> begins_at_the_position(std::string folder) {
  co_await write_file(folder + "/a", "one\ntwo\n");
  file from = co_await open(folder + "/a");
  co_await from.seek(4);
  auto all = lines(from);
  EXPECT_EQ(*co_await all.next(), "two\n");
  EXPECT_EQ(co_await all.next(), nullptr);
}

TEST(LinesTest, BeginAtThePosition) { run_in_each_world(begins_at_the_position); }

task<std::vector<std::string>> chunks_of(std::string path, std::size_t size) {
  file from = co_await open(std::move(path));
  std::vector<std::string> found;
  auto all = chunks(from, size);
  while (const auto* const each = co_await all.next()) {
    found.emplace_back(reinterpret_cast<const char*>(each->data()), each->size());
  }
  co_return found;
}

task<void> yields_chunks(std::string folder) {
  co_await write_file(folder + "/a", "0123456");
  co_await write_file(folder + "/empty", "");
  EXPECT_THAT(co_await chunks_of(folder + "/a", 3), ElementsAre("012", "345", "6"));
  EXPECT_THAT(co_await chunks_of(folder + "/a", 7), ElementsAre("0123456"));
  EXPECT_THAT(co_await chunks_of(folder + "/a", 100), ElementsAre("0123456"));
  EXPECT_THAT(co_await chunks_of(folder + "/empty", 3), ElementsAre());
  EXPECT_EQ(co_await text_of_error(chunks_of(folder + "/a", 0)), "chunks of 0 bytes");
}

TEST(ChunksTest, AreOfTheSizeThatWasAsked) { run_in_each_world(yields_chunks); }

task<void> fills_chunks(std::string folder) {
  co_await write_file(folder + "/a", "0123456");
  files_here().pieces_of = 2;
  EXPECT_THAT(co_await chunks_of(folder + "/a", 3), ElementsAre("012", "345", "6"));
}

TEST(ChunksTest, AreFullWhateverACallGives) { run_with_disk(std::chrono::milliseconds(0), fills_chunks); }

}  // namespace
}  // namespace lockstep
