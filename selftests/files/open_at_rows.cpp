// Opening without a name, from a directory on, for a place only; and the numbers of descriptors.
// Source: open(2).
#include "rows.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace lockstep::files {

std::vector<row> open_at_rows() {
  return {
      {"O7", "a file without a name",
       [](machine& m) {
         descriptor f = m.open("f", ".", O_RDWR | O_TMPFILE);
         f.status();
         f.write("text");
         f.pread(9, 0);
         m.list(".");
         m.open("g", ".", O_RDONLY | O_TMPFILE);
         m.make_file("file");
         m.open("g", "file", O_RDWR | O_TMPFILE);
         m.open("g", "missing", O_RDWR | O_TMPFILE);
         m.open("g", ".", O_RDWR | O_TMPFILE | O_CREAT);
         m.open("writer", ".", O_WRONLY | O_TMPFILE).read(9);
       },
       R"(
open . O_RDWR|O_TMPFILE -> f
f fstat -> regular, 0 bytes, 0 links, 0644
f write "text" -> 4
f pread 9 at 0 -> "text"
. entries -> ../ ./
open . O_RDONLY|O_TMPFILE -> EINVAL
open file O_RDWR|O_TMPFILE -> ENOTDIR
open missing O_RDWR|O_TMPFILE -> ENOENT
open . O_RDWR|O_TMPFILE|O_CREAT -> EINVAL
open . O_WRONLY|O_TMPFILE -> writer
writer read 9 -> EBADF
)",
       needs::ext4},
      {"O7", "a file without a name gets one",
       [](machine& m) {
         descriptor f = m.open("f", ".", O_RDWR | O_TMPFILE);
         f.write("text");
         m.says("link of f", m.calls().linkat(f.number(), "", AT_FDCWD, "name", AT_EMPTY_PATH));
         m.status("name");
         m.content("name");
         descriptor never = m.open("never", ".", O_RDWR | O_TMPFILE | O_EXCL);
         m.says("link of never", m.calls().linkat(never.number(), "", AT_FDCWD, "other", AT_EMPTY_PATH));
         m.says("link without a flag", m.calls().linkat(f.number(), "", AT_FDCWD, "other", 0));
         m.list(".");
       },
       R"(
open . O_RDWR|O_TMPFILE -> f
f write "text" -> 4
link of f -> 0
stat name -> regular, 4 bytes, 1 link, 0644
name content -> "text"
open . O_RDWR|O_TMPFILE|O_EXCL -> never
link of never -> ENOENT
link without a flag -> ENOENT
. entries -> ../ ./ name
)",
       needs::ext4},
      {"O8", "from a directory on",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "inside");
         m.make_file("file", "outside");
         descriptor folder = m.opened("folder", O_RDONLY | O_DIRECTORY, "folder");
         m.open_at(folder, "f", "file", O_RDONLY).read(9);
         m.open_at(folder, "f", "../file", O_RDONLY).read(9);
         m.open_at(folder, "f", m.absolute("file"), O_RDONLY).read(9);
         m.open_at(folder, "f", "new", O_RDWR | O_CREAT);
         m.open_at(folder, "f", ".", O_RDONLY | O_DIRECTORY).list();
         m.open_at(folder, "f", "", O_RDONLY);
         descriptor file = m.opened("file", O_RDONLY, "file");
         m.open_at(file, "f", "name", O_RDONLY);
         m.open_at(file, "f", m.absolute("file"), O_RDONLY).read(9);
         m.open_at(m.named(-1, "minus one"), "f", "file", O_RDONLY);
         m.open_at(m.named(-1, "minus one"), "f", m.absolute("file"), O_RDONLY).read(9);
       },
       R"(
