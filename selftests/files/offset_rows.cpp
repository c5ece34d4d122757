// Offsets: where reads and writes take place, appending, and calls with several pieces.
// Source: read(2), write(2), pread(2), readv(2), lseek(2), open(2).
#include "rows.hpp"

#include <sys/file.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>

namespace lockstep::files {

std::vector<row> offset_rows() {
  return {
      {"A1", "each write is at the end",
       [](machine& m) {
         m.make_file("file", "12345");
         descriptor f = m.opened("file", O_RDWR | O_APPEND);
         f.read(2);
         f.write("6");
         f.seek(0, SEEK_CUR);
         f.seek(0, SEEK_SET);
         f.write("7");
         m.content("file");
         f.seek(0, SEEK_CUR);
         f.read(9);
       },
       R"(
f read 2 -> "12"
f write "6" -> 1
f lseek 0 SEEK_CUR -> 6
f lseek 0 SEEK_SET -> 0
f write "7" -> 1
file content -> "1234567"
f lseek 0 SEEK_CUR -> 7
f read 9 -> 0
)"},
      {"A1", "two that append",
       [](machine& m) {
         descriptor one = m.made("file", "", O_RDWR | O_APPEND);
         descriptor two = m.opened("file", O_WRONLY | O_APPEND, "two");
         one.write("a");
         two.write("b");
         one.write("c");
         two.seek(0, SEEK_CUR);
         m.content("file");
       },
       R"(
file write "a" -> 1
two write "b" -> 1
file write "c" -> 1
two lseek 0 SEEK_CUR -> 2
file content -> "abc"
)"},
      {"A1", "an appender beside one that does not",
       [](machine& m) {
         descriptor plain = m.made("file");
         descriptor appender = m.opened("file", O_WRONLY | O_APPEND, "appender");
         plain.write("aa");
         appender.write("bb");
         plain.write("c");
         m.content("file");
         plain.truncate(1);
         appender.write("d");
         m.content("file");
       },
       R"(
file write "aa" -> 2
appender write "bb" -> 2
file write "c" -> 1
file content -> "aacb"
file ftruncate 1 -> 0
appender write "d" -> 1
file content -> "ad"
)"},
      {"A1", "pwrite appends, wherever it is to write",
       [](machine& m) {
         descriptor f = m.made("file", "12345", O_RDWR | O_APPEND);
         f.pwrite("x", 0);
         f.pwrite("y", 100);
         f.writev({"z", "z"}, 1);
         m.content("file");
         f.seek(0, SEEK_CUR);
         f.pread(2, 1);
         f.pwrite("x", -1);
       },
       R"(
file pwrite "x" at 0 -> 1
file pwrite "y" at 100 -> 1
file pwritev "z"+"z" at 1 -> 2
file content -> "12345xyzz"
file lseek 0 SEEK_CUR -> 5
file pread 2 at 1 -> "23"
file pwrite "x" at -1 -> EINVAL
)"},
      {"A1", "pieces are appended together",
       [](machine& m) {
         descriptor f = m.made("file", "1", O_RDWR | O_APPEND);
         f.seek(0, SEEK_SET);
         f.writev({"2", "", "34"});
         m.content("file");
       },
       R"(
file lseek 0 SEEK_SET -> 0
file writev "2"+""+"34" -> 3
file content -> "1234"
)"},
      {"A2", "reading at an offset",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.seek(1, SEEK_SET);
         f.pread(3, 1);
         f.pread(9, 3);
         f.pread(9, 5);
         f.pread(9, 6);
         f.pread(0, 0);
         f.pread(9, -1);
         f.pread(0, -1);
         f.seek(0, SEEK_CUR);
       },
       R"(
file lseek 1 SEEK_SET -> 1
file pread 3 at 1 -> "234"
file pread 9 at 3 -> "45"
file pread 9 at 5 -> 0
file pread 9 at 6 -> 0
file pread 0 at 0 -> 0
file pread 9 at -1 -> EINVAL
file pread 0 at -1 -> EINVAL
file lseek 0 SEEK_CUR -> 1
)"},
      {"A2", "writing at an offset",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.pwrite("ab", 1);
         f.pwrite("c", 8);
         f.pwrite("", 100);
         f.pwrite("x", -1);
         f.seek(0, SEEK_CUR);
         m.content("file");
       },
       R"(
file pwrite "ab" at 1 -> 2
file pwrite "c" at 8 -> 1
file pwrite "" at 100 -> 0
file pwrite "x" at -1 -> EINVAL
file lseek 0 SEEK_CUR -> 5
file content -> "1ab45\0\0\0c"
)"},
      {"A2", "reading up to the end",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.read(9);
         f.seek(0, SEEK_SET);
         f.read(3);
         f.read(3);
         f.read(3);
         f.read(0);
         f.write("67");
         f.read(9);
         f.seek(-2, SEEK_CUR);
         f.read(9);
       },
       R"(
file read 9 -> 0
file lseek 0 SEEK_SET -> 0
file read 3 -> "123"
file read 3 -> "45"
file read 3 -> 0
file read 0 -> 0
file write "67" -> 2
file read 9 -> 0
file lseek -2 SEEK_CUR -> 5
file read 9 -> "67"
)"},
      {"A2", "offsets that are too large",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
         f.pread(9, most);
         f.pwrite("x", most);
         f.pwrite("xx", most - 1);
         f.seek(most, SEEK_SET);
       },
       R"(
