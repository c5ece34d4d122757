#include <lockstep/fs/file.hpp>

#include "in_each_world.hpp"

#include <lockstep/fs/whole_files.hpp>
#include <lockstep/net/reader.hpp>

#include <lockstep/sim/fault.hpp>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constexpr open_options new_file{.read = true, .write = true, .create = true, .exclusive = true};

task<std::string> text_at(file& from, std::size_t size, std::uint64_t offset) {
  std::string text(size, '?');
  text.resize(co_await from.read_at(text, offset));
  co_return text;
}

// -- opening ----------------------------------------------------------------------------------------------------------

TEST(OpenOptionsTest, AreTheFlagsOfOpen) {
  EXPECT_EQ(open_options().flags(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ((open_options{.write = true}).flags(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ((open_options{.read = true, .write = true, .create = true}).flags(), O_RDWR | O_CREAT | O_CLOEXEC);
  EXPECT_EQ((open_options{.append = true}).flags(), O_WRONLY | O_APPEND | O_CLOEXEC);
  EXPECT_EQ((open_options{.read = true, .append = true}).flags(), O_RDWR | O_APPEND | O_CLOEXEC);
  EXPECT_EQ((open_options{.write = true, .create = true, .exclusive = true, .truncate = true}).flags(),
            O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
  EXPECT_EQ((open_options{.directory = true, .no_follow = true}).flags(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  EXPECT_EQ((open_options{.write = true, .sync = true}).flags(), O_WRONLY | O_SYNC | O_CLOEXEC);
  EXPECT_EQ((open_options{.read = true, .write = true, .sync_data = true, .direct = true}).flags(),
            O_RDWR | O_DSYNC | O_DIRECT | O_CLOEXEC);
  EXPECT_EQ((open_options{.truncate = true}).flags(), -1);
  EXPECT_EQ((open_options{.append = true, .truncate = true}).flags(), -1);
  EXPECT_EQ((open_options{.write = true, .exclusive = true}).flags(), -1);
  EXPECT_EQ((open_options{.write = true, .directory = true}).flags(), -1);
}

task<void> says_why_it_does_not_open(std::string folder) {
  const std::string missing = folder + "/missing";
  EXPECT_EQ(co_await text_of_error(open(missing)), "open \"" + missing + "\": No such file or directory");
  EXPECT_EQ(co_await text_of_error(open(folder, {.write = true})), "open \"" + folder + "\": Is a directory");
  EXPECT_EQ(co_await text_of_error(open(missing, {.truncate = true})), "open \"" + missing + "\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(open(std::string("a\0b", 3))), "open \"a\\x00b\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(open("")), "open \"\": No such file or directory");
  { const file made = co_await open(folder + "/a", new_file); }
  EXPECT_EQ(co_await text_of_error(open(folder + "/a", new_file)), "open \"" + folder + "/a\": File exists");
  EXPECT_EQ(co_await text_of_error(open(folder + "/a", {.directory = true})),
            "open \"" + folder + "/a\": Not a directory");
}

TEST(FileTest, SaysWhyItDoesNotOpen) { run_in_each_world(says_why_it_does_not_open); }

task<void> closes_itself(std::string folder) {
  system_calls& system = current_system();
  int fd = -1;
  {
    const file it = co_await open(folder + "/a", new_file);
    EXPECT_TRUE(it.is_open());
    EXPECT_EQ(it.path(), folder + "/a");
    fd = it.fd();
    struct stat found {};
    EXPECT_EQ(system.fstat(fd, &found), 0);
  }
  struct stat found {};
  EXPECT_EQ(system.fstat(fd, &found), -EBADF);
}

TEST(FileTest, ClosesItselfWhenItDies) { run_in_each_world(closes_itself); }

task<void> fails_after_close(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.close();
  EXPECT_FALSE(it.is_open());
  EXPECT_EQ(it.fd(), -1);
  char bytes[4];
  const std::string closed = "\"" + folder + "/a\", which is closed: Bad file descriptor";
  EXPECT_EQ(co_await text_of_error(it.read_some(bytes)), "read " + closed);
  EXPECT_EQ(co_await text_of_error(it.write_at("abc", 0)), "write " + closed);
  EXPECT_EQ(co_await text_of_error(it.append("abc")), "append to " + closed);
  EXPECT_EQ(co_await text_of_error(it.sync()), "sync " + closed);
  EXPECT_EQ(co_await text_of_error(it.seek(0)), "seek in " + closed);
  EXPECT_EQ(co_await text_of_error(it.size()), "status of " + closed);
  EXPECT_EQ(co_await text_of_error(it.try_lock()), "lock " + closed);
  EXPECT_EQ(co_await text_of_error(it.close()), "close " + closed);
}

TEST(FileTest, FailsAfterClose) { run_in_each_world(fails_after_close); }

task<void> adopts(std::string folder) {
  const int fd = current_system().openat(AT_FDCWD, (folder + "/a").c_str(), O_RDWR | O_CREAT, 0600);
  file it = file::adopt(fd, "the log");
  co_await it.write("abc");
  EXPECT_EQ(it.path(), "the log");
  EXPECT_EQ(it.fd(), fd);
  char bytes[4];
  EXPECT_EQ(co_await it.read_at(bytes, 0), 3U);
}

TEST(FileTest, TakesADescriptorOver) { run_in_each_world(adopts); }

// -- reading and writing ----------------------------------------------------------------------------------------------

task<void> reads_and_writes_anywhere(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.write_at("hello", 2);
  EXPECT_EQ(co_await it.size(), 7U);
  EXPECT_EQ(co_await text_at(it, 10, 0), std::string("\0\0hello", 7));
  EXPECT_EQ(co_await text_at(it, 2, 3), "el");
  EXPECT_EQ(co_await text_at(it, 2, 7), "");
  EXPECT_EQ(co_await it.tell(), 0U);
  char bytes[3];
  co_await it.read_exactly_at(bytes, 4);
  EXPECT_EQ(std::string_view(bytes, 3), "llo");
  EXPECT_EQ(co_await text_of_error(it.read_exactly_at(bytes, 5)), "the stream ended after 2 of 3 bytes");
}

TEST(FileTest, ReadsAndWritesAnywhere) { run_in_each_world(reads_and_writes_anywhere); }

// Which is no offset that Linux has, and not the position either.
task<void> refuses_the_largest_offset(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  char bytes[3];
  const std::uint64_t nowhere = ~std::uint64_t{0};
  EXPECT_EQ(co_await text_of_error(it.read_at(bytes, nowhere)), "read \"" + folder + "/a\": Invalid argument");
}

TEST(FileTest, RefusesTheLargestOffset) { run_with_disk(0ms, refuses_the_largest_offset); }

// And never that the file ends there. A read that was interrupted is made again.
task<void> says_why_it_cannot_read_all(std::string folder) {
  const std::string path = folder + "/a";
  co_await write_file(path, std::string(8192, 'x'));
  file it = co_await open(path, {});
  std::string bytes(8192, ' ');
  {
    const fault pieces = on(op::file_read).shorten(100);
    const fault interrupted = on(op::file_read).nth(2).fail(EINTR);
    co_await it.read_exactly_at(std::span<char>(bytes), 0);
    EXPECT_EQ(bytes, std::string(8192, 'x'));
  }
  const fault bad = on(op::file_read).bytes(4096, 8192).latent_error();
  const std::string error = "read \"" + path + "\": Input/output error";
  EXPECT_EQ(co_await text_of_error(it.read_exactly_at(std::span<char>(bytes), 0)), error);
  EXPECT_EQ(co_await text_of_error(it.read_exactly(std::span<char>(bytes))), error);
  EXPECT_EQ(co_await it.tell(), 0U) << "nothing is skipped";
}

TEST(FileTest, SaysWhyItCannotReadAll) { run_in_simulation(says_why_it_cannot_read_all); }

task<void> moves_its_position(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.write("hello ");
  EXPECT_EQ(co_await it.write_some("world"), 5U);
  EXPECT_EQ(co_await it.tell(), 11U);
  EXPECT_EQ(co_await it.seek(-5, seek_from::end), 6U);
  char bytes[5];
  co_await it.read_exactly(bytes);
  EXPECT_EQ(std::string_view(bytes, 5), "world");
  EXPECT_EQ(co_await it.read_some(bytes), 0U);
  EXPECT_EQ(co_await it.seek(-3, seek_from::position), 8U);
  EXPECT_EQ(co_await text_of_error(it.read_exactly(bytes)), "the stream ended after 3 of 5 bytes");
  EXPECT_EQ(std::string_view(bytes, 3), "rld");
  EXPECT_EQ(co_await text_of_error(it.seek(-1)), "seek in \"" + folder + "/a\": Invalid argument");
  EXPECT_EQ(co_await it.read_some(std::span<char>()), 0U);
  co_await it.write("");
}

TEST(FileTest, MovesItsPosition) { run_in_each_world(moves_its_position); }

task<void> appends(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.write("one");
  co_await it.seek(1);
  co_await it.append("two");
  EXPECT_EQ(co_await it.tell(), 1U);
  file log = co_await open(folder + "/a", {.append = true});
  co_await log.write("three");
  co_await log.write_at("four", 0);
  EXPECT_EQ(co_await text_at(it, 100, 0), "onetwothreefour");
}

TEST(FileTest, Appends) { run_in_each_world(appends); }

task<void> refuses_the_wrong_direction(std::string folder) {
  co_await write_file(folder + "/a", "abc");
  file to_read = co_await open(folder + "/a");
  file to_write = co_await open(folder + "/a", {.write = true});
  char bytes[4];
  EXPECT_EQ(co_await text_of_error(to_read.write("x")), "write \"" + folder + "/a\": Bad file descriptor");
  EXPECT_EQ(co_await text_of_error(to_write.read_some(bytes)), "read \"" + folder + "/a\": Bad file descriptor");
  EXPECT_EQ(co_await text_of_error(to_read.truncate(0)), "truncate \"" + folder + "/a\": Invalid argument");
  file as_directory = co_await open(folder, {.directory = true});
  EXPECT_EQ(co_await text_of_error(as_directory.read_some(bytes)), "read \"" + folder + "\": Is a directory");
}

TEST(FileTest, RefusesTheWrongDirection) { run_in_each_world(refuses_the_wrong_direction); }

task<void> is_a_stream_for_a_reader(std::string folder) {
  co_await write_file(folder + "/a", "one\ntwo\n");
  file it = co_await open(folder + "/a");
  reader from(it);
  EXPECT_EQ(co_await from.read_line(), "one\n");
  EXPECT_EQ(co_await from.read_all(), "two\n");
}

TEST(FileTest, IsReadByAReader) { run_in_each_world(is_a_stream_for_a_reader); }

// -- what it is -------------------------------------------------------------------------------------------------------

task<void> changes_what_it_is(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.write("hello");
  co_await it.truncate(2);
  EXPECT_EQ(co_await it.size(), 2U);
  co_await it.truncate(4);
  EXPECT_EQ(co_await text_at(it, 10, 0), std::string("he\0\0", 4));
  co_await it.set_permissions(0640);
  const file_status found = co_await it.status();
  EXPECT_EQ(found.permissions, 0640U);
  EXPECT_TRUE(found.is_regular());
  EXPECT_EQ(found.links, 1U);
  const auto allocated = co_await as_result(it.allocate(0, 10'000));
  EXPECT_EQ(co_await it.size(), allocated ? 10'000U : 4U);  // file systems need not be able to
  co_await it.sync();
  co_await it.sync_data();
}

TEST(FileTest, ChangesWhatItIs) { run_in_each_world(changes_what_it_is); }

task<void> fills_a_full_disk(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  files_here().fail_with = ENOSPC;
  EXPECT_EQ(co_await text_of_error(it.write("abc")), "write \"" + folder + "/a\": No space left on device");
  files_here().fail_with = EIO;
  EXPECT_EQ(co_await text_of_error(it.sync()), "sync \"" + folder + "/a\": Input/output error");
}

TEST(FileTest, TellsOfErrorsOfTheDisk) { run_with_disk(0ms, fills_a_full_disk); }

// -- mistakes ---------------------------------------------------------------------------------------------------------

// The closer comes behind the call that a thread makes, and before those that have not begun.
task<void> closes_behind_others(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  co_await it.write("hello");
  const auto read = [](file& from) -> task<std::string> { co_return co_await text_at(from, 5, 0); };
  auto reader = spawn(read(it), "reader");
  co_await yield();
  co_await it.close();
  EXPECT_EQ(co_await reader.join(), "hello");
}

TEST(FileTest, ClosesBehindCallsThatAreBeingMade) { run_in_each_world(closes_behind_others); }

task<void> uses_what_was_moved(std::string folder) {
  file it = co_await open(folder + "/a", new_file);
  const file other = std::move(it);
  EXPECT_TRUE(other.is_open());
  EXPECT_FALSE(it.is_open());
  EXPECT_EQ(it.path(), "");
  EXPECT_THROW(static_cast<void>(it.size()), misuse);
}

TEST(FileTest, IsMisuseAfterItWasMovedFrom) {
  const folder_on_machine folder;
  sim::world world;
  world.run(on_system(std::make_shared<machine_files>(), uses_what_was_moved(folder.path())));
  ASSERT_EQ(world.verdicts().size(), 1U);
  EXPECT_THAT(world.verdicts()[0].message, testing::HasSubstr("a file that was moved from was asked for its size"));
}

task<void> leaves_one_open(std::optional<file>& left) { left.emplace(co_await open("/tmp/left", new_file)); }

TEST(FileTest, ThatIsLeftOpenKnowsTheLineThatOpenedIt) {
  sim::world world;
  std::optional<file> left;
  world.run(leaves_one_open(left));
  ASSERT_FALSE(world.verdicts().empty());
  EXPECT_EQ(world.verdicts()[0].kind, verdict_kind::leaked_descriptor);
  EXPECT_EQ(file_of(world.verdicts()[0].where), "file_test.cpp");
}

task<void> leaves_one_locked(std::optional<file>& left, std::optional<file_lock>& held) {
  left.emplace(co_await open("/tmp/left", new_file));
  held.emplace(co_await left->lock());
}

TEST(FileTest, ThatIsLeftLockedKnowsTheLineOfTheLock) {
  sim::world world;
  std::optional<file> left;
  std::optional<file_lock> held;
  world.run(leaves_one_locked(left, held));
  ASSERT_FALSE(world.verdicts().empty());
  EXPECT_THAT(world.verdicts()[0].message, testing::ContainsRegex("with a lock taken at .*file_test.cpp:2[0-9][0-9]"));
}

}  // namespace
}  // namespace lockstep
