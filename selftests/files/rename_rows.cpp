// Renaming, in all its cases.
// Source: rename(2); Linux's fs/namei.c.
#include "rows.hpp"

#include <stdio.h>

#include <string>

namespace lockstep::files {

std::vector<row> rename_rows() {
  return {
      {"R1", "a file gets another name",
       [](machine& m) {
         m.make_file("a", "text");
         descriptor f = m.opened("a");
         m.rename("a", "b");
         m.list(".");
         m.content("b");
         f.write("T");
         m.content("b");
       },
       R"(
rename a b -> 0
. entries -> ../ ./ b
b content -> "text"
f write "T" -> 1
b content -> "Text"
)"},
      {"R1", "a file takes the place of another",
       [](machine& m) {
         m.make_file("a", "new");
         m.make_file("b", "old");
         descriptor old = m.opened("b", O_RDWR, "old");
         m.link("b", "kept");
         m.rename("a", "b");
         m.list(".");
         m.content("b");
         old.content();
         old.status();
         m.unlink("kept");
         old.status();
       },
       R"(
link b kept -> 0
rename a b -> 0
. entries -> ../ ./ b kept
b content -> "new"
old content -> "old"
old fstat -> regular, 3 bytes, 1 link, 0644
unlink kept -> 0
old fstat -> regular, 3 bytes, 0 links, 0644
)"},
      {"R1", "onto itself",
       [](machine& m) {
         m.make_file("a", "text");
         m.make_folder("folder");
         m.rename("a", "a");
         m.rename("a", "./a");
         m.rename("folder", "folder");
         m.content("a");
         m.list(".");
       },
       R"(
rename a a -> 0
rename a ./a -> 0
rename folder folder -> 0
a content -> "text"
. entries -> ../ ./ a folder/
)"},
      {"R1", "two names of one file both stay",
       [](machine& m) {
         m.make_file("a", "text");
         m.link("a", "b");
         m.rename("a", "b");
         m.list(".");
         m.status("a");
         m.make_folder("folder");
         m.link("a", "folder/a");
         m.rename("folder/a", "b");
         m.list("folder");
         m.rename("a", "b", RENAME_NOREPLACE);
         m.rename("a", "b", RENAME_EXCHANGE);
         m.status("a");
       },
       R"(
link a b -> 0
rename a b -> 0
. entries -> ../ ./ a b
stat a -> regular, 4 bytes, 2 links, 0644
link a folder/a -> 0
rename folder/a b -> 0
folder entries -> ../ ./ a
rename a b RENAME_NOREPLACE -> EEXIST
rename a b RENAME_EXCHANGE -> 0
stat a -> regular, 4 bytes, 3 links, 0644
)"},
      {"R1", "what is not there",
       [](machine& m) {
         m.make_file("a");
         m.rename("missing", "b");
         m.rename("missing", "a");
         m.rename("a", "missing/b");
         m.rename("missing/a", "b");
         m.rename("a/b", "b");
         m.rename("a", "a/b");
         m.rename("", "b");
         m.rename("a", "");
         m.rename("a", std::string(256, 'n'));
         m.list(".");
       },
       R"(
rename missing b -> ENOENT
rename missing a -> ENOENT
rename a missing/b -> ENOENT
rename missing/a b -> ENOENT
rename a/b b -> ENOTDIR
rename a a/b -> ENOTDIR
rename "" b -> ENOENT
rename a "" -> ENOENT
rename a <256 characters> -> ENAMETOOLONG
. entries -> ../ ./ a
)"},
      {"R2", "a file and a directory",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         m.rename("file", "folder");
         m.rename("folder", "file");
         m.rename("file", "folder/");
         m.rename("folder", "file/");
         m.list(".");
       },
       R"(
rename file folder -> EISDIR
rename folder file -> ENOTDIR
rename file folder/ -> ENOTDIR
rename folder file/ -> ENOTDIR
. entries -> ../ ./ file folder/
)"},
      {"R2", "a directory takes the place of an empty one",
       [](machine& m) {
         m.make_folder("a");
         m.make_file("a/file");
         m.make_folder("b");
         descriptor old = m.opened("b", O_RDONLY, "old");
         m.rename("a", "b");
         m.list(".");
         m.list("b");
         m.says("mkdirat in the old one", m.calls().mkdirat(old.number(), "inner", 0755));
       },
       R"(
rename a b -> 0
. entries -> ../ ./ b/
b entries -> ../ ./ file
mkdirat in the old one -> ENOENT
)"},
      {"R2", "a directory that is not empty stays",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("b");
         m.make_file("b/file");
         m.rename("a", "b");
         m.make_folder("b/a");
         m.rename("b/a", "b");
         m.rename("b/file", "b");
         m.list(".");
         m.list("b");
       },
       R"(
rename a b -> ENOTEMPTY
rename b/a b -> ENOTEMPTY
rename b/file b -> ENOTEMPTY
. entries -> ../ ./ a/ b/
b entries -> ../ ./ a/ file
)"},
      {"R2", "into itself",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("a/b");
         m.rename("a", "a/c");
         m.rename("a", "a/b");
         m.rename("a", "a/b/c");
         m.rename("a", "a/b/../d");
         m.rename("a/b", "a");
         m.make_link("a/b", "link");
         m.rename("a", "link/c");
         m.list("a");
       },
       R"(
rename a a/c -> EINVAL
rename a a/b -> EINVAL
rename a a/b/c -> EINVAL
rename a a/b/../d -> EINVAL
rename a/b a -> ENOTEMPTY
rename a link/c -> EINVAL
a entries -> ../ ./ b/
)"},
      {"R2", "into another directory",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("a/inner");
         m.make_file("a/inner/file", "text");
         m.make_folder("b");
         m.chdir("a/inner");
         m.rename("../../a/inner", "../../b/moved");
         m.cwd();
         m.content("file");
         m.list("..");
         m.chdir("..");
         m.cwd();
       },
       R"(
