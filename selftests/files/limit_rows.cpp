// What is too much: a full file system, the size of a file, numbers of descriptors.
// Source: write(2), setrlimit(2), open(2).
#include "../sim/watch_events.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::files {
namespace {

constexpr std::int64_t disk_blocks = 16;

// Of 16 blocks, 64 KiB.
void mount_small(machine& m, std::int64_t inodes = 100) { m.mount_small_disk("disk", disk_blocks * block, inodes); }

// Reads so many bytes of events, and says what there were; all if it is 0.
void say_events(machine& m, const descriptor& inotify, std::size_t bytes = 0) {
  std::int64_t count = 0;
  std::int64_t overflows = 0;
  for (bool more = true; more; more = more && bytes == 0) {
    const std::vector<watch_event> events = read_events(m.calls(), inotify.number(), bytes == 0 ? 65'536 : bytes);
    for (const watch_event& each : events) {
      ++count;
      if (each.mask == IN_Q_OVERFLOW && each.watch == -1) ++overflows;
    }
    more = !events.empty();
  }
  m.says("events", count);
  m.says("of which overflows", overflows);
}

std::string blocks_of(std::int64_t count, char letter = 'x') {
  return std::string(static_cast<std::size_t>(count * block), letter);
}

}  // namespace

std::vector<row> limit_rows() {
  return {
      {"L1", "a write in part, and then an error",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.write(blocks_of(10));
         f.write(blocks_of(10));
         f.write("y");
         m.says("size", f.size());
         f.seek(0, SEEK_CUR);
         f.pwrite("y", 0);
         f.pread(3, 0);
       },
       R"(
disk/file write x*40960 -> 40960
disk/file write x*40960 -> 24576
disk/file write "y" -> ENOSPC
size -> 65536
disk/file lseek 0 SEEK_CUR -> 65536
disk/file pwrite "y" at 0 -> 1
disk/file pread 3 at 0 -> "yxx"
)",
       needs::small_disk},
      {"L1", "pieces in part",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.writev({blocks_of(10), blocks_of(3, 'y'), blocks_of(8, 'z')});
         f.writev({"a"});
         m.says("size", f.size());
       },
       R"(
disk/file writev x*40960+y*12288+z*32768 -> 65536
disk/file writev "a" -> ENOSPC
size -> 65536
)",
       needs::small_disk},
      {"L1", "an appender in part",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file", "", O_RDWR | O_APPEND);
         f.write(blocks_of(15));
         f.write(std::string(10, 'y'));
         f.write(blocks_of(2));
         f.write("z");
         m.says("size", f.size());
       },
       R"(
disk/file write x*61440 -> 61440
disk/file write y*10 -> 10
disk/file write x*8192 -> 4086
disk/file write "z" -> ENOSPC
size -> 65536
)",
       needs::small_disk},
      {"L1", "the last block has room still",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.write(std::string(10, 'x'));
         m.made("disk/other").write(blocks_of(15));
         f.write(std::string(100, 'y'));
         f.write(blocks_of(1));
         f.write("z");
         m.says("size", f.size());
       },
       R"(
disk/file write x*10 -> 10
disk/other write x*61440 -> 61440
disk/file write y*100 -> 100
disk/file write x*4096 -> 3986
disk/file write "z" -> ENOSPC
size -> 4096
)",
       needs::small_disk},
      {"L1", "what needs no space",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.write(blocks_of(16));
         f.pwrite(blocks_of(2, 'y'), 0);
         f.truncate(1'000'000);
         f.pwrite("z", 900'000);
         m.open("g", "disk/empty", O_RDWR | O_CREAT).write("x");
         m.rename("disk/empty", "disk/moved");
         m.status("disk/moved");
         f.truncate(block);
         f.pwrite("z", 900'000);
         m.says("size", f.size());
       },
       R"(
disk/file write x*65536 -> 65536
disk/file pwrite y*8192 at 0 -> 8192
disk/file ftruncate 1000000 -> 0
disk/file pwrite "z" at 900000 -> ENOSPC
open disk/empty O_RDWR|O_CREAT -> g
g write "x" -> ENOSPC
rename disk/empty disk/moved -> 0
stat disk/moved -> regular, 0 bytes, 1 link, 0644
disk/file ftruncate 4096 -> 0
disk/file pwrite "z" at 900000 -> 1
size -> 900001
)",
       needs::small_disk},
      {"L1", "a name goes, and its space when nobody has it open",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.write(blocks_of(16));
         descriptor g = m.made("disk/other");
         g.write("x");
         m.unlink("disk/file");
         g.write("x");
         f.close();
         g.write("x");
       },
       R"(
