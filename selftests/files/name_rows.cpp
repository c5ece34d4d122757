// Names that go and directories that come: unlink, rmdir, mkdir, and what is left of a file without a name.
// Source: unlink(2), rmdir(2), mkdir(2), path_resolution(7).
#include "rows.hpp"

#include <string>

namespace lockstep::files {

std::vector<row> name_rows() {
  return {
      {"N1", "a file lives on while it is open",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         m.unlink("file");
         m.status("file");
         f.status();
         f.pread(9, 0);
         f.write("+");
         f.truncate(2);
         f.status();
         descriptor second = m.made("file", "new");
         f.content();
         second.content();
         f.close();
         m.content("file");
       },
       R"(
unlink file -> 0
stat file -> ENOENT
file fstat -> regular, 4 bytes, 0 links, 0644
file pread 9 at 0 -> "text"
file write "+" -> 1
file ftruncate 2 -> 0
file fstat -> regular, 2 bytes, 0 links, 0644
file content -> "te"
file content -> "new"
file close -> 0
file content -> "new"
)"},
      {"N1", "one name of two goes",
       [](machine& m) {
         m.make_file("one", "text");
         m.link("one", "two");
         m.unlink("one");
         m.status("two");
         m.content("two");
         m.unlink("two");
         m.list(".");
       },
       R"(
link one two -> 0
unlink one -> 0
stat two -> regular, 4 bytes, 1 link, 0644
two content -> "text"
unlink two -> 0
. entries -> ../ ./
)"},
      {"N1", "what cannot be unlinked",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("file");
         m.unlink("missing");
         m.unlink("folder");
         m.unlink("folder/");
         m.unlink(".");
         m.unlink("..");
         m.unlink("folder/.");
         m.unlink("");
         m.unlink("file/");
         m.unlink("file/name");
         m.unlink("missing/name");
         m.unlink("/");
         m.unlink(std::string(256, 'n'));
         m.says("unlinkat with flag 1", m.calls().unlinkat(AT_FDCWD, "file", 1));
         m.list(".");
       },
       R"(
unlink missing -> ENOENT
unlink folder -> EISDIR
unlink folder/ -> EISDIR
unlink . -> EISDIR
unlink .. -> EISDIR
unlink folder/. -> EISDIR
unlink "" -> ENOENT
unlink file/ -> ENOTDIR
unlink file/name -> ENOTDIR
unlink missing/name -> ENOENT
unlink / -> EISDIR
unlink <256 characters> -> ENAMETOOLONG
unlinkat with flag 1 -> EINVAL
. entries -> ../ ./ file folder/
)"},
      {"N1", "of a link, not of what it leads to",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         m.make_file("folder/inner");
         m.make_link("file", "link");
         m.make_link("folder", "to folder");
         m.make_link("nowhere", "dangling");
         m.unlink("link");
         m.unlink("dangling");
         m.unlink("to folder/inner");
         m.unlink("to folder/");
         m.unlink("to folder");
         m.list(".");
         m.list("folder");
       },
       R"(
unlink link -> 0
unlink dangling -> 0
unlink to folder/inner -> 0
unlink to folder/ -> ENOTDIR
unlink to folder -> 0
. entries -> ../ ./ file folder/
folder entries -> ../ ./
)"},
      {"N2", "an empty directory goes",
       [](machine& m) {
         m.make_folder("folder");
         m.make_folder("other");
         m.rmdir("folder");
         m.rmdir("other/");
         m.list(".");
       },
       R"(
rmdir folder -> 0
rmdir other/ -> 0
. entries -> ../ ./
)"},
      {"N2", "what cannot be removed",
       [](machine& m) {
         m.make_folder("folder");
         m.make_folder("folder/inner");
         m.make_file("file");
         m.make_folder("empty");
         m.make_link("empty", "link");
         m.rmdir("folder");
         m.rmdir("file");
         m.rmdir("missing");
         m.rmdir("file/name");
         m.rmdir("empty/.");
         m.rmdir(".");
         m.rmdir("..");
         m.rmdir("empty/..");
         m.rmdir("link");
         m.rmdir("link/");
         m.rmdir("/");
         m.rmdir("");
         m.list(".");
       },
       R"(
rmdir folder -> ENOTEMPTY
rmdir file -> ENOTDIR
rmdir missing -> ENOENT
rmdir file/name -> ENOTDIR
rmdir empty/. -> EINVAL
rmdir . -> EINVAL
rmdir .. -> ENOTEMPTY
rmdir empty/.. -> ENOTEMPTY
rmdir link -> ENOTDIR
rmdir link/ -> ENOTDIR
rmdir / -> EBUSY
rmdir "" -> ENOENT
. entries -> ../ ./ empty/ file folder/ link@
)"},
      {"N2", "the working directory goes",
       [](machine& m) {
         m.make_folder("folder");
         m.chdir("folder");
         m.rmdir(m.absolute("folder"));
         m.cwd();
         m.open("f", "file", O_RDWR | O_CREAT);
         m.open("dot", ".", O_RDONLY).status();
         m.mkdir("inner");
         m.symlink("x", "link");
         m.status(".");
         m.chdir("..");
         m.cwd();
       },
       R"(
chdir folder -> 0
rmdir <folder>/folder -> 0
getcwd -> ENOENT
open file O_RDWR|O_CREAT -> ENOENT
open . O_RDONLY -> dot
dot fstat -> directory, 0755
mkdir inner -> ENOENT
symlink x link -> ENOENT
stat . -> directory, 0755
chdir .. -> 0
getcwd -> <folder>
)"},
      {"N2", "a directory that is open goes",
       [](machine& m) {
         m.make_folder("folder");
         descriptor folder = m.opened("folder", O_RDONLY | O_DIRECTORY, "folder");
         m.rmdir("folder");
         folder.status();
         char records[256];
         m.says("folder getdents64", m.calls().getdents64(folder.number(), records, sizeof records));
         m.says("mkdirat", m.calls().mkdirat(folder.number(), "inner", 0755));
         m.says("symlinkat", m.calls().symlinkat("x", folder.number(), "link"));
         folder.sync();
         m.make_folder("folder");
         m.says("fchdir", m.calls().fchdir(folder.number()));
         m.cwd();
       },
       R"(
rmdir folder -> 0
folder fstat -> directory, 0755
folder getdents64 -> ENOENT
mkdirat -> ENOENT
symlinkat -> ENOENT
folder fsync -> 0
fchdir -> 0
getcwd -> ENOENT
)"},
      {"N3", "a directory is made",
       [](machine& m) {
         m.mkdir("folder");
         m.status("folder");
         m.list("folder");
         m.mkdir("folder/inner/");
         m.mkdir("folder/./other");
         m.list("folder");
       },
       R"(
mkdir folder -> 0
stat folder -> directory, 0755
folder entries -> ../ ./
mkdir folder/inner/ -> 0
mkdir folder/./other -> 0
folder entries -> ../ ./ inner/ other/
)"},
      {"N3", "what cannot be made",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         m.make_link("nowhere", "dangling");
         m.mkdir("file");
         m.mkdir("folder");
         m.mkdir("folder/");
         m.mkdir("dangling");
         m.mkdir("dangling/");
         m.mkdir("missing/inner");
         m.mkdir("file/inner");
         m.mkdir(".");
         m.mkdir("..");
         m.mkdir("folder/.");
         m.mkdir("new/.");
         m.mkdir("/");
         m.mkdir("");
         m.mkdir(std::string(256, 'n'));
         m.list(".");
       },
       R"(
