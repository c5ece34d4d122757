// Holes, space that is allocated ahead, and sizes that are set.
// Source: lseek(2), fallocate(2), truncate(2).
#include "rows.hpp"

#include <cstdint>
#include <string>

namespace lockstep::files {
namespace {

// Of so many blocks with letters, "aaaa…bbbb…".
descriptor lettered(machine& m, const std::string& path, int blocks) {
  std::string text;
  for (int i = 0; i < blocks; ++i) text += std::string(block, static_cast<char>('a' + i));
  return m.made(path, text);
}

void tell_blocks(machine& m, const descriptor& of) { m.says(of.name() + " st_blocks", of.blocks()); }

// From begin to end, "data 0, hole 4096, end 8192".
void tell_holes(machine& m, const descriptor& of) {
  std::string text;
  const std::int64_t end = of.size();
  bool is_data = m.calls().lseek(of.number(), 0, SEEK_DATA) == 0;
  for (std::int64_t at = 0; at >= 0 && at < end; is_data = !is_data) {
    text += std::string(is_data ? "data " : "hole ") + std::to_string(at) + ", ";
    at = m.calls().lseek(of.number(), at, is_data ? SEEK_HOLE : SEEK_DATA);
  }
  m.says(of.name() + " extents", text + "end " + std::to_string(end));
}

}  // namespace

std::vector<row> sparse_rows() {
  return {
      {"S1", "writing beyond the end",
       [](machine& m) {
         descriptor f = m.made("file", "ab");
         f.pwrite("c", 10);
         f.content();
         f.seek(20, SEEK_SET);
         f.write("d");
         f.content();
         m.status("file");
       },
       R"(
file pwrite "c" at 10 -> 1
file content -> "ab" \0*8 "c"
file lseek 20 SEEK_SET -> 20
file write "d" -> 1
file content -> "ab" \0*8 "c" \0*9 "d"
stat file -> regular, 21 bytes, 1 link, 0644
)"},
      {"S1", "a hole takes no space",
       [](machine& m) {
         descriptor f = m.made("file");
         f.pwrite("x", 1'000'000);
         tell_blocks(m, f);
         f.pread(9, 999'995);
         f.pread(9, 500'000);
         f.pwrite("y", 0);
         tell_blocks(m, f);
         f.truncate(100'000'000);
         tell_blocks(m, f);
       },
       R"(
file pwrite "x" at 1000000 -> 1
file st_blocks -> 8
file pread 9 at 999995 -> "\0\0\0\0\0x"
file pread 9 at 500000 -> \0*9
file pwrite "y" at 0 -> 1
file st_blocks -> 16
file ftruncate 100000000 -> 0
file st_blocks -> 16
)",
       needs::ext4},
      {"S1", "large files cost nothing",
       [](machine& m) {
         descriptor f = m.made("file");
         f.truncate(std::int64_t{1} << 40);
         f.pread(4, std::int64_t{1} << 39);
         f.seek(0, SEEK_END);
         f.pwrite("x", (std::int64_t{1} << 40) - 1);
         f.pread(4, (std::int64_t{1} << 40) - 2);
         tell_blocks(m, f);
       },
       R"(
file ftruncate 1099511627776 -> 0
file pread 4 at 549755813888 -> "\0\0\0\0"
file lseek 0 SEEK_END -> 1099511627776
file pwrite "x" at 1099511627775 -> 1
file pread 4 at 1099511627774 -> "\0x"
file st_blocks -> 8
)",
       needs::ext4},
      {"S2", "data and holes",
       [](machine& m) {
         descriptor f = lettered(m, "file", 1);
         f.truncate(3 * block);
         f.pwrite("x", 4 * block);
         tell_holes(m, f);
         f.seek(0, SEEK_DATA);
         f.seek(0, SEEK_HOLE);
         f.seek(100, SEEK_DATA);
         f.seek(block, SEEK_DATA);
         f.seek(block, SEEK_HOLE);
         f.seek(block + 100, SEEK_HOLE);
         f.seek(4 * block, SEEK_HOLE);
         f.seek(0, SEEK_CUR);
       },
       R"(
file ftruncate 12288 -> 0
file pwrite "x" at 16384 -> 1
file extents -> data 0, hole 4096, data 16384, end 16385
file lseek 0 SEEK_DATA -> 0
file lseek 0 SEEK_HOLE -> 4096
file lseek 100 SEEK_DATA -> 100
file lseek 4096 SEEK_DATA -> 16384
file lseek 4096 SEEK_HOLE -> 4096
file lseek 4196 SEEK_HOLE -> 4196
file lseek 16384 SEEK_HOLE -> 16385
file lseek 0 SEEK_CUR -> 16385
)",
       needs::ext4},
      {"S2", "at the end and beyond",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.seek(4, SEEK_HOLE);
         f.seek(5, SEEK_HOLE);
         f.seek(5, SEEK_DATA);
         f.seek(6, SEEK_HOLE);
         f.seek(-1, SEEK_DATA);
         f.seek(-1, SEEK_HOLE);
         f.truncate(10'000);
         f.seek(5'000, SEEK_DATA);
         f.seek(5'000, SEEK_HOLE);
         descriptor empty = m.made("empty");
         empty.seek(0, SEEK_DATA);
         empty.seek(0, SEEK_HOLE);
       },
       R"(
file lseek 4 SEEK_HOLE -> 5
file lseek 5 SEEK_HOLE -> ENXIO
file lseek 5 SEEK_DATA -> ENXIO
file lseek 6 SEEK_HOLE -> ENXIO
file lseek -1 SEEK_DATA -> ENXIO
file lseek -1 SEEK_HOLE -> ENXIO
file ftruncate 10000 -> 0
file lseek 5000 SEEK_DATA -> ENXIO
file lseek 5000 SEEK_HOLE -> 5000
empty lseek 0 SEEK_DATA -> ENXIO
empty lseek 0 SEEK_HOLE -> ENXIO
)",
       needs::ext4},
      {"S2", "zeros that were written are data",
       [](machine& m) {
         descriptor f = m.made("file", std::string(2 * block, '\0'));
         tell_holes(m, f);
         f.truncate(block);
         f.truncate(3 * block);
         tell_holes(m, f);
       },
       R"(
file extents -> data 0, end 8192
file ftruncate 4096 -> 0
file ftruncate 12288 -> 0
file extents -> data 0, hole 4096, end 12288
)",
       needs::ext4},
      {"S3", "space is allocated",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.allocate(0, 0, 10);
         f.content();
         f.allocate(0, 2, 3);
         f.allocate(0, block, block);
         m.status("file");
         tell_blocks(m, f);
         f.allocate(FALLOC_FL_KEEP_SIZE, 2 * block, 2 * block);
         m.status("file");
         tell_blocks(m, f);
         tell_holes(m, f);
         f.truncate(2 * block);
         tell_blocks(m, f);
       },
       R"(
file fallocate 0 0 10 -> 0
file content -> "12345\0\0\0\0\0"
file fallocate 0 2 3 -> 0
file fallocate 0 4096 4096 -> 0
stat file -> regular, 8192 bytes, 1 link, 0644
file st_blocks -> 16
file fallocate KEEP_SIZE 8192 8192 -> 0
stat file -> regular, 8192 bytes, 1 link, 0644
file st_blocks -> 32
file extents -> data 0, hole 4096, end 8192
file ftruncate 8192 -> 0
file st_blocks -> 16
)",
       needs::ext4},
      {"S3", "a hole is punched",
       [](machine& m) {
         constexpr int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
         descriptor f = lettered(m, "file", 4);
         f.allocate(punch, block, 2 * block);
         f.content();
         tell_blocks(m, f);
         tell_holes(m, f);
         f.allocate(punch, 10, 100);
         f.allocate(punch, 4 * block - 10, 100);
         f.content();
         tell_blocks(m, f);
         f.allocate(punch, 100 * block, block);
         f.allocate(punch, 0, 100 * block);
         f.content();
         tell_blocks(m, f);
       },
       R"(
file fallocate KEEP_SIZE|PUNCH_HOLE 4096 8192 -> 0
file content -> a*4096 \0*8192 d*4096
file st_blocks -> 16
file extents -> data 0, hole 4096, data 12288, end 16384
file fallocate KEEP_SIZE|PUNCH_HOLE 10 100 -> 0
file fallocate KEEP_SIZE|PUNCH_HOLE 16374 100 -> 0
file content -> a*10 \0*100 a*3986 \0*8192 d*4086 \0*10
file st_blocks -> 16
file fallocate KEEP_SIZE|PUNCH_HOLE 409600 4096 -> 0
file fallocate KEEP_SIZE|PUNCH_HOLE 0 409600 -> 0
file content -> \0*16384
file st_blocks -> 0
)",
       needs::ext4},
      {"S3", "a range becomes zero",
       [](machine& m) {
         descriptor f = lettered(m, "file", 3);
         f.allocate(FALLOC_FL_ZERO_RANGE, block - 10, block + 20);
         f.content();
         tell_blocks(m, f);
         f.allocate(FALLOC_FL_ZERO_RANGE, 3 * block - 10, 30);
         m.status("file");
         f.allocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 3 * block, 10 * block);
         m.status("file");
         f.content();
       },
       R"(
