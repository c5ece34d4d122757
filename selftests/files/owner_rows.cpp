// Owners, set bits, and directories of several people. Root makes what somebody then meets.
// Source: chown(2), inode(7), unlink(2), rename(2), access(2).
#include "rows.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <string>

namespace lockstep::files {

std::vector<row> owner_rows() {
  return {
      {"P3", "owners",
       [](machine& m) {
         m.chmod(".", 0777);
         m.make_file("file", "text");
         m.make_link("file", "link");
         m.owner("file");
         m.chown("file", 1000, -1);
         m.owner("file");
         m.chown("link", -1, 1000);
         m.owner("file");
         m.owner("link");
         m.chown("link", 1000, 1000, AT_SYMLINK_NOFOLLOW);
         m.owner("link");
         m.chown("missing", 0, 0);
         m.become(user::somebody);
         m.make_file("theirs");
         m.owner("theirs");
         m.mkdir("folder");
         m.owner("folder");
         m.symlink("x", "theirs too");
         m.owner("theirs too");
       },
       R"(
chmod . 0777 -> 0
owner of file -> root root
chown file somebody -1 -> 0
owner of file -> somebody root
chown link -1 somebody -> 0
owner of file -> somebody somebody
owner of link -> root root
chown link somebody somebody -> 0
owner of link -> somebody somebody
chown missing root root -> ENOENT
owner of theirs -> somebody somebody
mkdir folder -> 0
owner of folder -> somebody somebody
symlink x theirs too -> 0
owner of theirs too -> somebody somebody
)",
       needs::root},
      {"P3", "what somebody may not give away",
       [](machine& m) {
         m.chmod(".", 0777);
         m.make_file("roots", "text", 0666);
         m.become(user::somebody);
         m.make_file("own");
         m.chown("own", 0, -1);
         m.chown("own", -1, 0);
         m.chown("own", 1000, 1000);
         m.chown("own", -1, -1);
         m.chown("roots", 1000, -1);
         m.chown("roots", -1, -1);
         m.chmod("roots", 0666);
         m.chmod("own", 0600);
         descriptor f = m.opened("roots", O_RDONLY, "f");
         f.chmod(0666);
         m.says("f fchown", m.calls().fchown(f.number(), 1000, 1000));
       },
       R"(
chmod . 0777 -> 0
chown own root -1 -> EPERM
chown own -1 root -> EPERM
chown own somebody somebody -> 0
chown own -1 -1 -> 0
chown roots somebody -1 -> EPERM
chown roots -1 -1 -> 0
chmod roots 0666 -> EPERM
chmod own 0600 -> 0
f fchmod 0666 -> EPERM
f fchown -> EPERM
)",
       needs::root},
      {"P3", "times of others' files",
       [](machine& m) {
         m.make_file("readable", "text");
         m.make_file("writable", "text");
         m.chmod("writable", 0666);
         m.become(user::somebody);
         const timespec times[2] = {{1, 0}, {1, 0}};
         const timespec omitted[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
         m.says("set readable", m.calls().utimensat(AT_FDCWD, "readable", times, 0));
         m.says("set readable now", m.calls().utimensat(AT_FDCWD, "readable", nullptr, 0));
         m.says("set writable", m.calls().utimensat(AT_FDCWD, "writable", times, 0));
         m.says("set writable now", m.calls().utimensat(AT_FDCWD, "writable", nullptr, 0));
         m.says("set one of writable now", m.calls().utimensat(AT_FDCWD, "writable", omitted, 0));
       },
       R"(
chmod writable 0666 -> 0
set readable -> EPERM
set readable now -> EACCES
set writable -> EPERM
set writable now -> 0
set one of writable now -> EPERM
)",
       needs::root},
      {"P4", "a sticky directory",
       [](machine& m) {
         m.make_folder("shared");
         m.chmod("shared", 01777);
         m.make_file("shared/roots", "text");
         m.chmod("shared/roots", 0666);
         m.make_folder("shared/folder");
         m.become(user::somebody);
         m.make_file("shared/own");
         m.make_file("shared/second");
         m.unlink("shared/roots");
         m.rmdir("shared/folder");
         m.rename("shared/roots", "shared/x");
         m.rename("shared/own", "shared/roots");
         m.rename("shared/own", "shared/second");
         m.rename("shared/second", "shared/roots", RENAME_EXCHANGE);
         m.unlink("shared/second");
         m.become(user::root);
         m.chown("shared", 1000, -1);
         m.become(user::somebody);
         m.unlink("shared/roots");
       },
       R"(
chmod shared 1777 -> 0
chmod shared/roots 0666 -> 0
unlink shared/roots -> EPERM
rmdir shared/folder -> EPERM
rename shared/roots shared/x -> EPERM
rename shared/own shared/roots -> EPERM
rename shared/own shared/second -> 0
rename shared/second shared/roots RENAME_EXCHANGE -> EPERM
unlink shared/second -> 0
chown shared somebody -1 -> 0
unlink shared/roots -> 0
)",
       needs::root},
      {"P4", "a directory that gives its group",
       [](machine& m) {
         m.make_folder("folder");
         m.chown("folder", -1, 1000);
         m.chmod("folder", 02755);
         m.make_file("folder/file");
         m.owner("folder/file");
         m.mkdir("folder/inner");
         m.owner("folder/inner");
         m.status("folder/inner");
         m.status("folder/file");
         m.mkdir("plain", 02755);
         m.status("plain");
       },
       R"(
chown folder -1 somebody -> 0
chmod folder 2755 -> 0
owner of folder/file -> root somebody
mkdir folder/inner -> 0
owner of folder/inner -> root somebody
stat folder/inner -> directory, 2755
stat folder/file -> regular, 0 bytes, 1 link, 0644
mkdir plain 2755 -> 0
stat plain -> directory, 0755
)",
       needs::root},
      {"P4", "set bits go when somebody writes",
       [](machine& m) {
         m.make_file("file", "text");
         m.chmod("file", 06777);
         descriptor f = m.opened("file");
         f.write("T");
         m.status("file");
         m.become(user::somebody);
         m.opened("file", O_RDONLY, "reader").read(9);
         m.status("file");
         m.opened("file", O_WRONLY, "writer").write("t");
         m.status("file");
         m.become(user::root);
         m.chmod("file", 06777);
         m.become(user::somebody);
         m.truncate("file", 1);
         m.status("file");
         m.become(user::root);
         m.chmod("file", 06777);
         m.chown("file", 0, 0);
         m.status("file");
         m.chmod("file", 06644);
         m.chown("file", 1000, 1000);
         m.status("file");
         m.chmod("file", 04755);
         m.status("file");
       },
       R"(
chmod file 6777 -> 0
f write "T" -> 1
stat file -> regular, 4 bytes, 1 link, 6777
reader read 9 -> "Text"
stat file -> regular, 4 bytes, 1 link, 6777
writer write "t" -> 1
stat file -> regular, 4 bytes, 1 link, 0777
chmod file 6777 -> 0
truncate file 1 -> 0
stat file -> regular, 1 bytes, 1 link, 0777
chmod file 6777 -> 0
chown file root root -> 0
stat file -> regular, 1 bytes, 1 link, 0777
chmod file 6644 -> 0
chown file somebody somebody -> 0
stat file -> regular, 1 bytes, 1 link, 2644
chmod file 4755 -> 0
stat file -> regular, 1 bytes, 1 link, 4755
)",
       needs::root},
      {"P4", "set bits that somebody sets",
       [](machine& m) {
         m.make_file("theirs");
         m.chown("theirs", 1000, 1000);
         m.make_file("other");
         m.chown("other", 1000, 0);
         m.become(user::somebody);
         m.chmod("theirs", 06755);
         m.status("theirs");
         m.chmod("other", 06755);
         m.status("other");
         m.chmod("theirs", 01644);
         m.status("theirs");
       },
       R"(
chown theirs somebody somebody -> 0
chown other somebody root -> 0
chmod theirs 6755 -> 0
stat theirs -> regular, 0 bytes, 1 link, 6755
chmod other 6755 -> 0
stat other -> regular, 0 bytes, 1 link, 4755
chmod theirs 1644 -> 0
stat theirs -> regular, 0 bytes, 1 link, 1644
)",
       needs::root},
      {"P5", "who one is, and whose rights one has",
       [](machine& m) {
         m.make_file("private", "", 0600);
         m.access("private", R_OK);
         m.access("private", R_OK, AT_EACCESS);
         m.become(user::somebody);
         m.access("private", R_OK);
         m.access("private", R_OK, AT_EACCESS);
         m.access("private", F_OK, AT_EACCESS);
       },
       R"(
access private R_OK -> 0
access private R_OK AT_EACCESS -> 0
access private R_OK -> EACCES
access private R_OK AT_EACCESS -> EACCES
access private F_OK AT_EACCESS -> 0
)",
       needs::root},
      {"P5", "renaming directories of others",
       [](machine& m) {
         m.chmod(".", 0777);
         m.make_folder("roots");
         m.make_folder("shared");
         m.chmod("shared", 0777);
         m.become(user::somebody);
         m.rename("roots", "moved");
         m.rename("moved", "shared/inner");
         m.make_folder("own");
         m.rename("own", "shared/own");
         m.rmdir("moved");
         m.list(".");
       },
       R"(
chmod . 0777 -> 0
chmod shared 0777 -> 0
rename roots moved -> 0
rename moved shared/inner -> EACCES
rename own shared/own -> 0
rmdir moved -> 0
. entries -> ../ ./ shared/
)",
       needs::root},
      {"P5", "other names for files of others",
       [](machine& m) {
         m.chmod(".", 0777);
         m.make_file("shared", "text");
         m.chmod("shared", 0666);
         m.make_file("own", "text");
         m.chown("own", 1000, 1000);
         m.chmod("own", 0400);
         m.become(user::somebody);
         m.link("shared", "one");
         m.link("own", "two");
         m.list(".");
       },
       R"(
chmod . 0777 -> 0
chmod shared 0666 -> 0
chown own somebody somebody -> 0
chmod own 0400 -> 0
link shared one -> 0
link own two -> 0
. entries -> ../ ./ one own shared two
)",
       needs::root},
  };
}

}  // namespace lockstep::files
