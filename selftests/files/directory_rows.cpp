// What is in a directory, and what is known of a file system.
// Source: getdents(2), readdir(3), statfs(2).
#include "rows.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/magic.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace lockstep::files {
namespace {

std::string numbered(int number) { return fmt::format("file{:04}", number); }

std::int64_t read_entries(machine& m, const descriptor& of, std::size_t room) {
  std::string records(room, '?');
  return m.calls().getdents64(of.number(), records.data(), records.size());
}

}  // namespace

std::vector<row> directory_rows() {
  return {
      {"E1", "the entries of a directory",
       [](machine& m) {
         m.list(".");
         m.make_file("file");
         m.make_folder("folder");
         m.make_link("file", "link");
         m.list(".");
         std::map<std::string, std::string> kinds;
         for (const entry& each : m.opened(".", O_RDONLY, "here").entries()) {
           kinds[each.name] = each.kind == DT_DIR ? "DT_DIR" : each.kind == DT_REG ? "DT_REG" : "DT_LNK";
         }
         for (const auto& [name, kind] : kinds) m.says(name, kind);
       },
       R"(
. entries -> ../ ./
. entries -> ../ ./ file folder/ link@
. -> DT_DIR
.. -> DT_DIR
file -> DT_REG
folder -> DT_DIR
link -> DT_LNK
)"},
      {"E1", "the numbers of entries are those of files",
       [](machine& m) {
         m.make_file("file");
         m.make_folder("folder");
         descriptor here = m.opened(".", O_RDONLY, "here");
         std::string records(4096, '?');
         const std::int64_t size = m.calls().getdents64(here.number(), records.data(), records.size());
         std::map<std::string, std::string> same;
         for (std::int64_t at = 0; at < size;) {
           const auto* const each = reinterpret_cast<const dirent64*>(records.data() + at);
           same[each->d_name] = each->d_ino == m.stat(each->d_name).st_ino ? "the same" : "another";
           at += each->d_reclen;
         }
         for (const auto& [name, text] : same) m.says(name, text);
       },
       R"(
. -> the same
.. -> the same
file -> the same
folder -> the same
)",
       needs::ext4},
      {"E1", "many entries in pieces",
       [](machine& m) {
         constexpr int count = 300;
         for (int i = 0; i < count; ++i) m.make_file(numbered(i));
         for (const std::size_t room : {64U, 300U, 100'000U}) {
           std::multiset<std::string> names;
           for (const entry& each : m.opened(".", O_RDONLY, "here").entries(room)) names.insert(each.name);
           bool once = names.count(".") == 1 && names.count("..") == 1;
           for (int i = 0; i < count; ++i) once = once && names.count(numbered(i)) == 1;
           m.says(fmt::format("with {} bytes", room),
                  fmt::format("{} entries, {}", names.size(), once ? "each once" : "not each once"));
         }
       },
       R"(
with 64 bytes -> 302 entries, each once
with 300 bytes -> 302 entries, each once
with 100000 bytes -> 302 entries, each once
)"},
      {"E1", "sizes of records",
       [](machine& m) {
         m.make_folder("empty");
         m.make_file("a");
         m.make_file("abcde");
         m.make_file("abcdef");
         descriptor here = m.opened(".", O_RDONLY, "here");
         std::string records(4096, '?');
         const std::int64_t size = m.calls().getdents64(here.number(), records.data(), records.size());
         std::map<std::string, int> lengths;
         for (std::int64_t at = 0; at < size;) {
           const auto* const each = reinterpret_cast<const dirent64*>(records.data() + at);
           lengths[each->d_name] = each->d_reclen;
           at += each->d_reclen;
         }
         for (const auto& [name, length] : lengths) m.says(name, length);
         m.says("all", size);
         descriptor empty = m.opened("empty", O_RDONLY, "empty");
         m.says("empty", read_entries(m, empty, 4096));
         m.says("empty again", read_entries(m, empty, 4096));
       },
       R"(
. -> 24
.. -> 24
a -> 24
abcde -> 32
abcdef -> 32
empty -> 32
all -> 168
empty -> 48
empty again -> 0
)"},
      {"E1", "room for less than a record",
       [](machine& m) {
         m.make_file(std::string(200, 'n'));
         m.make_folder("empty");
         descriptor empty = m.opened("empty", O_RDONLY, "empty");
         m.says("with 0 bytes", read_entries(m, empty, 0));
         m.says("with 23 bytes", read_entries(m, empty, 23));
         m.says("with 24 bytes", read_entries(m, empty, 24));
         m.says("with 24 bytes", read_entries(m, empty, 24));
         m.says("with 24 bytes", read_entries(m, empty, 24));
         m.says("with 10 bytes", read_entries(m, empty, 10));
       },
       R"(
with 0 bytes -> EINVAL
with 23 bytes -> EINVAL
with 24 bytes -> 24
with 24 bytes -> 24
with 24 bytes -> 0
with 10 bytes -> 0
)"},
      {"E1", "what has no entries",
       [](machine& m) {
         m.make_file("file");
         m.says("a file", read_entries(m, m.opened("file", O_RDONLY, "file"), 4096));
         auto [reader, writer] = m.pipe();
         m.says("a pipe", read_entries(m, reader, 4096));
         m.says("a place", read_entries(m, m.opened(".", O_PATH, "place"), 4096));
       },
       R"(
a file -> ENOTDIR
a pipe -> ENOTDIR
a place -> EBADF
)"},
      {"E2", "from the begin again",
       [](machine& m) {
         m.make_file("a");
         descriptor here = m.opened(".", O_RDONLY, "here");
         here.list();
         here.list();
         m.make_file("b");
         here.list();
         here.seek(0, SEEK_SET);
         here.list();
         m.unlink("a");
         here.seek(0, SEEK_SET);
         here.list();
       },
       R"(
here entries -> ../ ./ a
here entries -> none
here entries -> none
here lseek 0 SEEK_SET -> 0
here entries -> ../ ./ a b
unlink a -> 0
here lseek 0 SEEK_SET -> 0
here entries -> ../ ./ b
)"},
      {"E2", "an offset leads back to where it was",
       [](machine& m) {
         for (int i = 0; i < 20; ++i) m.make_file(numbered(i));
         descriptor here = m.opened(".", O_RDONLY, "here");
         read_entries(m, here, 200);
         const std::int64_t middle = m.calls().lseek(here.number(), 0, SEEK_CUR);
         const auto names = [&] {
           std::string text;
           for (const entry& each : here.entries()) text += each.name + " ";
           return text;
         };
         const std::string first = names();
         m.says("back", m.calls().lseek(here.number(), middle, SEEK_SET) == middle ? "the same offset" : "another");
         m.says("the rest", names() == first ? "the same" : "another");
       },
       R"(
back -> the same offset
the rest -> the same
)"},
      {"E2", "duplicates go through it together",
       [](machine& m) {
         m.make_file("a");
         descriptor here = m.opened(".", O_RDONLY, "here");
         descriptor copy = m.named(m.calls().dup(here.number()), "copy");
         here.list();
         copy.list();
         m.opened(".", O_RDONLY, "other").list();
       },
       R"(
here entries -> ../ ./ a
copy entries -> none
other entries -> ../ ./ a
)"},
      {"E2", "reading it as a file at its end",
       [](machine& m) {
         descriptor f = m.opened(".", O_RDONLY | O_DIRECTORY);
         f.readv({1, 1});
         f.read(1);
         f.list();
         f.readv({1, 1});
         f.read(1);
         f.read(0);
         f.pread(1, 0);
         f.seek(0, SEEK_SET);
         f.readv({1, 1});
         f.read(1);
       },
       R"(
f readv 1+1 -> EISDIR
f read 1 -> EISDIR
f entries -> ../ ./
f readv 1+1 -> EINVAL
f read 1 -> EINVAL
f read 0 -> EISDIR
f pread 1 at 0 -> EISDIR
f lseek 0 SEEK_SET -> 0
f readv 1+1 -> EISDIR
f read 1 -> EISDIR
)",
       needs::ext4},
      {"E2", "what was there all along is seen once",
       [](machine& m) {
         constexpr int count = 100;
         for (int i = 0; i < count; ++i) m.make_file(numbered(i));
         descriptor here = m.opened(".", O_RDONLY, "here");
         std::multiset<std::string> seen;
         std::string records(256, '?');
         for (int turn = 0;; ++turn) {
           const std::int64_t size = m.calls().getdents64(here.number(), records.data(), records.size());
           if (size <= 0) break;
           for (std::int64_t at = 0; at < size;) {
             const auto* const each = reinterpret_cast<const dirent64*>(records.data() + at);
             seen.insert(each->d_name);
             at += each->d_reclen;
           }
           if (turn < 10) m.must("unlink", m.calls().unlinkat(AT_FDCWD, numbered(turn * 2).c_str(), 0));
           if (turn < 10) m.make_file("new" + std::to_string(turn));
         }
         bool once = true;
         for (int i = 0; i < count; ++i) {
           const std::size_t times = seen.count(numbered(i));
           once = once && (times == 1 || (times == 0 && i < 20 && i % 2 == 0));
         }
         m.says("those that stayed", once ? "each once" : "not each once");
       },
       R"(
those that stayed -> each once
)"},
      {"G1", "what is known of a file system",
       [](machine& m) {
         struct statfs is {};
         m.make_file("file");
         m.says("statfs .", m.calls().statfs(".", &is));
         m.says("f_namelen", is.f_namelen);
         m.says("f_bsize", is.f_bsize);
         m.says("f_type", is.f_type == EXT4_SUPER_MAGIC ? "EXT4_SUPER_MAGIC" : "another");
         m.says("f_bfree <= f_blocks", is.f_bfree <= is.f_blocks && is.f_bavail <= is.f_bfree ? "yes" : "no");
         m.says("f_ffree <= f_files", is.f_ffree <= is.f_files ? "yes" : "no");
         m.says("statfs missing", m.calls().statfs("missing", &is));
         m.says("statfs file/x", m.calls().statfs("file/x", &is));
         m.says("statfs of nothing", m.calls().statfs("", &is));
         m.says("fstatfs", m.calls().fstatfs(m.opened("file").number(), &is));
         m.says("fstatfs f_namelen", is.f_namelen);
       },
       R"(
statfs . -> 0
f_namelen -> 255
f_bsize -> 4096
f_type -> EXT4_SUPER_MAGIC
f_bfree <= f_blocks -> yes
f_ffree <= f_files -> yes
statfs missing -> ENOENT
statfs file/x -> ENOTDIR
statfs of nothing -> ENOENT
fstatfs -> 0
fstatfs f_namelen -> 255
)",
       needs::ext4},
      {"G1", "what files take of it",
       [](machine& m) {
         m.mount_small_disk("disk", 1 << 20, 50);
         struct statfs before {};
         const auto tell = [&](const std::string& what) {
           struct statfs is {};
           m.must("statfs", m.calls().statfs("disk", &is));
           m.says(what, fmt::format("{} blocks, {} files", static_cast<std::int64_t>(before.f_bfree - is.f_bfree),
                                    static_cast<std::int64_t>(before.f_ffree - is.f_ffree)));
         };
         m.must("statfs", m.calls().statfs("disk", &before));
         m.says("at first", fmt::format("{} of {} blocks of {}, {} of {} files", before.f_bfree, before.f_blocks,
                                        before.f_bsize, before.f_ffree, before.f_files));
         m.make_file("disk/file", std::string(10'000, 'x'));
         tell("a file of 10,000 bytes");
         descriptor f = m.opened("disk/file");
         f.truncate(1'000);
         tell("1,000 bytes of it");
         f.pwrite("x", 500'000);
         tell("a byte behind a hole");
         m.unlink("disk/file");
         tell("no name");
         f.close();
         tell("nobody");
       },
       R"(
at first -> 256 of 256 blocks of 4096, 49 of 50 files
a file of 10,000 bytes -> 3 blocks, 1 files
f ftruncate 1000 -> 0
1,000 bytes of it -> 1 blocks, 1 files
f pwrite "x" at 500000 -> 1
a byte behind a hole -> 2 blocks, 1 files
unlink disk/file -> 0
no name -> 2 blocks, 1 files
f close -> 0
nobody -> 0 blocks, 0 files
)",
       needs::small_disk},
  };
}

}  // namespace lockstep::files