chdir a/inner -> 0
rename ../../a/inner ../../b/moved -> 0
getcwd -> <folder>/b/moved
file content -> "text"
.. entries -> ../ ./ moved/
chdir .. -> 0
getcwd -> <folder>/b
)"},
      {"R2", "links of directories that move",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("a/one");
         m.make_folder("a/two");
         m.make_folder("b");
         const auto links = [&m](const std::string& path) {
           m.says("links of " + path, static_cast<std::int64_t>(m.stat(path).st_nlink));
         };
         m.rename("a", "c");
         links("c");
         links(".");
         m.rename("c", "b/d");
         links("b/d");
         links("b");
         links(".");
         m.rename("b/d/one", "e");
         m.rename("b/d/two", "e");
         links("b/d");
         links(".");
         m.make_folder("e/inner");
         m.rename("e", "b", RENAME_EXCHANGE);
         links("e");
         links("b");
         m.make_file("file");
         m.rename("file", "b", RENAME_EXCHANGE);
         links("file");
         links(".");
       },
       R"(
rename a c -> 0
links of c -> 4
links of . -> 4
rename c b/d -> 0
links of b/d -> 4
links of b -> 3
links of . -> 3
rename b/d/one e -> 0
rename b/d/two e -> 0
links of b/d -> 2
links of . -> 4
rename e b RENAME_EXCHANGE -> 0
links of e -> 3
links of b -> 3
rename file b RENAME_EXCHANGE -> 0
links of file -> 3
links of . -> 4
)",
       needs::ext4},
      {"R2", "the directory itself and its parent",
       [](machine& m) {
         m.make_folder("a");
         m.rename(".", "b");
         m.rename("a/.", "b");
         m.rename("a/..", "b");
         m.rename("a", ".");
         m.rename("a", "..");
         m.rename("a", "a/.");
         m.list(".");
       },
       R"(
rename . b -> EBUSY
rename a/. b -> EBUSY
rename a/.. b -> EBUSY
rename a . -> EBUSY
rename a .. -> EBUSY
rename a a/. -> EBUSY
. entries -> ../ ./ a/
)"},
      {"R2", "a slash behind a name",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         m.rename("file/", "new");
         m.rename("file", "new/");
         m.rename("folder/", "moved/");
         m.rename("moved", "again/");
         m.make_link("again", "link");
         m.rename("link/", "other");
         m.rename("again", "link/");
         m.list(".");
       },
       R"(
