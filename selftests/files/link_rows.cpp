// Several names of one file, and symbolic links.
// Source: link(2), symlink(2), readlink(2), symlink(7).
#include "rows.hpp"

#include <string>

namespace lockstep::files {

std::vector<row> link_rows() {
  return {
      {"H1", "a second name",
       [](machine& m) {
         m.make_file("a", "text");
         m.link("a", "b");
         m.status("a");
         m.status("b");
         descriptor f = m.opened("b");
         f.write("T");
         m.content("a");
         m.chmod("a", 0600);
         m.status("b");
         m.make_folder("folder");
         m.link("b", "folder/c");
         m.status("folder/c");
       },
       R"(
link a b -> 0
stat a -> regular, 4 bytes, 2 links, 0644
stat b -> regular, 4 bytes, 2 links, 0644
f write "T" -> 1
a content -> "Text"
chmod a 0600 -> 0
stat b -> regular, 4 bytes, 2 links, 0600
link b folder/c -> 0
stat folder/c -> regular, 4 bytes, 3 links, 0600
)"},
      {"H1", "what cannot have one",
       [](machine& m) {
         m.make_file("a");
         m.make_file("b");
         m.make_folder("folder");
         m.link("folder", "c");
         m.link("missing", "c");
         m.link("a", "b");
         m.link("a", "a");
         m.link("a", "folder");
         m.link("a", "missing/c");
         m.link("a", "b/c");
         m.link("a/", "c");
         m.link("a", "c/");
         m.link("", "c");
         m.link("a", "");
         m.link("a", std::string(256, 'n'));
         m.says("linkat with flag 1", m.calls().linkat(AT_FDCWD, "a", AT_FDCWD, "c", 1));
         m.list(".");
       },
       R"(
link folder c -> EPERM
link missing c -> ENOENT
link a b -> EEXIST
link a a -> EEXIST
link a folder -> EEXIST
link a missing/c -> ENOENT
link a b/c -> ENOTDIR
link a/ c -> ENOTDIR
link a c/ -> ENOENT
link "" c -> ENOENT
link a "" -> ENOENT
link a <256 characters> -> ENAMETOOLONG
linkat with flag 1 -> EINVAL
. entries -> ../ ./ a b folder/
)"},
      {"H1", "of a link or of what it leads to",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_link("file", "link");
         m.link("link", "same link");
         m.status("same link", AT_SYMLINK_NOFOLLOW);
         m.link("link", "same file", AT_SYMLINK_FOLLOW);
         m.status("same file", AT_SYMLINK_NOFOLLOW);
         m.make_link("nowhere", "dangling");
         m.link("dangling", "x", AT_SYMLINK_FOLLOW);
         m.link("dangling", "y");
         m.link("file", "dangling");
         m.make_folder("folder");
         m.make_link("folder", "to folder");
         m.link("to folder", "z", AT_SYMLINK_FOLLOW);
         m.list(".");
       },
       R"(
link link same link -> 0
lstat same link -> link, 4 bytes, 2 links, 0777
link link same file AT_SYMLINK_FOLLOW -> 0
lstat same file -> regular, 4 bytes, 2 links, 0644
link dangling x AT_SYMLINK_FOLLOW -> ENOENT
link dangling y -> 0
link file dangling -> EEXIST
link to folder z AT_SYMLINK_FOLLOW -> EPERM
. entries -> ../ ./ dangling@ file folder/ link@ same file same link@ to folder@ y@
)"},
      {"H1", "of a file that has lost its name",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor folder = m.opened(".", O_RDONLY, "folder");
         m.says("link of f", m.calls().linkat(f.number(), "", AT_FDCWD, "second", AT_EMPTY_PATH));
         m.unlink("file");
         m.unlink("second");
         m.says("link of f without names", m.calls().linkat(f.number(), "", AT_FDCWD, "third", AT_EMPTY_PATH));
         m.says("link of folder", m.calls().linkat(folder.number(), "", AT_FDCWD, "fourth", AT_EMPTY_PATH));
         m.list(".");
       },
       R"(
link of f -> 0
unlink file -> 0
unlink second -> 0
link of f without names -> ENOENT
link of folder -> EPERM
. entries -> ../ ./
)",
       needs::root},
      {"H2", "what a symbolic link is",
       [](machine& m) {
         m.symlink("some/where", "link");
         m.status("link", AT_SYMLINK_NOFOLLOW);
         m.readlink("link");
         m.readlink("link", 4);
         m.readlink("link", 1);
         m.readlink("link", 0);
         m.open("f", "link", O_RDONLY);
         m.list(".");
       },
       R"(
symlink some/where link -> 0
lstat link -> link, 10 bytes, 1 link, 0777
readlink link -> some/where
readlink link with 4 bytes -> some
readlink link with 1 bytes -> s
readlink link with 0 bytes -> EINVAL
open link O_RDONLY -> ENOENT
. entries -> ../ ./ link@
)"},
      {"H2", "links that cannot be made",
       [](machine& m) {
         m.make_file("file");
         m.make_link("nowhere", "dangling");
         m.symlink("", "link");
         m.symlink("x", "file");
         m.symlink("x", "dangling");
         m.symlink("x", ".");
         m.symlink("x", "");
         m.symlink("x", "missing/link");
         m.symlink("x", "file/link");
         m.symlink("x", "link/");
         m.symlink("x", std::string(256, 'n'));
         m.symlink(std::string(4095, 'x'), "longest");
         m.symlink(std::string(4096, 'x'), "longer");
         m.list(".");
       },
       R"(
symlink "" link -> ENOENT
symlink x file -> EEXIST
symlink x dangling -> EEXIST
symlink x . -> EEXIST
symlink x "" -> ENOENT
symlink x missing/link -> ENOENT
symlink x file/link -> ENOTDIR
symlink x link/ -> ENOENT
symlink x <256 characters> -> ENAMETOOLONG
symlink <4095 characters> longest -> 0
symlink <4096 characters> longer -> ENAMETOOLONG
. entries -> ../ ./ dangling@ file longest@
)",
       needs::ext4},
      {"H2", "reading what is no link",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         m.make_link("folder", "link");
         m.readlink("file");
         m.readlink("folder");
         m.readlink("link/");
         m.readlink("missing");
         m.readlink("file/x");
         m.readlink("");
       },
       R"(