file fallocate ZERO_RANGE 4086 4116 -> 0
file content -> a*4086 \0*4116 c*4086
file st_blocks -> 24
file fallocate ZERO_RANGE 12278 30 -> 0
stat file -> regular, 12308 bytes, 1 link, 0644
file fallocate KEEP_SIZE|ZERO_RANGE 12288 40960 -> 0
stat file -> regular, 12308 bytes, 1 link, 0644
file content -> a*4086 \0*4116 c*4076 \0*30
)",
       needs::ext4},
      {"S3", "what cannot be allocated",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.allocate(0, -1, 10);
         f.allocate(0, 0, 0);
         f.allocate(0, 0, -1);
         f.allocate(0, std::int64_t{1} << 62, std::int64_t{1} << 62);
         f.allocate(0, std::int64_t{1} << 60, 1);
         f.allocate(FALLOC_FL_PUNCH_HOLE, 0, 10);
         f.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, 10);
         f.allocate(0x4000, 0, 10);
         m.opened("file", O_RDONLY, "reader").allocate(0, 0, 10);
         m.make_folder("folder");
         m.opened("folder", O_RDONLY, "folder").allocate(0, 0, 10);
         auto [reader, writer] = m.pipe();
         reader.allocate(0, 0, 10);
         writer.allocate(0, 0, 10);
         m.status("file");
       },
       R"(