file pread 9 at 9223372036854775807 -> EINVAL
file pwrite "x" at 9223372036854775807 -> EINVAL
file pwrite "xx" at 9223372036854775806 -> EINVAL
file lseek 9223372036854775807 SEEK_SET -> EINVAL
)",
       needs::ext4},
      {"A3", "a duplicate has the same offset",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         f.seek(1, SEEK_SET);
         copy.read(2);
         f.read(1);
         copy.write("x");
         f.close();
         copy.seek(0, SEEK_CUR);
         copy.content();
       },
       R"(
file lseek 1 SEEK_SET -> 1
copy read 2 -> "23"
file read 1 -> "4"
copy write "x" -> 1
file close -> 0
copy lseek 0 SEEK_CUR -> 5
copy content -> "1234x"
)"},
      {"A3", "opened again it has another",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         descriptor other = m.opened("file", O_RDWR, "other");
         other.read(2);
         f.seek(0, SEEK_CUR);
         f.write("6");
         other.read(9);
       },
       R"(
other read 2 -> "12"
file lseek 0 SEEK_CUR -> 5
file write "6" -> 1
other read 9 -> "3456"
)"},
      {"A3", "what is written is read at once",
       [](machine& m) {
         descriptor writer = m.made("file");
         descriptor reader = m.opened("file", O_RDONLY, "reader");
         reader.read(9);
         writer.write("one");
         reader.read(9);
         writer.write("two");
         reader.read(9);
         writer.pwrite("O", 0);
         reader.pread(9, 0);
       },
       R"(
reader read 9 -> 0
file write "one" -> 3
reader read 9 -> "one"
file write "two" -> 3
reader read 9 -> "two"
file pwrite "O" at 0 -> 1
reader pread 9 at 0 -> "Onetwo"
)"},
      {"A4", "seeking",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.seek(2, SEEK_SET);
         f.seek(1, SEEK_CUR);
         f.seek(-1, SEEK_END);
         f.seek(3, SEEK_END);
         f.read(9);
         f.seek(-1, SEEK_SET);
         f.seek(-9, SEEK_CUR);
         f.seek(-6, SEEK_END);
         f.seek(0, SEEK_CUR);
         f.seek(0, 99);
         f.seek(0, SEEK_CUR);
         m.status("file");
       },
       R"(
file lseek 2 SEEK_SET -> 2
file lseek 1 SEEK_CUR -> 3
file lseek -1 SEEK_END -> 4
file lseek 3 SEEK_END -> 8
file read 9 -> 0
file lseek -1 SEEK_SET -> EINVAL
file lseek -9 SEEK_CUR -> EINVAL
file lseek -6 SEEK_END -> EINVAL
file lseek 0 SEEK_CUR -> 8
file lseek 0 an unknown whence -> EINVAL
file lseek 0 SEEK_CUR -> 8
stat file -> regular, 5 bytes, 1 link, 0644
)"},
      {"A4", "seeking further than numbers go",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.seek(5, SEEK_SET);
         f.seek(std::numeric_limits<std::int64_t>::max(), SEEK_CUR);
         f.seek(std::numeric_limits<std::int64_t>::min(), SEEK_CUR);
         f.seek(0, SEEK_CUR);
       },
       R"(
file lseek 5 SEEK_SET -> 5
file lseek 9223372036854775807 SEEK_CUR -> EINVAL
file lseek -9223372036854775808 SEEK_CUR -> EINVAL
file lseek 0 SEEK_CUR -> 5
)"},
      {"A4", "what has no offset",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         reader.seek(0, SEEK_CUR);
         reader.pread(1, 0);
         writer.pwrite("x", 0);
         reader.readv({1}, 0);
         writer.writev({"x"}, 0);
         writer.truncate(0);
         writer.allocate(0, 0, 1);
       },
       R"(