rename file/ new -> ENOTDIR
rename file new/ -> ENOTDIR
rename folder/ moved/ -> 0
rename moved again/ -> 0
rename link/ other -> ENOTDIR
rename again link/ -> ENOTDIR
. entries -> ../ ./ again/ file link@
)"},
      {"R3", "a link moves, not what it leads to",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_link("file", "link");
         m.make_folder("folder");
         m.rename("link", "folder/link");
         m.readlink("folder/link");
         m.content("folder/link");
         m.make_link("nowhere", "dangling");
         m.rename("dangling", "moved");
         m.readlink("moved");
       },
       R"(
rename link folder/link -> 0
readlink folder/link -> file
folder/link content -> ENOENT
rename dangling moved -> 0
readlink moved -> nowhere
)"},
      {"R3", "a link is replaced, not what it leads to",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_file("new", "new");
         m.make_link("file", "link");
         m.rename("new", "link");
         m.status("link", AT_SYMLINK_NOFOLLOW);
         m.content("file");
         m.make_link("file", "second");
         m.rename("second", "file");
         m.readlink("file");
         m.content("file");
         m.make_folder("folder");
         m.make_link("folder", "to folder");
         m.rename("folder", "to folder");
         m.rename("link", "to folder");
         m.list(".");
       },
       R"(
rename new link -> 0
lstat link -> regular, 3 bytes, 1 link, 0644
file content -> "text"
rename second file -> 0
readlink file -> file
file content -> ELOOP
rename folder to folder -> ENOTDIR
rename link to folder -> 0
. entries -> ../ ./ file@ folder/ to folder
)"},
      {"R4", "only to a new name",
       [](machine& m) {
         m.make_file("a", "text");
         m.make_file("b");
         m.make_folder("folder");
         m.make_link("nowhere", "dangling");
         m.rename("a", "b", RENAME_NOREPLACE);
         m.rename("a", "folder", RENAME_NOREPLACE);
         m.rename("a", "dangling", RENAME_NOREPLACE);
         m.rename("a", "a", RENAME_NOREPLACE);
         m.rename("missing", "b", RENAME_NOREPLACE);
         m.rename("a", "new", RENAME_NOREPLACE);
         m.rename("folder", "new folder", RENAME_NOREPLACE);
         m.list(".");
       },
       R"(
rename a b RENAME_NOREPLACE -> EEXIST
rename a folder RENAME_NOREPLACE -> EEXIST
rename a dangling RENAME_NOREPLACE -> EEXIST
rename a a RENAME_NOREPLACE -> EEXIST
rename missing b RENAME_NOREPLACE -> ENOENT
rename a new RENAME_NOREPLACE -> 0
rename folder new folder RENAME_NOREPLACE -> 0
. entries -> ../ ./ b dangling@ new new folder/
)"},
      {"R4", "two change their places",
       [](machine& m) {
         m.make_file("a", "one");
         m.make_file("b", "two");
         m.make_folder("folder");
         m.make_file("folder/inner");
         m.make_link("a", "link");
         m.rename("a", "b", RENAME_EXCHANGE);
         m.content("a");
         m.rename("a", "folder", RENAME_EXCHANGE);
         m.list(".");
         m.rename("folder", "a/inner", RENAME_EXCHANGE);
         m.list("a");
         m.rename("link", "b", RENAME_EXCHANGE);
         m.readlink("b");
         m.list(".");
       },
       R"(
rename a b RENAME_EXCHANGE -> 0
a content -> "two"
rename a folder RENAME_EXCHANGE -> 0
. entries -> ../ ./ a/ b folder link@
rename folder a/inner RENAME_EXCHANGE -> 0
a entries -> ../ ./ inner
rename link b RENAME_EXCHANGE -> 0
readlink b -> a
. entries -> ../ ./ a/ b@ folder link
)"},
      {"R4", "what cannot change places",
       [](machine& m) {
         m.make_file("a", "one");
         m.make_folder("folder");
         m.make_folder("folder/inner");
         m.rename("a", "missing", RENAME_EXCHANGE);
         m.rename("missing", "a", RENAME_EXCHANGE);
         m.rename("folder", "folder/inner", RENAME_EXCHANGE);
         m.rename("folder/inner", "folder", RENAME_EXCHANGE);
         m.rename("a", ".", RENAME_EXCHANGE);
         m.rename("a", "a", RENAME_EXCHANGE);
         m.rename("a/", "folder", RENAME_EXCHANGE);
         m.rename("a", "folder", RENAME_EXCHANGE | RENAME_NOREPLACE);
         m.rename("a", "folder", 0x100);
         m.list(".");
       },
       R"(
rename a missing RENAME_EXCHANGE -> ENOENT
rename missing a RENAME_EXCHANGE -> ENOENT
rename folder folder/inner RENAME_EXCHANGE -> EINVAL
rename folder/inner folder RENAME_EXCHANGE -> EINVAL
rename a . RENAME_EXCHANGE -> EBUSY
rename a a RENAME_EXCHANGE -> 0
rename a/ folder RENAME_EXCHANGE -> ENOTDIR
rename a folder RENAME_NOREPLACE|RENAME_EXCHANGE -> EINVAL
rename a folder 0x100 -> EINVAL
. entries -> ../ ./ a folder/
)"},
      {"R4", "directories in two places change them",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("a/one");
         m.make_file("a/one/file", "1");
         m.make_folder("b");
         m.make_folder("b/two");
         m.chdir("a/one");
         m.rename(m.absolute("a/one"), m.absolute("b/two"), RENAME_EXCHANGE);
         m.cwd();
         m.chdir("..");
         m.cwd();
         m.list(m.absolute("a"));
         m.list("two");
       },
       R"(
