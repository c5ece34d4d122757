// What inotify tells of changes.
// Source: inotify(7).
#include "rows.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include <string>

namespace lockstep::files {
namespace {

constexpr std::uint32_t changes =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

std::vector<row> watch_rows() {
  return {
      {"W1", "names come and go",
       [](machine& m) {
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_CREATE | IN_DELETE);
         m.make_file("file");
         w.events();
         m.mkdir("folder");
         m.symlink("x", "link");
         m.link("file", "second");
         w.events();
         m.unlink("file");
         m.unlink("link");
         m.rmdir("folder");
         w.events();
         m.open("f", "second", O_RDWR | O_CREAT);
         m.mkdir("second");
         m.unlink("missing");
         w.events();
       },
       R"(
w add . CREATE|DELETE -> a new watch
w events -> .: CREATE file
mkdir folder -> 0
symlink x link -> 0
link file second -> 0
w events -> .: CREATE|ISDIR folder, .: CREATE link, .: CREATE second
unlink file -> 0
unlink link -> 0
rmdir folder -> 0
w events -> .: DELETE file, .: DELETE link, .: DELETE|ISDIR folder
open second O_RDWR|O_CREAT -> f
mkdir second -> EEXIST
unlink missing -> ENOENT
w events -> none
)"},
      {"W1", "all about a file",
       [](machine& m) {
         m.make_file("file", "text");
         descriptor w = m.inotify("w");
         m.watch(w, "file", IN_ALL_EVENTS);
         descriptor f = m.opened("file");
         w.events();
         f.read(2);
         w.events();
         f.write("x");
         w.events();
         f.truncate(1);
         w.events();
         f.pread(9, 9);
         w.events();
         f.pwrite("", 0);
         w.events();
         f.chmod(0600);
         w.events();
         f.sync();
         m.status("file");
         w.events();
         f.close();
         w.events();
         m.opened("file", O_RDONLY, "reader").close();
         w.events();
       },
       R"(
w add file ALL_EVENTS -> a new watch
w events -> file: OPEN
f read 2 -> "te"
w events -> file: ACCESS
f write "x" -> 1
w events -> file: MODIFY
f ftruncate 1 -> 0
w events -> file: MODIFY
f pread 9 at 9 -> 0
w events -> none
f pwrite "" at 0 -> 0
w events -> none
f fchmod 0600 -> 0
w events -> file: ATTRIB
f fsync -> 0
stat file -> regular, 1 bytes, 1 link, 0600
w events -> none
f close -> 0
w events -> file: CLOSE_WRITE
reader close -> 0
w events -> file: OPEN, file: CLOSE_NOWRITE
)"},
      {"W1", "all about what is in a directory",
       [](machine& m) {
         m.make_folder("folder");
         descriptor w = m.inotify("w");
         m.watch(w, "folder", IN_ALL_EVENTS);
         m.open("f", "folder/file", O_RDWR | O_CREAT);
         w.events();
         m.open("g", "folder/file", O_WRONLY | O_TRUNC).close();
         w.events();
         m.chmod("folder/file", 0600);
         m.truncate("folder/file", 5);
         w.events();
         m.list("folder");
         w.events();
         m.chmod("folder", 0700);
         w.events();
         m.make_folder("folder/inner");
         m.make_file("folder/inner/far");
         w.events();
       },
       R"(
w add folder ALL_EVENTS -> a new watch
open folder/file O_RDWR|O_CREAT -> f
w events -> folder: CREATE file, folder: OPEN file
open folder/file O_WRONLY|O_TRUNC -> g
g close -> 0
w events -> folder: OPEN file, folder: MODIFY file, folder: CLOSE_WRITE file
chmod folder/file 0600 -> 0
truncate folder/file 5 -> 0
w events -> folder: ATTRIB file, folder: MODIFY file
folder entries -> ../ ./ file
w events -> folder: OPEN|ISDIR, folder: ACCESS|ISDIR, folder: CLOSE_NOWRITE|ISDIR
chmod folder 0700 -> 0
w events -> folder: ATTRIB|ISDIR
w events -> folder: CREATE|ISDIR inner
)"},
      {"W1", "names that move",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("b");
         m.make_file("a/file");
         m.make_file("outside");
         descriptor w = m.inotify("w");
         m.watch(w, "a", changes);
         m.watch(w, "b", changes);
         m.rename("a/file", "a/other");
         w.events();
         m.rename("a/other", "b/moved");
         w.events();
         m.rename("b/moved", "away");
         w.events();
         m.rename("away", "b/back");
         m.rename("outside", "b/back");
         w.events();
         m.make_folder("a/folder");
         m.rename("a/folder", "b/folder");
         w.events();
         m.rename("b/back", "b/folder", RENAME_EXCHANGE);
         w.events();
         m.rename("b/back", "b/back");
         w.events();
       },
       R"(
w add a MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add b MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
rename a/file a/other -> 0
w events -> a: MOVED_FROM file #1, a: MOVED_TO other #1
rename a/other b/moved -> 0
w events -> a: MOVED_FROM other #2, b: MOVED_TO moved #2
rename b/moved away -> 0
w events -> b: MOVED_FROM moved #3
rename away b/back -> 0
rename outside b/back -> 0
w events -> b: MOVED_TO back #4
rename a/folder b/folder -> 0
w events -> a: CREATE|ISDIR folder, a: MOVED_FROM|ISDIR folder #5, b: MOVED_TO|ISDIR folder #5
rename b/back b/folder RENAME_EXCHANGE -> 0
w events -> b: MOVED_FROM back #6, b: MOVED_TO folder #6, b: MOVED_FROM|ISDIR folder #7, b: MOVED_TO|ISDIR back #7
rename b/back b/back -> 0
w events -> none
)"},
      {"W1", "what is watched moves",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         descriptor w = m.inotify("w");
         m.watch(w, "file", changes);
         m.watch(w, "folder", changes);
         m.rename("file", "folder/moved");
         w.events();
         m.rename("folder", "again");
         w.events();
         m.truncate("again/moved", 1);
         w.events();
       },
       R"(
w add file MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add folder MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
rename file folder/moved -> 0
w events -> folder: MOVED_TO moved #1, file: MOVE_SELF
rename folder again -> 0
w events -> folder: MOVE_SELF
truncate again/moved 1 -> 0
w events -> folder: MODIFY moved, file: MODIFY
)"},
      {"W2", "what is watched goes",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         descriptor w = m.inotify("w");
         m.watch(w, "file", changes);
         const int folder = m.watch(w, "folder", changes);
         m.unlink("file");
         w.events();
         m.rmdir("folder");
         w.events();
         m.says("inotify_rm_watch", m.calls().inotify_rm_watch(w.number(), folder));
         m.make_file("file");
         w.events();
       },
       R"(
w add file MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add folder MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
unlink file -> 0
w events -> file: ATTRIB, file: DELETE_SELF, file: IGNORED
rmdir folder -> 0
w events -> folder: DELETE_SELF, folder: IGNORED
inotify_rm_watch -> EINVAL
w events -> none
)"},
      {"W2", "it goes when the last has closed it",
       [](machine& m) {
         m.make_file("file");
         descriptor f = m.opened("file");
         descriptor w = m.inotify("w");
         m.watch(w, "file", changes);
         m.unlink("file");
         w.events();
         f.write("x");
         w.events();
         f.close();
         w.events();
       },
       R"(
w add file MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
unlink file -> 0
w events -> file: ATTRIB
f write "x" -> 1
w events -> file: MODIFY
f close -> 0
w events -> file: DELETE_SELF, file: IGNORED
)"},
      {"W2", "it goes with its last name, if it was opened by another",
       [](machine& m) {
         m.make_file("file");
         m.link("file", "second");
         descriptor f = m.opened("file");
         descriptor w = m.inotify("w");
         m.watch(w, "file", changes);
         m.unlink("file");
         w.events();
         m.unlink("second");
         w.events();
         f.write("x");
         w.events();
       },
       R"(
link file second -> 0
w add file MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
unlink file -> 0
w events -> file: ATTRIB
unlink second -> 0
w events -> file: ATTRIB, file: DELETE_SELF, file: IGNORED
f write "x" -> 1
w events -> none
)",
       needs::ext4},
      {"W2", "in which order it is told that it goes",
       [](machine& m) {
         descriptor w = m.inotify("w");
         for (const char* each : {"file", "other"}) m.make_file(each);
         for (const char* each : {"folder", "a", "b"}) m.make_folder(each);
         for (const char* each : {".", "file", "folder", "other", "a", "b"}) m.watch(w, each, changes);
         m.unlink("file");
         m.rmdir("folder");
         w.events();
         m.rename("a", "b");
         w.events();
         m.link("other", "one more");
         w.events();
       },
       R"(
w add . MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add file MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add folder MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add other MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add a MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add b MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
unlink file -> 0
rmdir folder -> 0
w events -> file: ATTRIB, file: DELETE_SELF, file: IGNORED, .: DELETE file, folder: DELETE_SELF, folder: IGNORED, .: DELETE|ISDIR folder
rename a b -> 0
w events -> .: MOVED_FROM|ISDIR a #1, .: MOVED_TO|ISDIR b #1, b: ATTRIB|ISDIR, a: MOVE_SELF, b: DELETE_SELF, b: IGNORED
link other one more -> 0
w events -> other: ATTRIB, .: CREATE one more
)"},
      {"W2", "what is watched is replaced",
       [](machine& m) {
         m.make_file("a");
         m.make_file("b");
         descriptor w = m.inotify("w");
         m.watch(w, "b", changes);
         m.watch(w, ".", changes);
         m.rename("a", "b");
         w.events();
       },
       R"(
w add b MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
w add . MODIFY|ATTRIB|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF -> a new watch
rename a b -> 0
w events -> .: MOVED_FROM a #1, .: MOVED_TO b #1, b: ATTRIB, b: DELETE_SELF, b: IGNORED
)"},
      {"W2", "watches that end",
       [](machine& m) {
         m.make_file("file");
         descriptor w = m.inotify("w");
         const int watch = m.watch(w, ".", IN_CREATE);
         m.make_file("first");
         m.says("inotify_rm_watch", m.calls().inotify_rm_watch(w.number(), watch));
         m.make_file("second");
         w.events();
         m.says("again", m.calls().inotify_rm_watch(w.number(), watch));
         m.says("of -1", m.calls().inotify_rm_watch(w.number(), -1));
         auto [reader, writer] = m.pipe();
         m.says("of a pipe", m.calls().inotify_rm_watch(reader.number(), watch));
         m.watch(w, "file", IN_MODIFY | IN_ONESHOT);
         m.truncate("file", 1);
         m.truncate("file", 2);
         w.events();
         m.watch(w, "file", IN_MODIFY);
         m.truncate("file", 3);
         w.events();
       },
       R"(
w add . CREATE -> a new watch
inotify_rm_watch -> 0
w events -> .: CREATE first, .: IGNORED
again -> EINVAL
of -1 -> EINVAL
of a pipe -> EINVAL
w add file MODIFY|ONESHOT -> a new watch
truncate file 1 -> 0
truncate file 2 -> 0
w events -> file: MODIFY, file: IGNORED
w add file MODIFY -> a new watch
truncate file 3 -> 0
w events -> file: MODIFY
)"},
      {"W3", "one watch of a file, by whichever name",
       [](machine& m) {
         m.make_file("file");
         m.link("file", "second");
         m.make_link("file", "link");
         descriptor w = m.inotify("w");
         m.watch(w, "file", IN_MODIFY);
         m.watch(w, "second", IN_ATTRIB);
         m.watch(w, "link", IN_MODIFY | IN_MASK_ADD);
         m.truncate("file", 1);
         m.chmod("second", 0600);
         w.events();
         m.watch(w, "file", IN_MODIFY);
         m.chmod("second", 0644);
         w.events();
         m.watch(w, "file", IN_MODIFY | IN_MASK_CREATE);
         descriptor other = m.inotify("other");
         m.watch(other, "second", IN_MODIFY);
         m.truncate("file", 2);
         w.events();
         other.events();
       },
       R"(
link file second -> 0
w add file MODIFY -> a new watch
w add second ATTRIB -> that of file
w add link MODIFY|MASK_ADD -> that of file
truncate file 1 -> 0
chmod second 0600 -> 0
w events -> file: MODIFY, file: ATTRIB
w add file MODIFY -> that of file
chmod second 0644 -> 0
w events -> none
w add file MODIFY|MASK_CREATE -> EEXIST
other add second MODIFY -> a new watch
truncate file 2 -> 0
w events -> file: MODIFY
other events -> second: MODIFY
)"},
      {"W3", "what cannot be watched",
       [](machine& m) {
         m.make_file("file");
         m.make_link("file", "link");
         descriptor w = m.inotify("w");
         m.watch(w, "missing", IN_MODIFY);
         m.watch(w, "file", 0);
         m.watch(w, "file", IN_MODIFY | IN_ONLYDIR);
         m.watch(w, "link", IN_ATTRIB | IN_DONT_FOLLOW);
         m.watch(w, "file/x", IN_MODIFY);
         m.watch(w, "", IN_MODIFY);
         m.watch(w, "file", IN_MODIFY | IN_MASK_ADD | IN_MASK_CREATE);
         auto [reader, writer] = m.pipe();
         m.watch(reader, "file", IN_MODIFY);
         m.watch(m.named(-1, "minus one"), "file", IN_MODIFY);
         m.says("inotify_init1 with flag 1", m.calls().inotify_init1(1));
       },
       R"(
w add missing MODIFY -> ENOENT
w add file 0 -> EINVAL
w add file MODIFY|ONLYDIR -> ENOTDIR
w add link ATTRIB|DONT_FOLLOW -> a new watch
w add file/x MODIFY -> ENOTDIR
w add "" MODIFY -> ENOENT
w add file MODIFY|MASK_CREATE|MASK_ADD -> EINVAL
reader add file MODIFY -> EINVAL
minus one add file MODIFY -> EBADF
inotify_init1 with flag 1 -> EINVAL
)"},
      {"W3", "the same twice in a row is one",
       [](machine& m) {
         descriptor f = m.made("file");
         descriptor g = m.made("other");
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_MODIFY);
         f.write("1");
         f.write("2");
         g.write("1");
         f.write("3");
         f.write("4");
         w.events();
         m.watch(w, "file", IN_MODIFY);
         f.write("5");
         f.write("6");
         w.events();
       },
       R"(