mkdir file -> EEXIST
mkdir folder -> EEXIST
mkdir folder/ -> EEXIST
mkdir dangling -> EEXIST
mkdir dangling/ -> EEXIST
mkdir missing/inner -> ENOENT
mkdir file/inner -> ENOTDIR
mkdir . -> EEXIST
mkdir .. -> EEXIST
mkdir folder/. -> EEXIST
mkdir new/. -> ENOENT
mkdir / -> EEXIST
mkdir "" -> ENOENT
mkdir <256 characters> -> ENAMETOOLONG
. entries -> ../ ./ dangling@ file folder/
)"},
      {"N3", "links of directories",
       [](machine& m) {
         const auto links = [&m](const std::string& path) {
           m.says("links of " + path, static_cast<std::int64_t>(m.stat(path).st_nlink));
         };
         links(".");
         m.mkdir("one");
         m.mkdir("two");
         m.make_file("file");
         m.make_link("one", "link");
         links(".");
         links("one");
         m.mkdir("one/inner");
         links("one");
         m.rename("one/inner", "two/inner");
         links("one");
         links("two");
         m.rmdir("two/inner");
         links("two");
         m.rename("one", "two");
         links(".");
       },
       R"(
links of . -> 2
mkdir one -> 0
mkdir two -> 0
links of . -> 4
links of one -> 2
mkdir one/inner -> 0
links of one -> 3
rename one/inner two/inner -> 0
links of one -> 2
links of two -> 3
rmdir two/inner -> 0
links of two -> 2
rename one two -> 0
links of . -> 3
)",
       needs::ext4},
      {"N4", "status of what is there",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_folder("folder");
         m.make_link("file", "link");
         m.make_link("nowhere", "dangling");
         m.status("file");
         m.status("folder/");
         m.status("file/");
         m.status("link");
         m.status("link", AT_SYMLINK_NOFOLLOW);
         m.status("dangling");
         m.status("dangling", AT_SYMLINK_NOFOLLOW);
         m.status("missing");
         m.status("missing/file");
         m.status("file/inner");
         m.status("");
         m.status(std::string(256, 'n'));
       },
       R"(