reader lseek 0 SEEK_CUR -> ESPIPE
reader pread 1 at 0 -> ESPIPE
writer pwrite "x" at 0 -> ESPIPE
reader preadv 1 at 0 -> ESPIPE
writer pwritev "x" at 0 -> ESPIPE
writer ftruncate 0 -> EINVAL
writer fallocate 0 0 1 -> ESPIPE
)"},
      {"A4", "of a directory",
       [](machine& m) {
         m.make_folder("folder");
         descriptor folder = m.opened("folder", O_RDONLY | O_DIRECTORY, "folder");
         folder.seek(0, SEEK_CUR);
         folder.seek(0, SEEK_SET);
         folder.seek(-1, SEEK_SET);
       },
       R"(
folder lseek 0 SEEK_CUR -> 0
folder lseek 0 SEEK_SET -> 0
folder lseek -1 SEEK_SET -> EINVAL
)"},
      {"A5", "several pieces",
       [](machine& m) {
         descriptor f = m.made("file");
         f.writev({"one", "", "two"});
         f.seek(0, SEEK_SET);
         f.readv({2, 0, 9});
         f.readv({2, 2});
         f.readv({1, 1}, 4);
         f.writev({"a", "b"}, 5);
         f.readv({}, 0);
         f.writev({});
         f.seek(0, SEEK_CUR);
         m.content("file");
       },
       R"(
file writev "one"+""+"two" -> 6
file lseek 0 SEEK_SET -> 0
file readv 2+0+9 -> 6: "on", "", "etwo"
file readv 2+2 -> 0
file preadv 1+1 at 4 -> 2: "w", "o"
file pwritev "a"+"b" at 5 -> 2
file preadv 0 pieces at 0 -> 0
file writev 0 pieces -> 0
file lseek 0 SEEK_CUR -> 6
file content -> "onetwab"
)"},
      {"A5", "more pieces than there may be",
       [](machine& m) {
         descriptor f = m.made("file");
         f.writev(std::vector<std::string>(1024, "x"));
         f.writev(std::vector<std::string>(1025, "x"));
         f.writev(std::vector<std::string>(1025, "x"), 0);
         f.seek(0, SEEK_SET);
         f.readv(std::vector<std::size_t>(1024, 1));
         f.readv(std::vector<std::size_t>(1025, 1));
         f.readv(std::vector<std::size_t>(1025, 1), 0);
         char byte = 'x';
         const iovec one{&byte, 1};
         m.says("readv of -1 pieces", m.calls().readv(f.number(), &one, -1));
         m.says("writev of -1 pieces", m.calls().writev(f.number(), &one, -1));
         m.status("file");
       },
       R"(
file writev 1024 pieces -> 1024
file writev 1025 pieces -> EINVAL
file pwritev 1025 pieces at 0 -> EINVAL
file lseek 0 SEEK_SET -> 0
file readv 1024 pieces -> 1024
file readv 1025 pieces -> EINVAL
file preadv 1025 pieces at 0 -> EINVAL
readv of -1 pieces -> EINVAL
writev of -1 pieces -> EINVAL
stat file -> regular, 1024 bytes, 1 link, 0644
)"},
      {"A5", "pieces that are too long together",
       [](machine& m) {
         descriptor f = m.made("file");
         char byte = 'x';
         constexpr std::size_t half = std::numeric_limits<std::size_t>::max() / 2;
         const iovec pieces[2] = {{&byte, 1}, {&byte, half + 1}};
         m.says("writev", m.calls().writev(f.number(), pieces, 2));
         m.says("readv", m.calls().readv(f.number(), pieces, 2));
         m.status("file");
       },
       R"(
writev -> EINVAL
readv -> EINVAL
stat file -> regular, 0 bytes, 1 link, 0644
)"},
      {"A5", "pieces at an offset below zero",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         char byte = 'x';
         const iovec one{&byte, 1};
         m.says("preadv", m.calls().preadv(f.number(), &one, 1, -2));
         m.says("pwritev", m.calls().pwritev(f.number(), &one, 1, -2));
       },
       R"(
preadv -> EINVAL
pwritev -> EINVAL
)"},
      {"A6", "nothing is written",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.write("");
         f.seek(100, SEEK_SET);
         f.write("");
         m.status("file");
         descriptor reader = m.opened("file", O_RDONLY, "reader");
         reader.write("");
         reader.pwrite("", 0);
       },
       R"(
file write "" -> 0
file lseek 100 SEEK_SET -> 100
file write "" -> 0
stat file -> regular, 5 bytes, 1 link, 0644
reader write "" -> EBADF
reader pwrite "" at 0 -> EBADF
)"},
      {"A6", "a number is taken over while its file is open elsewhere",
       [](machine& m) {
         descriptor one = m.made("one", "1");
         descriptor two = m.made("two", "2");
         descriptor copy = m.named(m.calls().dup(one.number()), "copy");
         m.says("dup3", m.calls().dup3(two.number(), one.number(), O_CLOEXEC) - one.number());
         one.write("x");
         copy.write("y");
         m.content("one");
         m.content("two");
       },
       R"(
dup3 -> 0
one write "x" -> 1
copy write "y" -> 1
one content -> "1y"
two content -> "2x"
)"},
  };
}

}  // namespace lockstep::files