open file O_RDONLY at folder -> f
f read 9 -> "inside"
open ../file O_RDONLY at folder -> f
f read 9 -> "outside"
open <folder>/file O_RDONLY at folder -> f
f read 9 -> "outside"
open new O_RDWR|O_CREAT at folder -> f
open . O_RDONLY|O_DIRECTORY at folder -> f
f entries -> ../ ./ file new
open "" O_RDONLY at folder -> ENOENT
open name O_RDONLY at file -> ENOTDIR
open <folder>/file O_RDONLY at file -> f
f read 9 -> "outside"
open file O_RDONLY at minus one -> EBADF
open <folder>/file O_RDONLY at minus one -> f
f read 9 -> "outside"
)"},
      {"O8", "from a directory that has moved or gone",
       [](machine& m) {
         m.make_folder("folder");
         descriptor folder = m.opened("folder", O_RDONLY | O_DIRECTORY, "folder");
         m.rename("folder", "moved");
         m.open_at(folder, "f", "file", O_RDWR | O_CREAT);
         m.list("moved");
         m.unlink("moved/file");
         m.rmdir("moved");
         m.open_at(folder, "f", "file", O_RDWR | O_CREAT);
         m.open_at(folder, "f", ".", O_RDONLY);
         m.open_at(folder, "parent", "..", O_RDONLY);
         folder.status();
       },
       R"(
rename folder moved -> 0
open file O_RDWR|O_CREAT at folder -> f
moved entries -> ../ ./ file
unlink moved/file -> 0
rmdir moved -> 0
open file O_RDWR|O_CREAT at folder -> ENOENT
open . O_RDONLY at folder -> f
open .. O_RDONLY at folder -> parent
folder fstat -> directory, 0755
)"},
      {"O9", "the lowest free number",
       [](machine& m) {
         const int first = m.made("a").number();
         m.says("b", m.made("b").number() - first);
         m.named(first, "a").close();
         m.says("c", m.made("c").number() - first);
         m.says("copy", m.calls().dup(first) - first);
       },
       R"(
b -> 1
a close -> 0
c -> 0
copy -> 2
)"},
      {"O9", "what is opened for its place only",
       [](machine& m) {
         m.make_file("file", "text", 0600);
         m.make_link("file", "link");
         descriptor place = m.open("place", "file", O_PATH);
         place.read(9);
         place.write("x");
         place.truncate(0);
         place.status();
         place.seek(0, SEEK_SET);
         place.sync();
         place.chmod(0644);
         descriptor link = m.open("link", "link", O_PATH | O_NOFOLLOW);
         link.status();
         m.open("f", "missing", O_PATH);
         m.open("f", "missing", O_PATH | O_CREAT);
         place.close();
       },
       R"(
open file O_RDONLY|O_PATH -> place
place read 9 -> EBADF
place write "x" -> EBADF
place ftruncate 0 -> EBADF
place fstat -> regular, 4 bytes, 1 link, 0600
place lseek 0 SEEK_SET -> EBADF
place fsync -> EBADF
place fchmod 0644 -> EBADF
open link O_RDONLY|O_NOFOLLOW|O_PATH -> link
link fstat -> link, 4 bytes, 1 link, 0777
open missing O_RDONLY|O_PATH -> ENOENT
open missing O_RDONLY|O_CREAT|O_PATH -> ENOENT
place close -> 0
)"},
      {"O9", "calls on a number that is not open",
       [](machine& m) {
         descriptor gone = m.made("gone");
         gone.close();
         gone.close();
         gone.read(9);
         gone.write("x");
         gone.pread(9, 0);
         gone.pwrite("x", 0);
         gone.seek(0, SEEK_SET);
         gone.truncate(0);
         gone.allocate(0, 0, 9);
         gone.status();
         gone.chmod(0600);
         gone.sync();
         gone.flock(0);
         char records[64];
         m.says("gone getdents64", m.calls().getdents64(gone.number(), records, sizeof records));
         m.says("gone fchdir", m.calls().fchdir(gone.number()));
       },
       R"(
gone close -> 0
gone close -> EBADF
gone read 9 -> EBADF
gone write "x" -> EBADF
gone pread 9 at 0 -> EBADF
gone pwrite "x" at 0 -> EBADF
gone lseek 0 SEEK_SET -> EBADF
gone ftruncate 0 -> EBADF
gone fallocate 0 0 9 -> EBADF
gone fstat -> EBADF
gone fchmod 0600 -> EBADF
gone fsync -> EBADF
gone flock 0 -> EINVAL
gone getdents64 -> EBADF
gone fchdir -> EBADF
)"},
  };
}

}  // namespace lockstep::files
