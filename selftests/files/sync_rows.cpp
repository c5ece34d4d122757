// Calls that make files stay, and those that go past the page cache.
// Source: fsync(2), syncfs(2), sync_file_range(2), open(2) on O_DIRECT.
#include "rows.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace lockstep::files {
namespace {

// Memory at a multiple of 4096.
class aligned_bytes {
 public:
  explicit aligned_bytes(char fill = 'd') { std::memset(get(), fill, size); }
  char* get() const { return at_.get(); }
  static constexpr std::size_t size = 16'384;

 private:
  struct freed {
    void operator()(char* at) const { std::free(at); }
  };
  std::unique_ptr<char, freed> at_{static_cast<char*>(std::aligned_alloc(4096, size))};
};

// All calls on one descriptor that make something stay. A whole file system is asked seldom, as that takes its time.
void sync_calls(machine& m, descriptor on, bool whole = true) {
  on.sync();
  on.data_sync();
  if (whole) m.says(on.name() + " syncfs", m.calls().syncfs(on.number()));
  m.says(on.name() + " sync_file_range", m.calls().sync_file_range(on.number(), 0, 0, SYNC_FILE_RANGE_WRITE));
}

}  // namespace

std::vector<row> sync_rows() {
  return {
      {"Y1", "a file that is written",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         sync_calls(m, f);
         sync_calls(m, m.opened("file", O_WRONLY | O_APPEND, "appender"), false);
         m.unlink("file");
         f.write("+");
         f.sync();
       },
       R"(
file fsync -> 0
file fdatasync -> 0
file syncfs -> 0
file sync_file_range -> 0
appender fsync -> 0
appender fdatasync -> 0
appender sync_file_range -> 0
unlink file -> 0
file write "+" -> 1
file fsync -> 0
)"},
      {"Y1", "readers and directories too",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         sync_calls(m, m.opened("file", O_RDONLY, "reader"), false);
         sync_calls(m, m.opened("folder", O_RDONLY | O_DIRECTORY, "folder"));
       },
       R"(
reader fsync -> 0
reader fdatasync -> 0
reader sync_file_range -> 0
folder fsync -> 0
folder fdatasync -> 0
folder syncfs -> 0
folder sync_file_range -> 0
)"},
      {"Y1", "what is no file",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         sync_calls(m, reader);
         sync_calls(m, writer);
         int ends[2] = {-1, -1};
         m.must("socketpair", m.calls().socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
         sync_calls(m, m.named(ends[0], "socket"));
         sync_calls(m, m.named(m.must("eventfd", m.calls().eventfd(0, 0)), "event"));
         sync_calls(m, m.inotify());
       },
       R"(
reader fsync -> EINVAL
reader fdatasync -> EINVAL
reader syncfs -> 0
reader sync_file_range -> ESPIPE
writer fsync -> EINVAL
writer fdatasync -> EINVAL
writer syncfs -> 0
writer sync_file_range -> ESPIPE
socket fsync -> EINVAL
socket fdatasync -> EINVAL
socket syncfs -> 0
socket sync_file_range -> ESPIPE
event fsync -> EINVAL
event fdatasync -> EINVAL
event syncfs -> 0
event sync_file_range -> ESPIPE
inotify fsync -> EINVAL
inotify fdatasync -> EINVAL
inotify syncfs -> 0
inotify sync_file_range -> ESPIPE
)"},
      {"Y1", "what is not open, or only for its place",
       [](machine& m) {
         m.make_file("file");
         sync_calls(m, m.opened("file", O_PATH, "place"));
         sync_calls(m, m.named(-1, "minus one"));
       },
       R"(
place fsync -> EBADF
place fdatasync -> EBADF
place syncfs -> EBADF
place sync_file_range -> EBADF
minus one fsync -> EBADF
minus one fdatasync -> EBADF
minus one syncfs -> EBADF
minus one sync_file_range -> EBADF
)"},
      {"Y1", "ranges of a file",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         const auto range = [&](const char* what, std::int64_t offset, std::int64_t size, unsigned flags) {
           m.says(what, m.calls().sync_file_range(f.number(), offset, size, flags));
         };
         constexpr unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
         range("all of it", 0, 0, all);
         range("nothing to do", 0, 4, 0);
         range("beyond the end", 1000, 1000, all);
         range("an offset below zero", -1, 1, all);
         range("a size below zero", 0, -1, all);
         range("an unknown flag", 0, 0, 8);
       },
       R"(