w add . MODIFY -> a new watch
file write "1" -> 1
file write "2" -> 1
other write "1" -> 1
file write "3" -> 1
file write "4" -> 1
w events -> .: MODIFY file, .: MODIFY other, .: MODIFY file
w add file MODIFY -> a new watch
file write "5" -> 1
file write "6" -> 1
w events -> .: MODIFY file, file: MODIFY, .: MODIFY file, file: MODIFY
)"},
      {"W3", "reading of events",
       [](machine& m) {
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_CREATE);
         char records[256];
         m.says("read of none", m.calls().read(w.number(), records, sizeof records));
         pollfd asked = {w.number(), POLLIN | POLLOUT, 0};
         m.says("poll", m.calls().poll(&asked, 1));
         m.make_file("file");
         m.make_file("a name of twenty-one");
         m.says("poll", m.calls().poll(&asked, 1));
         m.says("revents", asked.revents);
         int bytes = 0;
         m.says("FIONREAD", m.calls().ioctl(w.number(), FIONREAD, &bytes));
         m.says("bytes", bytes);
         m.says("read 15", m.calls().read(w.number(), records, 15));
         m.says("read 31", m.calls().read(w.number(), records, 31));
         m.says("read 63", m.calls().read(w.number(), records, 63));
         m.says("read 0", m.calls().read(w.number(), records, 0));
         w.events();
         m.says("write", m.calls().write(w.number(), records, 1));
         w.seek(0, SEEK_SET);
         w.status();
         m.says("F_GETFL", m.calls().fcntl(w.number(), F_GETFL, 0) & O_NONBLOCK);
         w.close();
       },
       R"(
