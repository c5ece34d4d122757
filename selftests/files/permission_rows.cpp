// Who may do what: modes, the umask, files and directories. Root makes what somebody then meets.
// Source: path_resolution(7), inode(7), umask(2), chmod(2), access(2).
#include "rows.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>

#include <string>

namespace lockstep::files {

std::vector<row> permission_rows() {
  return {
      {"P1", "the umask takes bits away",
       [](machine& m) {
         const auto tell = [&m](mode_t mask) {
           m.calls().umask(mask);
           m.open("f", "file", O_RDWR | O_CREAT, 0777);
           m.mkdir("folder", 0777);
           m.status("file");
           m.status("folder");
           m.make_link("x", "link");
           m.status("link", AT_SYMLINK_NOFOLLOW);
           for (const char* const each : {"file", "link"}) m.must("unlink", m.calls().unlinkat(AT_FDCWD, each, 0));
           m.must("rmdir", m.calls().unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR));
         };
         tell(0);
         tell(022);
         tell(077);
         tell(0777);
       },
       R"(
open file O_RDWR|O_CREAT 0777 -> f
mkdir folder 0777 -> 0
stat file -> regular, 0 bytes, 1 link, 0777
stat folder -> directory, 0777
lstat link -> link, 1 bytes, 1 link, 0777
open file O_RDWR|O_CREAT 0777 -> f
mkdir folder 0777 -> 0
stat file -> regular, 0 bytes, 1 link, 0755
stat folder -> directory, 0755
lstat link -> link, 1 bytes, 1 link, 0777
open file O_RDWR|O_CREAT 0777 -> f
mkdir folder 0777 -> 0
stat file -> regular, 0 bytes, 1 link, 0700
stat folder -> directory, 0700
lstat link -> link, 1 bytes, 1 link, 0777
open file O_RDWR|O_CREAT 0777 -> f
mkdir folder 0777 -> 0
stat file -> regular, 0 bytes, 1 link, 0000
stat folder -> directory, 0000
lstat link -> link, 1 bytes, 1 link, 0777
)"},
      {"P1", "the umask that was",
       [](machine& m) {
         m.says("umask 027", fmt::format("{:04o}", m.calls().umask(027)));
         m.says("umask 07777", fmt::format("{:04o}", m.calls().umask(07777)));
         m.says("umask 022", fmt::format("{:04o}", m.calls().umask(022)));
       },
       R"(
umask 027 -> 0022
umask 07777 -> 0027
umask 022 -> 0777
)"},
      {"P1", "modes are set in spite of it",
       [](machine& m) {
         m.calls().umask(077);
         m.make_file("file", "", 0666);
         m.status("file");
         m.chmod("file", 0666);
         m.status("file");
         m.chmod("file", 07777);
         m.status("file");
         m.chmod("file", 0);
         m.status("file");
         m.make_folder("folder");
         m.chmod("folder", 01777);
         m.status("folder");
         m.chmod("missing", 0600);
         m.chmod("file/x", 0600);
         m.chmod("", 0600);
       },
       R"(
stat file -> regular, 0 bytes, 1 link, 0600
chmod file 0666 -> 0
stat file -> regular, 0 bytes, 1 link, 0666
chmod file 7777 -> 0
stat file -> regular, 0 bytes, 1 link, 7777
chmod file 0000 -> 0
stat file -> regular, 0 bytes, 1 link, 0000
chmod folder 1777 -> 0
stat folder -> directory, 1777
chmod missing 0600 -> ENOENT
chmod file/x 0600 -> ENOTDIR
chmod "" 0600 -> ENOENT
)",
       needs::root},
      {"P1", "bits of a mode that are not of one",
       [](machine& m) {
         m.open("f", "file", O_RDWR | O_CREAT, 0100644);
         m.status("file");
         m.chmod("file", 0170600);
         m.status("file");
         m.open("g", "set", O_RDWR | O_CREAT, 04755);
         m.status("set");
         m.mkdir("folder", 01777);
         m.status("folder");
       },
       R"(
open file O_RDWR|O_CREAT 100644 -> f
stat file -> regular, 0 bytes, 1 link, 0644
chmod file 170600 -> 0
stat file -> regular, 0 bytes, 1 link, 0600
open set O_RDWR|O_CREAT 4755 -> g
stat set -> regular, 0 bytes, 1 link, 4755
mkdir folder 1777 -> 0
stat folder -> directory, 1755
)"},
      {"P2", "what somebody may open",
       [](machine& m) {
         m.make_file("readable", "text", 0644);
         m.make_file("private", "text", 0600);
         m.make_file("writable", "text");
         m.chmod("writable", 0602);
         m.become(user::somebody);
         m.open("f", "readable", O_RDONLY);
         m.open("f", "readable", O_RDWR);
         m.open("f", "readable", O_RDONLY | O_TRUNC);
         m.open("f", "private", O_RDONLY);
         m.open("f", "private", O_PATH);
         m.open("f", "writable", O_RDONLY);
         m.open("f", "writable", O_WRONLY);
         m.status("private");
         m.open("f", "readable", O_RDONLY | O_NOATIME);
         m.truncate("readable", 0);
         m.truncate("writable", 0);
       },
       R"(
chmod writable 0602 -> 0
open readable O_RDONLY -> f
open readable O_RDWR -> EACCES
open readable O_RDONLY|O_TRUNC -> EACCES
open private O_RDONLY -> EACCES
open private O_RDONLY|O_PATH -> f
open writable O_RDONLY -> EACCES
open writable O_WRONLY -> f
stat private -> regular, 4 bytes, 1 link, 0600
open readable O_RDONLY|O_NOATIME -> EPERM
truncate readable 0 -> EACCES
truncate writable 0 -> 0
)",
       needs::root},
      {"P2", "root may all but run what nobody may",
       [](machine& m) {
         m.make_file("closed", "text", 0);
         m.make_folder("shut", 0);
         m.open("f", "closed", O_RDWR);
         m.access("closed", R_OK | W_OK);
         m.access("closed", X_OK);
         m.access("shut", R_OK | W_OK | X_OK);
         m.open("f", "shut/file", O_RDWR | O_CREAT);
         m.become(user::somebody);
         m.access("closed", R_OK);
         m.access("closed", F_OK);
         m.access("shut", X_OK);
         m.access("shut/file", F_OK);
       },
       R"(
open closed O_RDWR -> f
access closed R_OK|W_OK -> 0
access closed X_OK -> EACCES
access shut R_OK|W_OK|X_OK -> 0
open shut/file O_RDWR|O_CREAT -> f
access closed R_OK -> EACCES
access closed F_OK -> 0
access shut X_OK -> EACCES
access shut/file F_OK -> EACCES
)",
       needs::root},
      {"P2", "a directory that may not be entered",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "text");
         m.make_folder("folder/inner");
         m.chmod("folder", 0644);
         m.become(user::somebody);
         m.open("f", "folder/file", O_RDONLY);
         m.status("folder/file");
         m.status("folder/missing");
         m.chdir("folder");
         m.open("folder", "folder", O_RDONLY).list();
         m.open("f", "folder/new", O_RDWR | O_CREAT);
         m.unlink("folder/file");
       },
       R"(