file fallocate 0 -1 10 -> EINVAL
file fallocate 0 0 0 -> EINVAL
file fallocate 0 0 -1 -> EINVAL
file fallocate 0 4611686018427387904 4611686018427387904 -> EFBIG
file fallocate 0 1152921504606846976 1 -> EFBIG
file fallocate PUNCH_HOLE 0 10 -> EOPNOTSUPP
file fallocate KEEP_SIZE|PUNCH_HOLE|ZERO_RANGE 0 10 -> EOPNOTSUPP
file fallocate 0x4000 0 10 -> EOPNOTSUPP
reader fallocate 0 0 10 -> EBADF
folder fallocate 0 0 10 -> EBADF
reader fallocate 0 0 10 -> EBADF
writer fallocate 0 0 10 -> ESPIPE
stat file -> regular, 5 bytes, 1 link, 0644
)",
       needs::ext4},
      {"S3", "an appender may allocate and punch holes",
       [](machine& m) {
         descriptor f = m.made("file", "12345", O_RDWR | O_APPEND);
         f.allocate(0, 0, 10);
         f.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2);
         f.content();
       },
       R"(
file fallocate 0 0 10 -> 0
file fallocate KEEP_SIZE|PUNCH_HOLE 0 2 -> 0
file content -> "\0\0345\0\0\0\0\0"
)",
       needs::ext4},
      {"T1", "shrunk and grown",
       [](machine& m) {
         descriptor f = m.made("file", "1234567890");
         f.truncate(4);
         f.content();
         f.truncate(12);
         f.content();
         f.truncate(12);
         m.status("file");
         f.truncate(0);
         f.truncate(3);
         f.content();
       },
       R"(
file ftruncate 4 -> 0
file content -> "1234"
file ftruncate 12 -> 0
file content -> "1234" \0*8
file ftruncate 12 -> 0
stat file -> regular, 12 bytes, 1 link, 0644
file ftruncate 0 -> 0
file ftruncate 3 -> 0
file content -> "\0\0\0"
)"},
      {"T1", "by name",
       [](machine& m) {
         m.make_file("file", "12345");
         m.make_link("file", "link");
         m.make_folder("folder");
         m.truncate("file", 2);
         m.content("file");
         m.truncate("link", 4);
         m.content("file");
         m.status("link", AT_SYMLINK_NOFOLLOW);
         m.truncate("folder", 0);
         m.truncate("missing", 0);
         m.truncate("file/", 0);
         m.truncate("", 0);
         m.truncate("file", -1);
       },
       R"(
truncate file 2 -> 0
file content -> "12"
truncate link 4 -> 0
file content -> "12\0\0"
lstat link -> link, 4 bytes, 1 link, 0777
truncate folder 0 -> EISDIR
truncate missing 0 -> ENOENT
truncate file/ 0 -> ENOTDIR
truncate "" 0 -> ENOENT
truncate file -1 -> EINVAL
)"},
      {"T1", "what cannot be truncated",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.truncate(-1);
         m.opened("file", O_RDONLY, "reader").truncate(0);
         m.make_folder("folder");
         m.opened("folder", O_RDONLY, "folder").truncate(0);
         auto [reader, writer] = m.pipe();
         reader.truncate(0);
         writer.truncate(0);
         m.opened("file", O_WRONLY | O_APPEND, "appender").truncate(2);
         m.content("file");
       },
       R"(