w add . CREATE -> a new watch
read of none -> EAGAIN
poll -> 0
poll -> 1
revents -> 1
FIONREAD -> 0
bytes -> 80
read 15 -> EINVAL
read 31 -> EINVAL
read 63 -> 32
read 0 -> EINVAL
w events -> .: CREATE a name of twenty-one
write -> EBADF
w lseek 0 SEEK_SET -> 0
w fstat -> another kind, 0 bytes, 1 link, 0600
F_GETFL -> 2048
w close -> 0
)"},
      {"W3", "a name that is gone is not told of",
       [](machine& m) {
         descriptor f = m.made("file");
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_MODIFY | IN_DELETE | IN_CLOSE_WRITE | IN_EXCL_UNLINK);
         m.unlink("file");
         f.write("x");
         f.close();
         w.events();
         descriptor g = m.made("other");
         m.watch(w, ".", IN_MODIFY | IN_DELETE | IN_CLOSE_WRITE);
         m.unlink("other");
         g.write("x");
         g.close();
         w.events();
       },
       R"(
w add . MODIFY|CLOSE_WRITE|DELETE|EXCL_UNLINK -> a new watch
unlink file -> 0
file write "x" -> 1
file close -> 0
w events -> .: DELETE file
w add . MODIFY|CLOSE_WRITE|DELETE -> that of .
unlink other -> 0
other write "x" -> 1
other close -> 0
w events -> .: DELETE other, .: MODIFY other, .: CLOSE_WRITE other
)",
       needs::ext4},
      {"W3", "a file that was opened without a name",
       [](machine& m) {
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_ALL_EVENTS);
         descriptor f = m.open("f", ".", O_RDWR | O_TMPFILE);
         f.write("text");
         w.events();
         m.says("link of f", m.calls().linkat(f.number(), "", AT_FDCWD, "name", AT_EMPTY_PATH));
         f.write("more");
         w.events();
         f.close();
         w.events();
       },
       R"(
w add . ALL_EVENTS -> a new watch
open . O_RDWR|O_TMPFILE -> f
f write "text" -> 4
w events -> .: OPEN #inode, .: MODIFY #inode
link of f -> 0
f write "more" -> 4
w events -> .: CREATE name, .: MODIFY #inode
f close -> 0
w events -> .: CLOSE_WRITE #inode
)",
       needs::ext4},
      {"W3", "by the name with which it was opened",
       [](machine& m) {
         m.make_file("file");
         m.link("file", "second");
         descriptor f = m.opened("file");
         descriptor w = m.inotify("w");
         m.watch(w, ".", IN_MODIFY | IN_ATTRIB);
         f.write("1");
         m.truncate("second", 2);
         w.events();
         m.rename("file", "third");
         f.write("2");
         f.chmod(0600);
         w.events();
       },
       R"(
link file second -> 0
w add . MODIFY|ATTRIB -> a new watch
f write "1" -> 1
truncate second 2 -> 0
w events -> .: MODIFY file, .: MODIFY second
rename file third -> 0
f write "2" -> 1
f fchmod 0600 -> 0
w events -> .: MODIFY third, .: ATTRIB third
)",
       needs::ext4},
  };
}

}  // namespace lockstep::files
