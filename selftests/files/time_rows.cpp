// Which times change, and when: a row remembers them, and later tells which are others. Values are never told.
// Of reading it is not told whether it changes the time of access, as that is a matter of how the disk is mounted.
// Source: inode(7), utimensat(2).
#include "rows.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <string>

namespace lockstep::files {
namespace {

std::string moment_text(const timespec& moment) { return fmt::format("{}.{:09}", moment.tv_sec, moment.tv_nsec); }

// What utimensat() has set: values that the row knows.
void tell_set_times(machine& m, const std::string& path) {
  const struct stat is = m.stat(path, AT_SYMLINK_NOFOLLOW);
  m.says("times of " + path, moment_text(is.st_atim) + " " + moment_text(is.st_mtim));
}

int set_times(machine& m, const std::string& path, timespec accessed, timespec modified, int flags = 0) {
  const timespec times[2] = {accessed, modified};
  return m.calls().utimensat(AT_FDCWD, path.c_str(), times, flags);
}

constexpr timespec now{0, UTIME_NOW};
constexpr timespec as_before{0, UTIME_OMIT};

}  // namespace

std::vector<row> time_rows() {
  return {
      {"M1", "those of a new file are the same",
       [](machine& m) {
         m.remember_times(".");
         m.make_file("file");
         m.changed_times("open", ".", false);
         const struct stat is = m.stat("file");
         const auto same = [](const timespec& a, const timespec& b) {
           return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
         };
         m.says("atime and mtime", same(is.st_atim, is.st_mtim) ? "same" : "different");
         m.says("mtime and ctime", same(is.st_mtim, is.st_ctim) ? "same" : "different");
       },
       R"(
open changes of . -> mtime ctime
atime and mtime -> same
mtime and ctime -> same
)",
       needs::ext4},
      {"M1", "writing",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         m.remember_times("file");
         m.remember_times(".");
         f.write("more");
         m.changed_times("write", "file");
         f.pwrite("m", 1);
         m.changed_times("pwrite", "file");
         f.write("");
         m.changed_times("write of nothing", "file");
         f.writev({"a", "b"});
         m.changed_times("writev", "file");
         m.changed_times("all of it", ".", false);
         f.sync();
         m.changed_times("fsync", "file");
         f.close();
         m.changed_times("close", "file");
       },
       R"(
file write "more" -> 4
write changes of file -> mtime ctime
file pwrite "m" at 1 -> 1
pwrite changes of file -> mtime ctime
file write "" -> 0
write of nothing changes of file -> none
file writev "a"+"b" -> 2
writev changes of file -> mtime ctime
all of it changes of . -> none
file fsync -> 0
fsync changes of file -> none
file close -> 0
close changes of file -> none
)"},
      {"M1", "reading",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         m.remember_times("file");
         f.pread(9, 0);
         m.changed_times("pread", "file", false);
         m.open("g", "file", O_RDWR);
         m.changed_times("open", "file", false);
         m.status("file");
         m.access("file", R_OK);
         m.changed_times("stat and access", "file", false);
         descriptor quiet = m.opened("file", O_RDONLY | O_NOATIME, "quiet");
         m.remember_times("file");
         quiet.read(9);
         m.changed_times("read with O_NOATIME", "file");
       },
       R"(
file pread 9 at 0 -> "text"
pread changes of file -> none
open file O_RDWR -> g
open changes of file -> none
stat file -> regular, 4 bytes, 1 link, 0644
access file R_OK -> 0
stat and access changes of file -> none
quiet read 9 -> "text"
read with O_NOATIME changes of file -> none
)"},
      {"M1", "setting sizes",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         m.remember_times("file");
         f.truncate(2);
         m.changed_times("ftruncate", "file");
         f.truncate(2);
         m.changed_times("ftruncate to the same size", "file");
         m.truncate("file", 2);
         m.changed_times("truncate to the same size", "file");
         m.truncate("file", 9);
         m.changed_times("truncate", "file");
         m.open("g", "file", O_RDONLY | O_TRUNC);
         m.changed_times("O_TRUNC", "file");
         m.open("g", "file", O_RDONLY | O_TRUNC);
         m.changed_times("O_TRUNC of an empty file", "file");
         m.open("g", "file", O_RDWR | O_CREAT);
         m.changed_times("O_CREAT of one that is there", "file");
       },
       R"(