readlink file -> EINVAL
readlink folder -> EINVAL
readlink link/ -> EINVAL
readlink missing -> ENOENT
readlink file/x -> ENOTDIR
readlink "" -> ENOENT
)"},
      {"H2", "a link is read from its own directory",
       [](machine& m) {
         m.make_folder("folder");
         m.make_file("folder/file", "inside");
         m.make_file("file", "outside");
         m.symlink("file", "folder/link");
         m.symlink("../file", "folder/up");
         m.content("folder/link");
         m.content("folder/up");
         m.rename("folder/up", "up");
         m.open("f", "up", O_RDONLY);
       },
       R"(
symlink file folder/link -> 0
symlink ../file folder/up -> 0
folder/link content -> "inside"
folder/up content -> "outside"
rename folder/up up -> 0
open up O_RDONLY -> ENOENT
)"},
      {"H2", "a chain of links to directories",
       [](machine& m) {
         m.make_folder("a");
         m.make_folder("a/b");
         m.make_file("a/b/file", "text");
         m.make_link("a", "one");
         m.make_link("one/b", "two");
         m.make_link("..", "a/b/up");
         m.content("two/file");
         m.content("two/up/b/file");
         m.content("two/../b/file");
         m.list("two/up");
       },
       R"(
two/file content -> "text"
two/up/b/file content -> "text"
two/../b/file content -> "text"
two/up entries -> ../ ./ b/
)"},
      {"H2", "a link that says nothing but slashes and dots",
       [](machine& m) {
         m.make_file("file", "text");
         m.make_link(".", "dot");
         m.make_link("./dot/./file", "far");
         m.make_link("file/", "slash");
         m.content("dot/dot/file");
         m.content("far");
         m.content("slash");
         m.rmdir("dot");
         m.unlink("dot/");
         m.unlink("dot/dot/far");
         m.list("dot");
       },
       R"(
dot/dot/file content -> "text"
far content -> "text"
slash content -> ENOTDIR
rmdir dot -> ENOTDIR
unlink dot/ -> ENOTDIR
unlink dot/dot/far -> 0
dot entries -> ../ ./ dot@ file slash@
)"},
      {"H2", "what is done to a link",
       [](machine& m) {
         m.make_file("file", "text", 0644);
         m.make_link("file", "link");
         m.chmod("link", 0600);
         m.status("file");
         m.status("link", AT_SYMLINK_NOFOLLOW);
         m.truncate("link", 1);
         m.content("file");
         m.make_link("nowhere", "dangling");
         m.chmod("dangling", 0600);
         m.truncate("dangling", 1);
         m.access("dangling", F_OK);
         m.chdir("dangling");
         m.mkdir("link/inner");
       },
       R"(
chmod link 0600 -> 0
stat file -> regular, 4 bytes, 1 link, 0600
lstat link -> link, 4 bytes, 1 link, 0777
truncate link 1 -> 0
file content -> "t"
chmod dangling 0600 -> ENOENT
truncate dangling 1 -> ENOENT
access dangling F_OK -> ENOENT
chdir dangling -> ENOENT
mkdir link/inner -> ENOTDIR
)"},
      {"H3", "the most links to follow, in directories too",
       [](machine& m) {
         m.make_folder("0");
         m.make_file("0/file", "text");
         for (int i = 1; i <= 20; ++i) m.make_link(std::to_string(i - 1), std::to_string(i));
         m.make_link("20/file", "short");
         m.content("20/file");
         m.content("20/../20/file");
         m.content("20/../20/../1/file");
         m.content("short");
       },
       R"(
20/file content -> "text"
20/../20/file content -> "text"
20/../20/../1/file content -> ELOOP
short content -> "text"
)"},
  };
}

}  // namespace lockstep::files