chmod folder 0644 -> 0
open folder/file O_RDONLY -> EACCES
stat folder/file -> EACCES
stat folder/missing -> EACCES
chdir folder -> EACCES
open folder O_RDONLY -> folder
folder entries -> ../ ./ file inner/
open folder/new O_RDWR|O_CREAT -> EACCES
unlink folder/file -> EACCES
)",
       needs::root},
      {"P2", "a directory that may only be entered",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "text");
         m.chmod("folder", 0711);
         m.become(user::somebody);
         m.content("folder/file");
         m.open("f", "folder/missing", O_RDONLY);
         m.open("folder", "folder", O_RDONLY);
         m.chdir("folder");
         m.cwd();
         m.open("dot", ".", O_RDONLY);
         m.open("dot", ".", O_PATH);
       },
       R"(
chmod folder 0711 -> 0
folder/file content -> "text"
open folder/missing O_RDONLY -> ENOENT
open folder O_RDONLY -> EACCES
chdir folder -> 0
getcwd -> <folder>/folder
open . O_RDONLY -> EACCES
open . O_RDONLY|O_PATH -> dot
)",
       needs::root},
      {"P2", "a directory in which nothing may be changed",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "text");
         m.chmod("folder/file", 0666);
         m.make_folder("folder/inner");
         m.become(user::somebody);
         m.open("f", "folder/new", O_RDWR | O_CREAT);
         m.open("f", "folder/file", O_RDWR | O_CREAT);
         m.mkdir("folder/new");
         m.mkdir("folder/inner");
         m.symlink("x", "folder/new");
         m.link("folder/file", "folder/new");
         m.unlink("folder/file");
         m.unlink("folder/missing");
         m.rmdir("folder/inner");
         m.rename("folder/file", "folder/new");
         m.rename("folder/missing", "folder/new");
         m.open("f", "folder", O_RDWR | O_TMPFILE);
       },
       R"(