chdir a/one -> 0
rename <folder>/a/one <folder>/b/two RENAME_EXCHANGE -> 0
getcwd -> <folder>/b/two
chdir .. -> 0
getcwd -> <folder>/b
<folder>/a entries -> ../ ./ one/
two entries -> ../ ./ file
)"},
      {"R5", "from one directory's descriptor to another's",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("b");
         m.make_file("a/file", "text");
         descriptor a = m.opened("a", O_RDONLY, "a");
         descriptor b = m.opened("b", O_RDONLY, "b");
         const auto move = [&m](const char* what, int from_at, const char* from, int to_at, const char* to) {
           m.says(what, m.calls().renameat2(from_at, from, to_at, to, 0));
         };
         move("from a to b", a.number(), "file", b.number(), "moved");
         move("again", a.number(), "file", b.number(), "moved");
         move("from -1", -1, "file", b.number(), "moved");
         move("to -1", b.number(), "moved", -1, "file");
         descriptor file = m.opened("b/moved", O_RDONLY, "file");
         move("from a file", file.number(), "x", b.number(), "y");
         move("the directory itself", a.number(), "", AT_FDCWD, "c");
         m.list("b");
       },
       R"(
from a to b -> 0
again -> ENOENT
from -1 -> EBADF
to -1 -> EBADF
from a file -> ENOTDIR
the directory itself -> ENOENT
b entries -> ../ ./ moved
)"},
      {"R5", "a directory that is open and empty is replaced",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("b");
         m.chdir("b");
         m.rename("../a", "../b");
         m.cwd();
         m.open("f", "file", O_RDWR | O_CREAT);
         m.chdir(m.absolute("b"));
         m.cwd();
       },
       R"(
chdir b -> 0
rename ../a ../b -> 0
getcwd -> ENOENT
open file O_RDWR|O_CREAT -> ENOENT
chdir <folder>/b -> 0
getcwd -> <folder>/b
)"},
      {"R6", "to another file system",
       [](machine& m) {
         m.mount_small_disk("disk", 1'000'000, 100);
         m.make_file("file", "text");
         m.make_file("disk/other");
         m.rename("file", "disk/file");
         m.rename("file", "disk/other");
         m.rename("disk/other", "file");
         m.rename("file", "disk/other", RENAME_EXCHANGE);
         m.link("file", "disk/file");
         m.rename("disk", "moved");
         m.rmdir("disk");
         m.list(".");
         m.list("disk");
       },
       R"(
rename file disk/file -> EXDEV
rename file disk/other -> EXDEV
rename disk/other file -> EXDEV
rename file disk/other RENAME_EXCHANGE -> EXDEV
link file disk/file -> EXDEV
rename disk moved -> EBUSY
rmdir disk -> EBUSY
. entries -> ../ ./ disk/ file
disk entries -> ../ ./ other
)",
       needs::small_disk},
  };
}

}  // namespace lockstep::files