file ftruncate 2 -> 0
ftruncate changes of file -> mtime ctime
file ftruncate 2 -> 0
ftruncate to the same size changes of file -> mtime ctime
truncate file 2 -> 0
truncate to the same size changes of file -> mtime ctime
truncate file 9 -> 0
truncate changes of file -> mtime ctime
open file O_RDONLY|O_TRUNC -> g
O_TRUNC changes of file -> mtime ctime
open file O_RDONLY|O_TRUNC -> g
O_TRUNC of an empty file changes of file -> mtime ctime
open file O_RDWR|O_CREAT -> g
O_CREAT of one that is there changes of file -> none
)",
       needs::ext4},
      {"M1", "allocating",
       [](machine& m) {
         descriptor f = m.made("file", std::string(10'000, 'x'));
         m.remember_times("file");
         f.allocate(0, 0, 20'000);
         m.changed_times("fallocate", "file");
         f.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5'000);
         m.changed_times("a hole", "file");
         f.allocate(FALLOC_FL_KEEP_SIZE, 0, 100'000);
         m.changed_times("with KEEP_SIZE", "file");
       },
       R"(
file fallocate 0 0 20000 -> 0
fallocate changes of file -> mtime ctime
file fallocate KEEP_SIZE|PUNCH_HOLE 0 5000 -> 0
a hole changes of file -> mtime ctime
file fallocate KEEP_SIZE 0 100000 -> 0
with KEEP_SIZE changes of file -> mtime ctime
)",
       needs::ext4},
      {"M2", "names of a file",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/a", "text");
         m.make_file("folder/c");
         descriptor f = m.opened("folder/a");
         m.remember_times("folder");
         m.remember_times("folder/a");
         m.link("folder/a", "folder/b");
         m.changed_times("link", "folder", false);
         m.changed_times("link", "folder/a");
         m.unlink("folder/b");
         m.changed_times("unlink", "folder", false);
         m.changed_times("unlink", "folder/a");
         m.unlink("folder/missing");
         m.changed_times("unlink of nothing", "folder", false);
         m.remember_times("folder/c");
         m.rename("folder/c", "folder/c");
         m.changed_times("rename onto itself", "folder/c");
         m.changed_times("rename onto itself", "folder", false);
       },
       R"(
link folder/a folder/b -> 0
link changes of folder -> mtime ctime
link changes of folder/a -> ctime
unlink folder/b -> 0
unlink changes of folder -> mtime ctime
unlink changes of folder/a -> ctime
unlink folder/missing -> ENOENT
unlink of nothing changes of folder -> none
rename folder/c folder/c -> 0
rename onto itself changes of folder/c -> none
rename onto itself changes of folder -> none
)",
       needs::ext4},
      {"M2", "renaming",
       [](machine& m) {
         m.make_folder("from");
         m.make_folder("to");
         m.make_file("from/file");
         m.make_file("to/old");
         m.link("to/old", "kept");
         m.make_folder("from/folder");
         m.remember_times("from");
         m.remember_times("to");
         m.remember_times("kept");
         const struct stat before = m.stat("from/file");
         m.rename("from/file", "to/old");
         m.changed_times("rename", "from", false);
         m.changed_times("rename", "to", false);
         m.changed_times("rename", "kept");
         const struct stat after = m.stat("to/old");
         m.says("ctime of what was renamed",
                after.st_ctim.tv_sec == before.st_ctim.tv_sec && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec
                    ? "as before"
                    : "another");
         m.rename("from/folder", "to/folder");
         m.changed_times("rename of a directory", "from", false);
         m.changed_times("rename of a directory", "to", false);
       },
       R"(
link to/old kept -> 0
rename from/file to/old -> 0
rename changes of from -> mtime ctime
rename changes of to -> mtime ctime
rename changes of kept -> ctime
ctime of what was renamed -> another
rename from/folder to/folder -> 0
rename of a directory changes of from -> mtime ctime
rename of a directory changes of to -> mtime ctime
)",
       needs::ext4},
      {"M2", "directories",
       [](machine& m) {
         m.make_folder("folder");
         m.remember_times("folder");
         m.mkdir("folder/inner");
         m.changed_times("mkdir", "folder", false);
         m.mkdir("folder/inner");
         m.changed_times("mkdir of what is there", "folder", false);
         m.make_file("folder/inner/file");
         m.changed_times("a file in an inner one", "folder", false);
         m.unlink("folder/inner/file");
         m.rmdir("folder/inner");
         m.changed_times("rmdir", "folder", false);
         m.symlink("x", "folder/link");
         m.changed_times("symlink", "folder", false);
         m.list("folder");
         m.changed_times("getdents64", "folder", false);
         m.status("folder/link");
         m.changed_times("stat of a link in it", "folder", false);
       },
       R"(
mkdir folder/inner -> 0
mkdir changes of folder -> mtime ctime
mkdir folder/inner -> EEXIST
mkdir of what is there changes of folder -> none
a file in an inner one changes of folder -> none
unlink folder/inner/file -> 0
rmdir folder/inner -> 0
rmdir changes of folder -> mtime ctime
symlink x folder/link -> 0
symlink changes of folder -> mtime ctime
folder entries -> ../ ./ link@
getdents64 changes of folder -> none
stat folder/link -> ENOENT
stat of a link in it changes of folder -> none
)"},
      {"M2", "modes and owners",
       [](machine& m) {
         m.make_file("file", "text");
         m.remember_times("file");
         m.chmod("file", 0600);
         m.changed_times("chmod", "file");
         m.chmod("file", 0600);
         m.changed_times("chmod to the same", "file");
         m.chown("file", -1, -1);
         m.changed_times("chown to the same", "file");
         m.opened("file").chmod(0644);
         m.changed_times("fchmod", "file");
       },
       R"(
chmod file 0600 -> 0
chmod changes of file -> ctime
chmod file 0600 -> 0
chmod to the same changes of file -> ctime
chown file -1 -1 -> 0
chown to the same changes of file -> ctime
f fchmod 0644 -> 0
fchmod changes of file -> ctime
)",
       needs::ext4},
      {"M3", "times that are set",
       [](machine& m) {
         m.make_file("file");
         m.remember_times("file");
         m.says("set both", set_times(m, "file", {1, 2}, {3, 4}));
         tell_set_times(m, "file");
         m.changed_times("utimensat", "file");
         m.says("set mtime", set_times(m, "file", as_before, {5, 999'999'999}));
         tell_set_times(m, "file");
         m.says("set atime", set_times(m, "file", {6, 0}, as_before));
         tell_set_times(m, "file");
         m.remember_times("file");
         m.says("set none", set_times(m, "file", as_before, as_before));
         m.changed_times("utimensat of none", "file");
         m.says("set now", set_times(m, "file", now, as_before));
         m.changed_times("utimensat of atime", "file");
         m.says("set both now", m.calls().utimensat(AT_FDCWD, "file", nullptr, 0));
         m.changed_times("utimensat now", "file");
       },
       R"(
set both -> 0
times of file -> 1.000000002 3.000000004
utimensat changes of file -> atime mtime ctime
set mtime -> 0
times of file -> 1.000000002 5.999999999
set atime -> 0
times of file -> 6.000000000 5.999999999
set none -> 0
utimensat of none changes of file -> none
set now -> 0
utimensat of atime changes of file -> atime ctime
set both now -> 0
utimensat now changes of file -> atime mtime ctime
)"},
      {"M3", "times before 1970 and far away",
       [](machine& m) {
         m.make_file("file");
         m.says("set", set_times(m, "file", {-1, 5}, {4'000'000'000, 0}));
         tell_set_times(m, "file");
       },
       R"(
set -> 0
times of file -> -1.000000005 4000000000.000000000
)",
       needs::ext4},
      {"M3", "times that cannot be set",
       [](machine& m) {
         m.make_file("file");
         m.says("too many nanoseconds", set_times(m, "file", {1, 1'000'000'000}, {1, 0}));
         m.says("nanoseconds below zero", set_times(m, "file", {1, 0}, {1, -1}));
         m.says("missing", set_times(m, "missing", {1, 0}, {1, 0}));
         m.says("missing, none", set_times(m, "missing", as_before, as_before));
         m.says("nothing", set_times(m, "", {1, 0}, {1, 0}));
         m.says("an unknown flag", set_times(m, "file", {1, 0}, {1, 0}, 1));
         const timespec times[2] = {{1, 0}, {1, 0}};
         m.says("minus one", m.calls().utimensat(-1, nullptr, times, 0));
         m.says("minus one and a name", m.calls().utimensat(-1, "file", times, 0));
       },
       R"(
too many nanoseconds -> EINVAL
nanoseconds below zero -> EINVAL
missing -> ENOENT
missing, none -> 0
nothing -> ENOENT
an unknown flag -> EINVAL
minus one -> EBADF
minus one and a name -> EBADF
)"},
      {"M3", "times of links and of open files",
       [](machine& m) {
         m.make_file("file");
         m.make_link("file", "link");
         m.says("set link", set_times(m, "link", {1, 0}, {2, 0}));
         tell_set_times(m, "file");
         m.says("set link itself", set_times(m, "link", {3, 0}, {4, 0}, AT_SYMLINK_NOFOLLOW));
         tell_set_times(m, "file");
         tell_set_times(m, "link");
         descriptor reader = m.opened("file", O_RDONLY, "reader");
         const timespec times[2] = {{5, 0}, {6, 0}};
         m.says("set reader", m.calls().utimensat(reader.number(), nullptr, times, 0));
         tell_set_times(m, "file");
         m.make_folder("folder");
         m.says("set folder", set_times(m, "folder", {7, 0}, {8, 0}));
         tell_set_times(m, "folder");
         reader.write("x");
         tell_set_times(m, "file");
       },
       R"(
set link -> 0
times of file -> 1.000000000 2.000000000
set link itself -> 0
times of file -> 1.000000000 2.000000000
times of link -> 3.000000000 4.000000000
set reader -> 0
times of file -> 5.000000000 6.000000000
set folder -> 0
times of folder -> 7.000000000 8.000000000
reader write "x" -> EBADF
times of file -> 5.000000000 6.000000000
)"},
      {"M3", "who writes later is later",
       [](machine& m) {
         descriptor a = m.made("a");
         descriptor b = m.made("b");
         const auto order = [&m] {
           const timespec one = m.stat("a").st_mtim;
           const timespec other = m.stat("b").st_mtim;
           const bool is_before =
               one.tv_sec < other.tv_sec || (one.tv_sec == other.tv_sec && one.tv_nsec < other.tv_nsec);
           m.says("a is", is_before ? "older" : "not older");
         };
         b.write("1");
         m.pass_time();
         a.write("1");
         order();
         m.pass_time();
         b.write("2");
         order();
       },
       R"(
b write "1" -> 1
a write "1" -> 1
a is -> not older
b write "2" -> 1
a is -> older
)"},
  };
}

}  // namespace lockstep::files