file ftruncate -1 -> EINVAL
reader ftruncate 0 -> EINVAL
folder ftruncate 0 -> EINVAL
reader ftruncate 0 -> EINVAL
writer ftruncate 0 -> EINVAL
appender ftruncate 2 -> 0
file content -> "12"
)"},
      {"T1", "the offset stays",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         f.truncate(1);
         f.seek(0, SEEK_CUR);
         f.read(9);
         f.write("x");
         f.content();
         descriptor appender = m.opened("file", O_RDWR | O_APPEND, "appender");
         f.truncate(2);
         appender.write("y");
         f.content();
       },
       R"(
file ftruncate 1 -> 0
file lseek 0 SEEK_CUR -> 5
file read 9 -> 0
file write "x" -> 1
file content -> "1\0\0\0\0x"
file ftruncate 2 -> 0
appender write "y" -> 1
file content -> "1\0y"
)"},
      {"T1", "the rest of a block is cleared",
       [](machine& m) {
         descriptor f = lettered(m, "file", 2);
         f.truncate(10);
         f.truncate(2 * block);
         f.content();
         f.pwrite("z", block + 1);
         f.truncate(block + 1);
         f.truncate(block + 10);
         f.content();
       },
       R"(
file ftruncate 10 -> 0
file ftruncate 8192 -> 0
file content -> a*10 \0*8182
file pwrite "z" at 4097 -> 1
file ftruncate 4097 -> 0
file ftruncate 4106 -> 0
file content -> a*10 \0*4096
)"},
      {"T1", "all who have it open see it",
       [](machine& m) {
         descriptor f = m.made("file", "12345");
         descriptor other = m.opened("file", O_RDONLY, "other");
         other.read(2);
         f.truncate(0);
         other.read(9);
         f.pwrite("abcd", 0);
         other.read(9);
       },
       R"(
other read 2 -> "12"
file ftruncate 0 -> 0
other read 9 -> 0
file pwrite "abcd" at 0 -> 4
other read 9 -> "cd"
)"},
      {"T2", "the largest file there can be",
       [](machine& m) {
         constexpr std::int64_t most = (std::int64_t{1} << 44) - block;
         descriptor f = m.made("file");
         f.truncate(most + 1);
         f.truncate(most);
         f.pwrite("x", most);
         f.pwrite("xy", most - 1);
         f.seek(most, SEEK_SET);
         f.seek(most + 1, SEEK_SET);
         f.write("");
         f.write("x");
         f.seek(0, SEEK_CUR);
         m.truncate("file", most + 1);
         m.status("file");
       },
       R"(
file ftruncate 17592186040321 -> EFBIG
file ftruncate 17592186040320 -> 0
file pwrite "x" at 17592186040320 -> EFBIG
file pwrite "xy" at 17592186040319 -> 1
file lseek 17592186040320 SEEK_SET -> 17592186040320
file lseek 17592186040321 SEEK_SET -> EINVAL
file write "" -> 0
file write "x" -> EFBIG
file lseek 0 SEEK_CUR -> 17592186040320
truncate file 17592186040321 -> EFBIG
stat file -> regular, 17592186040320 bytes, 1 link, 0644
)",
       needs::ext4},
  };
}

}  // namespace lockstep::files