disk/file write x*65536 -> 65536
disk/other write "x" -> ENOSPC
unlink disk/file -> 0
disk/other write "x" -> ENOSPC
disk/file close -> 0
disk/other write "x" -> 1
)",
       needs::small_disk},
      {"L1", "space that is allocated",
       [](machine& m) {
         mount_small(m);
         descriptor f = m.made("disk/file");
         f.allocate(0, 0, 10 * block);
         descriptor g = m.made("disk/other");
         g.write(blocks_of(10));
         f.write(blocks_of(10));
         g.allocate(0, 0, 20 * block);
         m.says("size of other", g.size());
         f.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * block);
         g.write(blocks_of(3));
         m.says("size of other", g.size());
       },
       R"(
disk/file fallocate 0 0 40960 -> 0
disk/other write x*40960 -> 24576
disk/file write x*40960 -> 40960
disk/other fallocate 0 0 81920 -> ENOSPC
size of other -> 24576
disk/file fallocate KEEP_SIZE|PUNCH_HOLE 0 8192 -> 0
disk/other write x*12288 -> 8192
size of other -> 32768
)",
       needs::small_disk},
      {"L1", "no more files",
       [](machine& m) {
         mount_small(m, 4);
         m.open("a", "disk/a", O_RDWR | O_CREAT);
         m.mkdir("disk/b");
         m.symlink("x", "disk/c");
         descriptor d = m.open("d", "disk/d", O_RDWR | O_CREAT);
         m.mkdir("disk/e");
         m.symlink("x", "disk/e");
         m.open("e", "disk", O_RDWR | O_TMPFILE);
         m.unlink("disk/c");
         m.open("d", "disk/d", O_RDWR | O_CREAT);
       },
       R"(
open disk/a O_RDWR|O_CREAT -> a
mkdir disk/b -> 0
symlink x disk/c -> 0
open disk/d O_RDWR|O_CREAT -> ENOSPC
mkdir disk/e -> ENOSPC
symlink x disk/e -> ENOSPC
open disk O_RDWR|O_TMPFILE -> ENOSPC
unlink disk/c -> 0
open disk/d O_RDWR|O_CREAT -> d
)",
       needs::small_disk},
      {"L2", "the size that a file may have",
       [](machine& m) {
         descriptor f = m.made("file");
         m.limit_file_size(10);
         f.write("12345678");
         f.write("90ab");
         f.write("c");
         f.write("");
         f.pwrite("c", 10);
         f.pwrite("xyz", 8);
         f.content();
         f.seek(0, SEEK_CUR);
         f.seek(20, SEEK_SET);
         f.write("c");
         f.truncate(11);
         f.truncate(10);
         m.truncate("file", 100);
         f.allocate(0, 0, 11);
         m.status("file");
       },
       R"(
file write "12345678" -> 8
file write "90ab" -> 2
file write "c" -> EFBIG
file write "" -> 0
file pwrite "c" at 10 -> EFBIG
file pwrite "xyz" at 8 -> 2
file content -> "12345678xy"
file lseek 0 SEEK_CUR -> 10
file lseek 20 SEEK_SET -> 20
file write "c" -> EFBIG
file ftruncate 11 -> EFBIG
file ftruncate 10 -> 0
truncate file 100 -> EFBIG
file fallocate 0 0 11 -> EFBIG
stat file -> regular, 10 bytes, 1 link, 0644
)",
       needs::ext4},
      {"L2", "an appender at that size",
       [](machine& m) {
         descriptor f = m.made("file", "12345678", O_RDWR | O_APPEND);
         m.limit_file_size(10);
         f.writev({"9", "0ab"});
         f.write("c");
         m.limit_file_size(5);
         f.write("c");
         f.pwrite("c", 0);
         f.truncate(7);
         f.truncate(4);
         f.write("cd");
         f.content();
       },
       R"(
file writev "9"+"0ab" -> 2
file write "c" -> EFBIG
file write "c" -> EFBIG
file pwrite "c" at 0 -> EFBIG
file ftruncate 7 -> 0
file ftruncate 4 -> 0
file write "cd" -> 1
file content -> "1234c"
)",
       needs::ext4},
      {"L2", "pipes have no such size",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         m.limit_file_size(3);
         writer.write("12345");
         reader.read(9);
       },
       R"(
writer write "12345" -> 5
reader read 9 -> "12345"
)"},
      {"L3", "no descriptor is free",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         descriptor f = m.opened("file");
         m.no_more_descriptors(true);
         m.open("g", "file", O_RDONLY);
         m.open("g", "new", O_RDWR | O_CREAT);
         m.open("g", "file", O_RDWR | O_TRUNC);
         m.open("g", "missing", O_RDONLY);
         m.open("g", "folder", O_RDONLY | O_DIRECTORY);
         m.says("dup", m.calls().dup(f.number()));
         m.says("inotify_init1", m.calls().inotify_init1(0));
         m.mkdir("another");
         m.status("file");
         f.close();
         m.open("g", "file", O_RDONLY).read(9);
         m.no_more_descriptors(false);
         m.list(".");
       },
       R"(