all of it -> 0
nothing to do -> 0
beyond the end -> 0
an offset below zero -> EINVAL
a size below zero -> EINVAL
an unknown flag -> EINVAL
)"},
      {"Y2", "files that are written to the disk at once",
       [](machine& m) {
         m.make_file("file");
         m.open("data", "file", O_RDWR | O_DSYNC).write("one");
         m.open("all", "file", O_RDWR | O_SYNC | O_APPEND).write("two");
         m.content("file");
       },
       R"(
open file O_RDWR|O_DSYNC -> data
data write "one" -> 3
open file O_RDWR|O_APPEND|O_SYNC -> all
all write "two" -> 3
file content -> "onetwo"
)"},
      {"D1", "past the cache, in whole blocks",
       [](machine& m) {
         const aligned_bytes memory;
         descriptor f = m.open("f", "file", O_RDWR | O_CREAT | O_DIRECT);
         m.says("write 8192", m.calls().write(f.number(), memory.get(), 8192));
         m.says("pwrite 4096 at 4096", m.calls().pwrite(f.number(), memory.get(), 4096, 4096));
         m.says("pwrite 512 at 512", m.calls().pwrite(f.number(), memory.get(), 512, 512));
         m.says("pread 4096 at 4096", m.calls().pread(f.number(), memory.get(), 4096, 4096));
         m.says("pread 8192 at 4096", m.calls().pread(f.number(), memory.get(), 8192, 4096));
         m.says("pread 4096 at 8192", m.calls().pread(f.number(), memory.get(), 4096, 8192));
         m.says("pread 4096 at 16384", m.calls().pread(f.number(), memory.get(), 4096, 16384));
         m.status("file");
       },
       R"(
open file O_RDWR|O_CREAT|O_DIRECT -> f
write 8192 -> 8192
pwrite 4096 at 4096 -> 4096
pwrite 512 at 512 -> 512
pread 4096 at 4096 -> 4096
pread 8192 at 4096 -> 4096
pread 4096 at 8192 -> 0
pread 4096 at 16384 -> 0
stat file -> regular, 8192 bytes, 1 link, 0644
)",
       needs::ext4},
      {"D1", "past the cache, in parts of blocks",
       [](machine& m) {
         const aligned_bytes memory;
         m.make_file("file", std::string(8192, 'x'));
         descriptor f = m.opened("file", O_RDWR | O_DIRECT);
         m.says("pwrite 100 at 0", m.calls().pwrite(f.number(), memory.get(), 100, 0));
         m.says("pwrite 512 at 100", m.calls().pwrite(f.number(), memory.get(), 512, 100));
         m.says("pwrite 513 at 0", m.calls().pwrite(f.number(), memory.get(), 513, 0));
         m.says("pread 100 at 0", m.calls().pread(f.number(), memory.get(), 100, 0));
         m.says("pread 512 at 1", m.calls().pread(f.number(), memory.get(), 512, 1));
         m.says("pread 0 at 1", m.calls().pread(f.number(), memory.get(), 0, 1));
         const iovec pieces[2] = {{memory.get(), 512}, {memory.get() + 1024, 512}};
         m.says("pwritev 512+512 at 0", m.calls().pwritev(f.number(), pieces, 2, 0));
         const iovec odd[2] = {{memory.get(), 512}, {memory.get() + 1024, 100}};
         m.says("pwritev 512+100 at 0", m.calls().pwritev(f.number(), odd, 2, 0));
         m.content("file");
       },
       R"(
pwrite 100 at 0 -> EINVAL
pwrite 512 at 100 -> EINVAL
pwrite 513 at 0 -> EINVAL
pread 100 at 0 -> EINVAL
pread 512 at 1 -> EINVAL
pread 0 at 1 -> 0
pwritev 512+512 at 0 -> 1024
pwritev 512+100 at 0 -> EINVAL
file content -> d*1024 x*7168
)",
       needs::ext4},
      {"D1", "the last block is not whole",
       [](machine& m) {
         const aligned_bytes memory;
         m.make_file("file", std::string(5000, 'x'));
         descriptor f = m.opened("file", O_RDWR | O_DIRECT);
         m.says("pread 8192 at 0", m.calls().pread(f.number(), memory.get(), 8192, 0));
         m.says("pread 4096 at 4096", m.calls().pread(f.number(), memory.get(), 4096, 4096));
         f.seek(0, SEEK_END);
         m.says("read 512", m.calls().read(f.number(), memory.get(), 512));
         m.says("pread 100 at 6001", m.calls().pread(f.number(), memory.get() + 1, 100, 6001));
         m.says("pread 100 at 4096", m.calls().pread(f.number(), memory.get(), 100, 4096));
         m.says("write 512", m.calls().write(f.number(), memory.get(), 512));
         m.status("file");
       },
       R"(
pread 8192 at 0 -> 5000
pread 4096 at 4096 -> 904
f lseek 0 SEEK_END -> 5000
read 512 -> 0
pread 100 at 6001 -> 0
pread 100 at 4096 -> EINVAL
write 512 -> EINVAL
stat file -> regular, 5000 bytes, 1 link, 0644
)",
       needs::ext4},
      {"D1", "what is in the cache is seen",
       [](machine& m) {
         const aligned_bytes memory;
         descriptor cached = m.made("file", std::string(4096, 'x'));
         descriptor direct = m.opened("file", O_RDWR | O_DIRECT, "direct");
         m.says("direct read", m.calls().pread(direct.number(), memory.get(), 512, 0));
         m.says("it is", std::string(memory.get(), 3));
         std::memset(memory.get(), 'y', 512);
         m.says("direct write", m.calls().pwrite(direct.number(), memory.get(), 512, 0));
         cached.content();
         cached.pwrite("z", 0);
         m.says("direct read", m.calls().pread(direct.number(), memory.get(), 512, 0));
         m.says("it is", std::string(memory.get(), 3));
       },
       R"(
direct read -> 512
it is -> xxx
direct write -> 512
file content -> y*512 x*3584
file pwrite "z" at 0 -> 1
direct read -> 512
it is -> zyy
)",
       needs::ext4},
      {"D1", "the cache is left later",
       [](machine& m) {
         const aligned_bytes memory;
         descriptor f = m.made("file", "12345");
         f.fcntl(F_SETFL, "F_SETFL O_DIRECT", O_DIRECT);
         f.pwrite("x", 0);
         f.fcntl(F_SETFL, "F_SETFL 0", 0);
         f.pwrite("x", 0);
         m.make_folder("folder");
         m.open("g", "folder", O_RDONLY | O_DIRECT);
         auto [reader, writer] = m.pipe();
         writer.fcntl(F_SETFL, "F_SETFL O_DIRECT", O_DIRECT);
       },
       R"(
file F_SETFL O_DIRECT -> 0
file pwrite "x" at 0 -> EINVAL
file F_SETFL 0 -> 0
file pwrite "x" at 0 -> 1
open folder O_RDONLY|O_DIRECT -> EINVAL
writer F_SETFL O_DIRECT -> 0
)",
       needs::ext4},
      {"D1", "appending past the cache",
       [](machine& m) {
         const aligned_bytes memory;
         descriptor f = m.open("f", "file", O_RDWR | O_CREAT | O_DIRECT | O_APPEND);
         m.says("write 512", m.calls().write(f.number(), memory.get(), 512));
         m.says("write 512", m.calls().write(f.number(), memory.get(), 512));
         m.says("pwrite 512 at 0", m.calls().pwrite(f.number(), memory.get(), 512, 0));
         m.says("write 100", m.calls().write(f.number(), memory.get(), 100));
         m.status("file");
       },
       R"(
open file O_RDWR|O_CREAT|O_APPEND|O_DIRECT -> f
write 512 -> 512
write 512 -> 512
pwrite 512 at 0 -> 512
write 100 -> EINVAL
stat file -> regular, 1536 bytes, 1 link, 0644
)",
       needs::ext4},
  };
}

}  // namespace lockstep::files
