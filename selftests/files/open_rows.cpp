// Opening: names that are not there, that are something else, flags, and what may be done with what was opened.
// Source: open(2), path_resolution(7).
#include "rows.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace lockstep::files {

std::vector<row> open_rows() {
  return {
      {"O1", "a missing file",
       [](machine& m) {
         m.open("f", "missing", O_RDONLY);
         m.open("f", "missing", O_WRONLY | O_TRUNC);
         m.open("f", "missing", O_RDWR | O_EXCL);
         m.open("f", "missing/file", O_RDWR | O_CREAT);
         m.open("f", "", O_RDWR | O_CREAT);
         m.list(".");
       },
       R"(
open missing O_RDONLY -> ENOENT
open missing O_WRONLY|O_TRUNC -> ENOENT
open missing O_RDWR|O_EXCL -> ENOENT
open missing/file O_RDWR|O_CREAT -> ENOENT
open "" O_RDWR|O_CREAT -> ENOENT
. entries -> ../ ./
)"},
      {"O1", "a file is made",
       [](machine& m) {
         descriptor f = m.open("f", "file", O_RDWR | O_CREAT);
         f.status();
         f.write("hello");
         m.status("file");
         m.open("g", "file", O_RDWR | O_CREAT);
         m.content("file");
       },
       R"(
open file O_RDWR|O_CREAT -> f
f fstat -> regular, 0 bytes, 1 link, 0644
f write "hello" -> 5
stat file -> regular, 5 bytes, 1 link, 0644
open file O_RDWR|O_CREAT -> g
file content -> "hello"
)"},
      {"O1", "only a new one",
       [](machine& m) {
         m.open("f", "file", O_RDWR | O_CREAT | O_EXCL);
         m.open("g", "file", O_RDWR | O_CREAT | O_EXCL);
         m.make_folder("folder");
         m.open("g", "folder", O_RDONLY | O_CREAT | O_EXCL);
         m.make_link("file", "link");
         m.open("g", "link", O_RDWR | O_CREAT | O_EXCL);
         m.make_link("nowhere", "dangling");
         m.open("g", "dangling", O_RDWR | O_CREAT | O_EXCL);
         m.open("g", ".", O_RDONLY | O_CREAT | O_EXCL);
         m.list(".");
       },
       R"(
open file O_RDWR|O_CREAT|O_EXCL -> f
open file O_RDWR|O_CREAT|O_EXCL -> EEXIST
open folder O_RDONLY|O_CREAT|O_EXCL -> EEXIST
open link O_RDWR|O_CREAT|O_EXCL -> EEXIST
open dangling O_RDWR|O_CREAT|O_EXCL -> EEXIST
open . O_RDONLY|O_CREAT|O_EXCL -> EEXIST
. entries -> ../ ./ dangling@ file folder/ link@
)"},
      {"O1", "through a link that leads nowhere",
       [](machine& m) {
         m.make_link("target", "dangling");
         m.open("f", "dangling", O_RDONLY);
         m.open("f", "dangling", O_RDWR | O_CREAT);
         m.list(".");
         m.make_link("missing/target", "further");
         m.open("f", "further", O_RDWR | O_CREAT);
         m.make_link("folder/", "slash");
         m.open("f", "slash", O_RDWR | O_CREAT);
       },
       R"(
open dangling O_RDONLY -> ENOENT
open dangling O_RDWR|O_CREAT -> f
. entries -> ../ ./ dangling@ target
open further O_RDWR|O_CREAT -> ENOENT
open slash O_RDWR|O_CREAT -> EISDIR
)"},
      {"O2", "a directory",
       [](machine& m) {
         m.make_folder("folder");
         m.open("f", "folder", O_WRONLY);
         m.open("f", "folder", O_RDWR);
         m.open("f", "folder", O_RDONLY | O_CREAT);
         m.open("f", "folder", O_RDONLY | O_TRUNC);
         m.open("f", "folder", O_RDONLY | O_APPEND);
         descriptor folder = m.open("folder", "folder", O_RDONLY);
         folder.read(9);
         folder.read(0);
         folder.pread(9, 0);
         folder.write("x");
         folder.truncate(0);
         m.open("again", "folder/", O_RDONLY | O_DIRECTORY);
         m.open("dot", "folder/.", O_RDONLY | O_DIRECTORY);
       },
       R"(
open folder O_WRONLY -> EISDIR
open folder O_RDWR -> EISDIR
open folder O_RDONLY|O_CREAT -> EISDIR
open folder O_RDONLY|O_TRUNC -> EISDIR
open folder O_RDONLY|O_APPEND -> f
open folder O_RDONLY -> folder
folder read 9 -> EISDIR
folder read 0 -> EISDIR
folder pread 9 at 0 -> EISDIR
folder write "x" -> EBADF
folder ftruncate 0 -> EINVAL
open folder/ O_RDONLY|O_DIRECTORY -> again
open folder/. O_RDONLY|O_DIRECTORY -> dot
)"},
      {"O2", "what is no directory",
       [](machine& m) {
         m.make_file("file");
         m.open("f", "file", O_RDONLY | O_DIRECTORY);
         m.open("f", "file/", O_RDONLY);
         m.open("f", "file/.", O_RDONLY);
         m.open("f", "file/..", O_RDONLY);
         m.open("f", "file/name", O_RDWR | O_CREAT);
         m.open("f", "file/", O_RDWR | O_CREAT);
         m.open("f", "new/", O_RDWR | O_CREAT);
         m.open("f", "new", O_RDONLY | O_DIRECTORY);
         m.list(".");
       },
       R"(
open file O_RDONLY|O_DIRECTORY -> ENOTDIR
open file/ O_RDONLY -> ENOTDIR
open file/. O_RDONLY -> ENOTDIR
open file/.. O_RDONLY -> ENOTDIR
open file/name O_RDWR|O_CREAT -> ENOTDIR
open file/ O_RDWR|O_CREAT -> EISDIR
open new/ O_RDWR|O_CREAT -> EISDIR
open new O_RDONLY|O_DIRECTORY -> ENOENT
. entries -> ../ ./ file
)"},
      {"O2", "opening makes no directory",
       [](machine& m) {
         m.open("f", "new", O_RDWR | O_CREAT | O_DIRECTORY);
         m.open("f", "new", O_RDONLY | O_CREAT | O_DIRECTORY);
         m.list(".");
       },
       R"(
open new O_RDWR|O_CREAT|O_DIRECTORY -> EINVAL
open new O_RDONLY|O_CREAT|O_DIRECTORY -> EINVAL
. entries -> ../ ./
)"},
      {"O3", "links are followed",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         m.make_file("folder/inner", "inside");
         m.make_link("file", "link");
         m.make_link("link", "second");
         m.make_link("folder", "to folder");
         m.make_link(m.absolute("file"), "absolute");
         m.content("second");
         m.content("to folder/inner");
         m.content("absolute");
         m.content("link/");
         m.open("f", "to folder", O_WRONLY);
         m.open("f", "to folder/", O_RDONLY | O_DIRECTORY);
         m.open("f", "to folder", O_RDONLY | O_DIRECTORY);
       },
       R"(
second content -> "text"
to folder/inner content -> "inside"
absolute content -> "text"
link/ content -> ENOTDIR
open to folder O_WRONLY -> EISDIR
open to folder/ O_RDONLY|O_DIRECTORY -> f
open to folder O_RDONLY|O_DIRECTORY -> f
)"},
      {"O3", "links are not to be followed",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         m.make_file("folder/inner");
         m.make_link("file", "link");
         m.make_link("folder", "to folder");
         m.open("f", "link", O_RDONLY | O_NOFOLLOW);
         m.open("f", "link", O_RDWR | O_CREAT | O_NOFOLLOW);
         m.open("f", "to folder", O_RDONLY | O_NOFOLLOW);
         m.open("f", "to folder", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
         m.open("f", "to folder/", O_RDONLY | O_NOFOLLOW);
         m.open("f", "to folder/inner", O_RDONLY | O_NOFOLLOW);
         m.open("f", "file", O_RDONLY | O_NOFOLLOW);
       },
       R"(
open link O_RDONLY|O_NOFOLLOW -> ELOOP
open link O_RDWR|O_CREAT|O_NOFOLLOW -> ELOOP
open to folder O_RDONLY|O_NOFOLLOW -> ELOOP
open to folder O_RDONLY|O_DIRECTORY|O_NOFOLLOW -> ENOTDIR
open to folder/ O_RDONLY|O_NOFOLLOW -> f
open to folder/inner O_RDONLY|O_NOFOLLOW -> f
open file O_RDONLY|O_NOFOLLOW -> f
)"},
      {"O3", "links in a row",
       [](machine& m) {
         m.make_file("0");
         for (int i = 1; i <= 41; ++i) m.make_link(std::to_string(i - 1), std::to_string(i));
         m.open("f", "40", O_RDONLY);
         m.open("f", "41", O_RDONLY);
         m.open("f", "41", O_RDWR | O_CREAT);
         m.status("41");
         m.status("41", AT_SYMLINK_NOFOLLOW);
       },
       R"(
open 40 O_RDONLY -> f
open 41 O_RDONLY -> ELOOP
open 41 O_RDWR|O_CREAT -> ELOOP
stat 41 -> ELOOP
lstat 41 -> link, 2 bytes, 1 link, 0777
)"},
      {"O3", "links in a circle",
       [](machine& m) {
         m.make_link("self", "self");
         m.make_link("second", "first");
         m.make_link("first", "second");
         m.open("f", "self", O_RDONLY);
         m.open("f", "first", O_RDWR | O_CREAT);
         m.open("f", "first/name", O_RDONLY);
         m.open("f", "self", O_RDWR | O_CREAT | O_EXCL);
         m.make_link("slash/", "slash");
         m.open("f", "slash", O_RDONLY);
         m.open("f", "slash", O_RDWR | O_CREAT);
       },
       R"(
open self O_RDONLY -> ELOOP
open first O_RDWR|O_CREAT -> ELOOP
open first/name O_RDONLY -> ELOOP
open self O_RDWR|O_CREAT|O_EXCL -> EEXIST
open slash O_RDONLY -> ELOOP
open slash O_RDWR|O_CREAT -> EISDIR
)"},
      {"O4", "long names",
       [](machine& m) {
         const std::string longest(255, 'n');
         m.open("f", longest, O_RDWR | O_CREAT);
         m.open("f", longest + "n", O_RDWR | O_CREAT);
         m.open("f", longest + "n", O_RDONLY);
         m.open("f", longest + "n/file", O_RDONLY);
         std::string path;
         while (path.size() < 4094) path += "./";
         m.open("f", path + "m", O_RDWR | O_CREAT);
         m.open("f", path + "mm", O_RDONLY);
         m.status(path + "m");
         m.status(path + "mm");
       },
       R"(
open <255 characters> O_RDWR|O_CREAT -> f
open <256 characters> O_RDWR|O_CREAT -> ENAMETOOLONG
open <256 characters> O_RDONLY -> ENAMETOOLONG
open <261 characters> O_RDONLY -> ENAMETOOLONG
open <4095 characters> O_RDWR|O_CREAT -> f
open <4096 characters> O_RDONLY -> ENAMETOOLONG
stat <4095 characters> -> regular, 0 bytes, 1 link, 0644
stat <4096 characters> -> ENAMETOOLONG
)"},
      {"O4", "the same path in other words",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "text");
         m.content("folder//file");
         m.content("./folder/./file");
         m.content("folder/../folder/file");
         m.content("folder/missing/../file");
         m.content(m.absolute("folder/file"));
         m.open("f", "folder/file", O_RDONLY | O_DIRECTORY);
         m.open("root", "/..", O_RDONLY | O_DIRECTORY);
       },
       R"(