chmod folder/file 0666 -> 0
open folder/new O_RDWR|O_CREAT -> EACCES
open folder/file O_RDWR|O_CREAT -> f
mkdir folder/new -> EACCES
mkdir folder/inner -> EEXIST
symlink x folder/new -> EACCES
link folder/file folder/new -> EACCES
unlink folder/file -> EACCES
unlink folder/missing -> ENOENT
rmdir folder/inner -> EACCES
rename folder/file folder/new -> EACCES
rename folder/missing folder/new -> ENOENT
open folder O_RDWR|O_TMPFILE -> EACCES
)",
       needs::root},
      {"P2", "permission is asked when it is opened",
       [](machine& m) {
         m.chmod(".", 0777);
         m.become(user::somebody);
         descriptor f = m.open("f", "file", O_RDWR | O_CREAT, 0);
         f.write("text");
         f.pread(9, 0);
         m.open("g", "file", O_RDONLY);
         m.open("g", "file", O_RDWR | O_CREAT);
         m.status("file");
         m.chmod("file", 0400);
         m.open("g", "file", O_WRONLY);
         m.open("g", "file", O_RDONLY).read(9);
         f.write("+");
         f.truncate(1);
         m.truncate("file", 0);
         m.unlink("file");
       },
       R"(
chmod . 0777 -> 0
open file O_RDWR|O_CREAT 0000 -> f
f write "text" -> 4
f pread 9 at 0 -> "text"
open file O_RDONLY -> EACCES
open file O_RDWR|O_CREAT -> EACCES
stat file -> regular, 4 bytes, 1 link, 0000
chmod file 0400 -> 0
open file O_WRONLY -> EACCES
open file O_RDONLY -> g
g read 9 -> "text"
f write "+" -> 1
f ftruncate 1 -> 0
truncate file 0 -> EACCES
unlink file -> 0
)",
       needs::root},
      {"P2", "the class is that of who one is",
       [](machine& m) {
         m.make_file("own", "text");
         m.chown("own", 1000, 1000);
         m.chmod("own", 0066);
         m.make_file("group", "text");
         m.chown("group", 0, 1000);
         m.chmod("group", 0606);
         m.become(user::somebody);
         m.open("f", "own", O_RDONLY);
         m.open("f", "group", O_RDONLY);
         m.access("own", R_OK);
         m.access("group", W_OK);
       },
       R"(
chown own somebody somebody -> 0
chmod own 0066 -> 0
chown group root somebody -> 0
chmod group 0606 -> 0
open own O_RDONLY -> EACCES
open group O_RDONLY -> EACCES
access own R_OK -> EACCES
access group W_OK -> EACCES
)",
       needs::root},
  };
}

}  // namespace lockstep::files