stat file -> regular, 4 bytes, 1 link, 0644
stat folder/ -> directory, 0755
stat file/ -> ENOTDIR
stat link -> regular, 4 bytes, 1 link, 0644
lstat link -> link, 4 bytes, 1 link, 0777
stat dangling -> ENOENT
lstat dangling -> link, 7 bytes, 1 link, 0777
stat missing -> ENOENT
stat missing/file -> ENOENT
stat file/inner -> ENOTDIR
stat "" -> ENOENT
stat <256 characters> -> ENAMETOOLONG
)"},
      {"N4", "status at a descriptor",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "text");
         descriptor folder = m.opened("folder", O_RDONLY, "folder");
         descriptor file = m.opened("folder/file", O_RDONLY, "file");
         struct stat is {};
         const auto tell = [&](const char* what, int fd, const char* path, int flags) {
           const int result = m.calls().fstatat(fd, path, &is, flags);
           m.says(what, result < 0 ? result_text(result) : status_text(is));
         };
         tell("file at folder", folder.number(), "file", 0);
         tell("nothing at folder", folder.number(), "", 0);
         tell("nothing at folder, AT_EMPTY_PATH", folder.number(), "", AT_EMPTY_PATH);
         tell("nothing at file, AT_EMPTY_PATH", file.number(), "", AT_EMPTY_PATH);
         tell("name at file", file.number(), "name", 0);
         tell("parent at folder", folder.number(), "..", 0);
         tell("file at -1", -1, "file", 0);
         tell("an absolute path at -1", -1, m.absolute("folder/file").c_str(), 0);
         tell("an unknown flag", AT_FDCWD, "folder", 1);
       },
       R"(