folder//file content -> "text"
./folder/./file content -> "text"
folder/../folder/file content -> "text"
folder/missing/../file content -> ENOENT
<folder>/folder/file content -> "text"
open folder/file O_RDONLY|O_DIRECTORY -> ENOTDIR
open /.. O_RDONLY|O_DIRECTORY -> root
)"},
      {"O5", "it is emptied",
       [](machine& m) {
         m.make_file("file", "text");
         descriptor before = m.opened("file", O_RDWR, "before");
         m.open("f", "file", O_RDWR | O_TRUNC);
         before.status();
         before.read(9);
         before.write("more");
         m.open("f", "file", O_WRONLY | O_CREAT | O_TRUNC, 0600);
         m.status("file");
       },
       R"(
open file O_RDWR|O_TRUNC -> f
before fstat -> regular, 0 bytes, 1 link, 0644
before read 9 -> 0
before write "more" -> 4
open file O_WRONLY|O_CREAT|O_TRUNC 0600 -> f
stat file -> regular, 0 bytes, 1 link, 0644
)"},
      {"O5", "it is emptied by a reader",
       [](machine& m) {
         m.make_file("file", "text");
         m.open("f", "file", O_RDONLY | O_TRUNC).write("x");
         m.status("file");
       },
       R"(
open file O_RDONLY|O_TRUNC -> f
f write "x" -> EBADF
stat file -> regular, 0 bytes, 1 link, 0644
)"},
      {"O6", "for reading or for writing",
       [](machine& m) {
         m.make_file("file", "text");
         descriptor reader = m.open("reader", "file", O_RDONLY);
         reader.write("x");
         reader.pwrite("x", 0);
         reader.writev({"x"});
         reader.truncate(0);
         reader.read(9);
         descriptor writer = m.open("writer", "file", O_WRONLY);
         writer.read(9);
         writer.pread(9, 0);
         writer.readv({9});
         writer.write("w");
         m.content("file");
         descriptor neither = m.open("neither", "file", O_ACCMODE);
         neither.read(9);
         neither.write("x");
         neither.status();
       },
       R"(
open file O_RDONLY -> reader
reader write "x" -> EBADF
reader pwrite "x" at 0 -> EBADF
reader writev "x" -> EBADF
reader ftruncate 0 -> EINVAL
reader read 9 -> "text"
open file O_WRONLY -> writer
writer read 9 -> EBADF
writer pread 9 at 0 -> EBADF
writer readv 9 -> EBADF
writer write "w" -> 1
file content -> "wext"
open file 3 -> neither
neither read 9 -> EBADF
neither write "x" -> EBADF
neither fstat -> regular, 4 bytes, 1 link, 0644
)"},
      {"O6", "flags that are told",
       [](machine& m) {
         m.make_file("file");
         const auto tell = [&m](int flags) {
           const descriptor f = m.opened("file", flags);
           const int told = m.calls().fcntl(f.number(), F_GETFL, 0);
           m.says("F_GETFL of " + open_flags_text(flags), open_flags_text(told));
         };
         tell(O_RDONLY);
         tell(O_WRONLY | O_APPEND);
         tell(O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK);
         tell(O_RDONLY | O_NOFOLLOW);
         tell(O_RDWR | O_DSYNC);
         tell(O_RDWR | O_SYNC);
         descriptor f = m.opened("file", O_RDWR);
         m.says("F_GETFD", m.calls().fcntl(f.number(), F_GETFD, 0));
         descriptor kept = m.named(m.calls().openat(AT_FDCWD, "file", O_RDWR, 0), "kept");
         kept.fcntl(F_GETFD, "F_GETFD");
       },
       R"(
F_GETFL of O_RDONLY -> O_RDONLY|O_LARGEFILE
F_GETFL of O_WRONLY|O_APPEND -> O_WRONLY|O_APPEND|O_LARGEFILE
F_GETFL of O_RDWR|O_CREAT|O_TRUNC|O_NONBLOCK -> O_RDWR|O_NONBLOCK|O_LARGEFILE
F_GETFL of O_RDONLY|O_NOFOLLOW -> O_RDONLY|O_NOFOLLOW|O_LARGEFILE
F_GETFL of O_RDWR|O_DSYNC -> O_RDWR|O_DSYNC|O_LARGEFILE
F_GETFL of O_RDWR|O_SYNC -> O_RDWR|O_SYNC|O_LARGEFILE
F_GETFD -> 1
kept F_GETFD -> 0
)"},
      {"O6", "flags that are changed",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         f.fcntl(F_SETFL, "F_SETFL O_APPEND", O_APPEND);
         f.seek(0, SEEK_SET);
         copy.write("+");
         m.content("file");
         f.fcntl(F_SETFL, "F_SETFL O_WRONLY", O_WRONLY);
         f.pread(9, 0);
         f.seek(0, SEEK_SET);
         copy.write("-");
         m.content("file");
       },
       R"(
file F_SETFL O_APPEND -> 0
file lseek 0 SEEK_SET -> 0
copy write "+" -> 1
file content -> "text+"
file F_SETFL O_WRONLY -> 0
file pread 9 at 0 -> "text+"
file lseek 0 SEEK_SET -> 0
copy write "-" -> 1
file content -> "-ext+"
)"},
  };
}

}  // namespace lockstep::files