open file O_RDONLY -> EMFILE
open new O_RDWR|O_CREAT -> EMFILE
open file O_RDWR|O_TRUNC -> EMFILE
open missing O_RDONLY -> EMFILE
open folder O_RDONLY|O_DIRECTORY -> EMFILE
dup -> EMFILE
inotify_init1 -> EMFILE
mkdir another -> 0
stat file -> regular, 4 bytes, 1 link, 0644
f close -> 0
open file O_RDONLY -> g
g read 9 -> "text"
. entries -> ../ ./ another/ file folder/
)"},
      {"L3", "more events than a queue has room for",
       [](machine& m) {
         m.make_file("one");
         m.make_file("two");
         descriptor w = m.inotify("w");
         m.watch(w, "one", IN_ATTRIB);
         m.watch(w, "two", IN_ATTRIB);
         int changes = 0;
         const auto change = [&](int times) {
           while (times-- > 0) m.calls().fchmodat(AT_FDCWD, ++changes % 2 == 0 ? "one" : "two", S_IRUSR | S_IWUSR);
         };
         constexpr int room = 16'384;  // as fs.inotify.max_queued_events says at first
         change(room);
         say_events(m, w);
         change(room + 100);
         say_events(m, w, sizeof(inotify_event));
         change(3);
         say_events(m, w, sizeof(inotify_event));
         change(3);
         say_events(m, w);
         change(1);
         say_events(m, w);
       },
       R"(
w add one ATTRIB -> a new watch
w add two ATTRIB -> a new watch
events -> 16384
of which overflows -> 0
events -> 1
of which overflows -> 0
events -> 1
of which overflows -> 0
events -> 16384
of which overflows -> 1
events -> 1
of which overflows -> 0
)"},
      {"L4", "no file more on the whole machine",
       [](machine& m) {
         m.make_file("file", "text");
         descriptor f = m.opened("file");
         m.no_more_files(true);
         m.open("g", "file", O_RDONLY);
         m.open("g", "new", O_RDWR | O_CREAT);
         m.open("g", "missing", O_RDONLY);
         int fds[2];
         m.says("pipe2", m.calls().pipe2(fds, O_CLOEXEC));
         m.says("inotify_init1", m.calls().inotify_init1(0));
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         m.says("dup", copy.number() >= 0 ? 0 : copy.number());
         f.close();
         m.open("g", "file", O_RDONLY);
         copy.close();
         m.open("g", "file", O_RDONLY).read(9);
         m.no_more_files(false);
         m.list(".");
       },
       R"(
open file O_RDONLY -> ENFILE
open new O_RDWR|O_CREAT -> ENFILE
open missing O_RDONLY -> ENFILE
pipe2 -> ENFILE
inotify_init1 -> ENFILE
dup -> 0
f close -> 0
open file O_RDONLY -> ENFILE
copy close -> 0
open file O_RDONLY -> g
g read 9 -> "text"
. entries -> ../ ./ file
)",
       needs::whole_machine},
      {"L5", "the quota of a user",
       [](machine& m) {
         m.mount_small_disk("disk", disk_blocks * block, 100, 4 * block);
         m.must("chmod", m.calls().fchmodat(AT_FDCWD, "disk", S_IRWXU | S_IRWXG | S_IRWXO));
         m.become(user::somebody);
         descriptor f = m.made("disk/file");
         f.write(blocks_of(3));
         f.write(blocks_of(3));
         f.write("y");
         f.pwrite("y", 0);
         descriptor g = m.open("g", "disk/other", O_RDWR | O_CREAT);
         g.write("z");
         f.allocate(0, 0, 5 * block);
         f.truncate(block);
         g.write("z");
         m.become(user::root);
         m.made("disk/of root").write(blocks_of(5));
       },
       R"(
disk/file write x*12288 -> 12288
disk/file write x*12288 -> 4096
disk/file write "y" -> EDQUOT
disk/file pwrite "y" at 0 -> 1
open disk/other O_RDWR|O_CREAT -> g
g write "z" -> EDQUOT
disk/file fallocate 0 0 20480 -> EDQUOT
disk/file ftruncate 4096 -> 0
g write "z" -> 1
disk/of root write x*20480 -> 20480
)",
       needs::quota},
  };
}

}  // namespace lockstep::files