file at folder -> regular, 4 bytes, 1 link, 0644
nothing at folder -> ENOENT
nothing at folder, AT_EMPTY_PATH -> directory, 0755
nothing at file, AT_EMPTY_PATH -> regular, 4 bytes, 1 link, 0644
name at file -> ENOTDIR
parent at folder -> directory, 0755
file at -1 -> EBADF
an absolute path at -1 -> regular, 4 bytes, 1 link, 0644
an unknown flag -> EINVAL
)"},
      {"N4", "files are the same by number",
       [](machine& m) {
         m.make_file("one");
         m.make_file("two");
         m.link("one", "again");
         m.make_folder("folder");
         const auto same = [&m](const std::string& a, const std::string& b) {
           const struct stat one = m.stat(a);
           const struct stat other = m.stat(b);
           m.says(a + " and " + b, one.st_ino == other.st_ino && one.st_dev == other.st_dev ? "same" : "different");
         };
         same("one", "two");
         same("one", "again");
         same("folder/..", ".");
         m.rename("one", "moved");
         same("again", "moved");
         descriptor f = m.opened("two", O_RDONLY);
         m.unlink("two");
         m.make_file("two");
         struct stat old {};
         m.calls().fstat(f.number(), &old);
         m.says("the old and the new two", old.st_ino == m.stat("two").st_ino ? "same" : "different");
       },
       R"(
link one again -> 0
one and two -> different
one and again -> same
folder/.. and . -> same
rename one moved -> 0
again and moved -> same
unlink two -> 0
the old and the new two -> different
)"},
      {"N4", "access to names",
       [](machine& m) {
         m.make_file("file", "", 0644);
         m.make_folder("folder");
         m.make_link("nowhere", "dangling");
         m.access("file", F_OK);
         m.access("file", R_OK | W_OK);
         m.access("file", X_OK);
         m.access("folder", R_OK | W_OK | X_OK);
         m.access("missing", F_OK);
         m.access("dangling", F_OK);
         m.says("dangling itself", m.calls().faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
         m.access("file/name", F_OK);
         m.access("", F_OK);
         m.access("file", 8);
       },
       R"(
access file F_OK -> 0
access file R_OK|W_OK -> 0
access file X_OK -> EACCES
access folder R_OK|W_OK|X_OK -> 0
access missing F_OK -> ENOENT
access dangling F_OK -> ENOENT
dangling itself -> 0
access file/name F_OK -> ENOTDIR
access "" F_OK -> ENOENT
access file 0x8 -> EINVAL
)"},
      {"N5", "the working directory",
       [](machine& m) {
         m.make_folder("folder");
         m.make_folder("folder/inner");
         m.make_file("file", "text");
         m.make_link("folder/inner", "link");
         m.cwd();
         m.chdir("folder");
         m.cwd();
         m.content("../file");
         m.chdir("inner/..");
         m.cwd();
         m.chdir("../link");
         m.cwd();
         m.chdir("..");
         m.cwd();
         m.rename("../folder", "../moved");
         m.cwd();
       },
       R"(
getcwd -> <folder>
chdir folder -> 0
getcwd -> <folder>/folder
../file content -> "text"
chdir inner/.. -> 0
getcwd -> <folder>/folder
chdir ../link -> 0
getcwd -> <folder>/folder/inner
chdir .. -> 0
getcwd -> <folder>/folder
rename ../folder ../moved -> 0
getcwd -> <folder>/moved
)"},
      {"N5", "what cannot be the working directory",
       [](machine& m) {
         m.make_file("file");
         m.chdir("file");
         m.chdir("file/..");
         m.chdir("missing");
         m.chdir("");
         m.chdir(std::string(256, 'n'));
         descriptor file = m.opened("file", O_RDONLY, "file");
         m.says("fchdir of file", m.calls().fchdir(file.number()));
         m.make_folder("folder");
         descriptor folder = m.opened("folder", O_RDONLY, "folder");
         m.says("fchdir of folder", m.calls().fchdir(folder.number()));
         m.cwd();
       },
       R"(
chdir file -> ENOTDIR
chdir file/.. -> ENOTDIR
chdir missing -> ENOENT
chdir "" -> ENOENT
chdir <256 characters> -> ENAMETOOLONG
fchdir of file -> ENOTDIR
fchdir of folder -> 0
getcwd -> <folder>/folder
)"},
      {"N5", "room for the working directory's path",
       [](machine& m) {
         m.chdir("/");
         char into[8] = {};
         m.says("getcwd with 2 bytes", m.calls().getcwd(into, 2));
         m.says("into", into);
         m.says("getcwd with 1 byte", m.calls().getcwd(into, 1));
         m.says("getcwd with 0 bytes", m.calls().getcwd(into, 0));
         m.chdir(m.folder());
         m.says("getcwd with 3 bytes", m.calls().getcwd(into, 3));
       },
       R"(
chdir / -> 0
getcwd with 2 bytes -> 2
into -> /
getcwd with 1 byte -> ERANGE
getcwd with 0 bytes -> ERANGE
chdir <folder> -> 0
getcwd with 3 bytes -> ERANGE
)"},
  };
}

}  // namespace lockstep::files
