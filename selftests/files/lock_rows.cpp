// Locks: of a process, of an open file, and of flock(). Where a process's lock meets another, that is an open file's,
// as one process has all descriptors.
// Source: fcntl(2), flock(2), fcntl_locking(2).
#include "rows.hpp"

#include <sys/file.h>

#include <cstdint>
#include <limits>
#include <string>

namespace lockstep::files {
namespace {

// The parts that are locked by somebody else, as `by` sees it, one after the other.
void tell_locks(machine& m, const descriptor& by, int command = F_OFD_GETLK) {
  std::string text;
  for (std::int64_t at = 0; at >= 0;) {
    struct flock how {};
    how.l_type = F_WRLCK;
    how.l_whence = SEEK_SET;
    how.l_start = at;
    const int result = m.calls().fcntl(by.number(), command, reinterpret_cast<std::intptr_t>(&how));
    if (result < 0) m.ends(by.name() + " F_GETLK: " + result_text(result));
    if (how.l_type == F_UNLCK) break;
    text += std::string(text.empty() ? "" : ", ") + (how.l_type == F_RDLCK ? "read " : "write ") +
            std::to_string(how.l_start) + (how.l_len == 0 ? "-" : "-" + std::to_string(how.l_start + how.l_len - 1));
    at = how.l_len == 0 ? -1 : how.l_start + how.l_len;
  }
  m.says("locks that " + by.name() + " sees", text.empty() ? "none" : text);
}

}  // namespace

std::vector<row> lock_rows() {
  return {
      {"K1", "a process has nothing against itself",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.lock(F_SETLK, F_WRLCK, 0, 0);
         g.lock(F_SETLK, F_WRLCK, 0, 0);
         g.lock(F_GETLK, F_WRLCK, 0, 0);
         g.lock(F_OFD_GETLK, F_WRLCK, 0, 0);
         g.lock(F_SETLK, F_UNLCK, 0, 0);
         f.lock(F_OFD_GETLK, F_WRLCK, 0, 0);
       },
       R"(
file F_SETLK F_WRLCK 0 0 -> 0
g F_SETLK F_WRLCK 0 0 -> 0
g F_GETLK F_WRLCK 0 0 -> F_UNLCK
g F_OFD_GETLK F_WRLCK 0 0 -> F_WRLCK 0 0 of a process
g F_SETLK F_UNLCK 0 0 -> 0
file F_OFD_GETLK F_WRLCK 0 0 -> F_UNLCK
)"},
      {"K1", "locks of the process go when any descriptor is closed",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDONLY, "g");
         descriptor watcher = m.opened("file", O_RDWR, "watcher");
         f.lock(F_SETLK, F_WRLCK, 0, 2);
         f.lock(F_SETLK, F_RDLCK, 5, 1);
         tell_locks(m, watcher);
         g.close();
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, 0, 2);
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         copy.close();
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, 0, 2);
         m.make_file("other");
         m.opened("other", O_RDWR, "other").close();
         tell_locks(m, watcher);
       },
       R"(
file F_SETLK F_WRLCK 0 2 -> 0
file F_SETLK F_RDLCK 5 1 -> 0
locks that watcher sees -> write 0-1, read 5-5
g close -> 0
locks that watcher sees -> none
file F_SETLK F_WRLCK 0 2 -> 0
copy close -> 0
locks that watcher sees -> none
file F_SETLK F_WRLCK 0 2 -> 0
other close -> 0
locks that watcher sees -> write 0-1
)"},
      {"K1", "by another name of the file too",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         m.link("file", "link");
         descriptor watcher = m.opened("link", O_RDWR, "watcher");
         f.lock(F_SETLK, F_WRLCK, 0, 0);
         tell_locks(m, watcher);
         m.rename("file", "moved");
         m.unlink("link");
         m.unlink("moved");
         tell_locks(m, watcher);
       },
       R"(
link file link -> 0
file F_SETLK F_WRLCK 0 0 -> 0
locks that watcher sees -> write 0-
rename file moved -> 0
unlink link -> 0
unlink moved -> 0
locks that watcher sees -> write 0-
)"},
      {"K2", "locks of open files",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 10);
         g.lock(F_OFD_SETLK, F_WRLCK, 0, 10);
         g.lock(F_OFD_SETLK, F_RDLCK, 9, 1);
         g.lock(F_OFD_SETLK, F_WRLCK, 10, 1);
         g.lock(F_OFD_GETLK, F_RDLCK, 0, 0);
         f.lock(F_OFD_GETLK, F_RDLCK, 0, 0);
         f.lock(F_OFD_SETLK, F_UNLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_WRLCK, 0, 10);
       },
       R"(
file F_OFD_SETLK F_WRLCK 0 10 -> 0
g F_OFD_SETLK F_WRLCK 0 10 -> EAGAIN
g F_OFD_SETLK F_RDLCK 9 1 -> EAGAIN
g F_OFD_SETLK F_WRLCK 10 1 -> 0
g F_OFD_GETLK F_RDLCK 0 0 -> F_WRLCK 0 10 of an open file
file F_OFD_GETLK F_RDLCK 0 0 -> F_WRLCK 10 1 of an open file
file F_OFD_SETLK F_UNLCK 0 0 -> 0
g F_OFD_SETLK F_WRLCK 0 10 -> 0
)"},
      {"K2", "they belong to all duplicates",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor watcher = m.opened("file", O_RDWR, "watcher");
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 10);
         copy.lock(F_OFD_SETLK, F_RDLCK, 0, 5);
         tell_locks(m, watcher);
         f.close();
         tell_locks(m, watcher);
         m.opened("file", O_RDONLY, "other").close();
         tell_locks(m, watcher);
         copy.close();
         tell_locks(m, watcher);
       },
       R"(
file F_OFD_SETLK F_WRLCK 0 10 -> 0
copy F_OFD_SETLK F_RDLCK 0 5 -> 0
locks that watcher sees -> read 0-4, write 5-9
file close -> 0
locks that watcher sees -> read 0-4, write 5-9
other close -> 0
locks that watcher sees -> read 0-4, write 5-9
copy close -> 0
locks that watcher sees -> none
)"},
      {"K2", "against those of the process",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 4);
         f.lock(F_SETLK, F_WRLCK, 0, 1);
         g.lock(F_SETLK, F_RDLCK, 3, 3);
         g.lock(F_SETLK, F_RDLCK, 4, 4);
         f.lock(F_OFD_SETLK, F_WRLCK, 6, 1);
         f.lock(F_OFD_SETLK, F_RDLCK, 6, 1);
         f.lock(F_GETLK, F_WRLCK, 0, 0);
         g.lock(F_OFD_GETLK, F_WRLCK, 6, 0);
       },
       R"(
file F_OFD_SETLK F_WRLCK 0 4 -> 0
file F_SETLK F_WRLCK 0 1 -> EAGAIN
g F_SETLK F_RDLCK 3 3 -> EAGAIN
g F_SETLK F_RDLCK 4 4 -> 0
file F_OFD_SETLK F_WRLCK 6 1 -> EAGAIN
file F_OFD_SETLK F_RDLCK 6 1 -> 0
file F_GETLK F_WRLCK 0 0 -> F_WRLCK 0 4 of an open file
g F_OFD_GETLK F_WRLCK 6 0 -> F_RDLCK 6 1 of an open file
)"},
      {"K2", "none of them waits",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         f.lock(F_OFD_SETLKW, F_WRLCK, 0, 0);
         f.lock(F_SETLKW, F_RDLCK, 0, 1);
         m.opened("file", O_RDWR, "g").lock(F_OFD_SETLKW, F_RDLCK, 0, 1);
         f.lock(F_OFD_SETLKW, F_UNLCK, 0, 0);
         f.lock(F_SETLKW, F_RDLCK, 0, 1);
       },
       R"(
file F_OFD_SETLKW F_WRLCK 0 0 -> 0
file F_SETLKW F_RDLCK 0 1 -> EAGAIN
g F_OFD_SETLKW F_RDLCK 0 1 -> EAGAIN
file F_OFD_SETLKW F_UNLCK 0 0 -> 0
file F_SETLKW F_RDLCK 0 1 -> 0
)"},
      {"K3", "parts that are unlocked, joined and changed",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor watcher = m.opened("file", O_RDWR, "watcher");
         f.lock(F_SETLK, F_WRLCK, 0, 30);
         f.lock(F_SETLK, F_UNLCK, 10, 10);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_RDLCK, 5, 20);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, 5, 20);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, 30, 5);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_UNLCK, 3, 0);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_UNLCK, 0, 0);
         tell_locks(m, watcher);
       },
       R"(
file F_SETLK F_WRLCK 0 30 -> 0
file F_SETLK F_UNLCK 10 10 -> 0
locks that watcher sees -> write 0-9, write 20-29
file F_SETLK F_RDLCK 5 20 -> 0
locks that watcher sees -> write 0-4, read 5-24, write 25-29
file F_SETLK F_WRLCK 5 20 -> 0
locks that watcher sees -> write 0-29
file F_SETLK F_WRLCK 30 5 -> 0
locks that watcher sees -> write 0-34
file F_SETLK F_UNLCK 3 0 -> 0
locks that watcher sees -> write 0-2
file F_SETLK F_UNLCK 0 0 -> 0
locks that watcher sees -> none
)"},
      {"K3", "ranges by other ends",
       [](machine& m) {
         descriptor f = m.made("file", "1234567890");
         descriptor watcher = m.opened("file", O_RDWR, "watcher");
         f.seek(4, SEEK_SET);
         f.lock(F_SETLK, F_WRLCK, 1, 2, SEEK_CUR);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, -1, 3, SEEK_END);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_WRLCK, 3, -2);
         tell_locks(m, watcher);
         f.lock(F_SETLK, F_UNLCK, 0, 0);
         f.lock(F_SETLK, F_WRLCK, 0, 0, SEEK_END);
         f.write("more");
         f.truncate(2);
         tell_locks(m, watcher);
       },
       R"(
file lseek 4 SEEK_SET -> 4
file F_SETLK F_WRLCK 1 2 SEEK_CUR -> 0
locks that watcher sees -> write 5-6
file F_SETLK F_WRLCK -1 3 SEEK_END -> 0
locks that watcher sees -> write 5-6, write 9-11
file F_SETLK F_WRLCK 3 -2 -> 0
locks that watcher sees -> write 1-2, write 5-6, write 9-11
file F_SETLK F_UNLCK 0 0 -> 0
file F_SETLK F_WRLCK 0 0 SEEK_END -> 0
file write "more" -> 4
file ftruncate 2 -> 0
locks that watcher sees -> write 10-
)"},
      {"K3", "ranges that there are not",
       [](machine& m) {
         constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
         descriptor f = m.made("file", "text");
         f.lock(F_SETLK, F_WRLCK, -1, 1);
         f.lock(F_SETLK, F_WRLCK, 2, -3);
         f.lock(F_SETLK, F_WRLCK, 2, -2);
         f.lock(F_SETLK, F_WRLCK, most, 1);
         f.lock(F_SETLK, F_WRLCK, most, 2);
         f.lock(F_SETLK, F_WRLCK, most, 1, SEEK_END);
         f.lock(F_SETLK, F_WRLCK, 0, 1, 99);
         f.lock(F_SETLK, 99, 0, 1);
         f.lock(F_GETLK, F_UNLCK, 0, 1);
         tell_locks(m, m.opened("file", O_RDWR, "watcher"));
       },
       R"(
file F_SETLK F_WRLCK -1 1 -> EINVAL
file F_SETLK F_WRLCK 2 -3 -> EINVAL
file F_SETLK F_WRLCK 2 -2 -> 0
file F_SETLK F_WRLCK 9223372036854775807 1 -> 0
file F_SETLK F_WRLCK 9223372036854775807 2 -> EOVERFLOW
file F_SETLK F_WRLCK 9223372036854775807 1 SEEK_END -> EOVERFLOW
file F_SETLK F_WRLCK 0 1 an unknown whence -> EINVAL
file F_SETLK 99 0 1 -> EINVAL
file F_GETLK F_UNLCK 0 1 -> EINVAL
locks that watcher sees -> write 0-1, write 9223372036854775807-
)"},
      {"K3", "an open file's lock has no process",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         struct flock how {};
         how.l_type = F_WRLCK;
         how.l_pid = 1;
         m.says("F_OFD_SETLK", m.calls().fcntl(f.number(), F_OFD_SETLK, reinterpret_cast<std::intptr_t>(&how)));
         m.says("F_OFD_GETLK", m.calls().fcntl(f.number(), F_OFD_GETLK, reinterpret_cast<std::intptr_t>(&how)));
         m.says("F_SETLK", m.calls().fcntl(f.number(), F_SETLK, reinterpret_cast<std::intptr_t>(&how)));
       },
       R"(
F_OFD_SETLK -> EINVAL
F_OFD_GETLK -> EINVAL
F_SETLK -> 0
)"},
      {"K3", "readers share, until one would write",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_UNLCK, 0, 0);
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
         f.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
       },
       R"(
file F_OFD_SETLK F_RDLCK 0 0 -> 0
g F_OFD_SETLK F_RDLCK 0 0 -> 0
file F_OFD_SETLK F_WRLCK 0 0 -> EAGAIN
g F_OFD_SETLK F_UNLCK 0 0 -> 0
file F_OFD_SETLK F_WRLCK 0 0 -> 0
g F_OFD_SETLK F_RDLCK 0 0 -> EAGAIN
file F_OFD_SETLK F_RDLCK 0 0 -> 0
g F_OFD_SETLK F_RDLCK 0 0 -> 0
)"},
      {"K3", "who writes must have it open for that",
       [](machine& m) {
         m.make_file("file", "text");
         descriptor reader = m.opened("file", O_RDONLY, "reader");
         descriptor writer = m.opened("file", O_WRONLY, "writer");
         reader.lock(F_SETLK, F_WRLCK, 0, 0);
         reader.lock(F_SETLK, F_RDLCK, 0, 0);
         writer.lock(F_SETLK, F_RDLCK, 0, 0);
         writer.lock(F_SETLK, F_WRLCK, 0, 0);
         reader.lock(F_OFD_SETLK, F_WRLCK, 0, 0);
         writer.lock(F_OFD_SETLK, F_RDLCK, 0, 0);
         reader.lock(F_SETLK, F_UNLCK, 0, 0);
         reader.lock(F_GETLK, F_WRLCK, 0, 0);
         m.named(-1, "minus one").lock(F_SETLK, F_WRLCK, 0, 0);
       },
       R"(
reader F_SETLK F_WRLCK 0 0 -> EBADF
reader F_SETLK F_RDLCK 0 0 -> 0
writer F_SETLK F_RDLCK 0 0 -> EBADF
writer F_SETLK F_WRLCK 0 0 -> 0
reader F_OFD_SETLK F_WRLCK 0 0 -> EBADF
writer F_OFD_SETLK F_RDLCK 0 0 -> EBADF
reader F_SETLK F_UNLCK 0 0 -> 0
reader F_GETLK F_WRLCK 0 0 -> F_UNLCK
minus one F_SETLK F_WRLCK 0 0 -> EBADF
)"},
      {"K3", "of what is no file",
       [](machine& m) {
         m.make_folder("folder");
         descriptor folder = m.opened("folder", O_RDONLY, "folder");
         folder.lock(F_SETLK, F_RDLCK, 0, 0);
         folder.lock(F_SETLK, F_WRLCK, 0, 0);
         folder.flock(LOCK_EX);
         auto [reader, writer] = m.pipe();
         writer.lock(F_SETLK, F_WRLCK, 0, 0);
         reader.lock(F_SETLK, F_RDLCK, 0, 0);
         writer.flock(LOCK_EX);
         m.opened("folder", O_PATH, "place").flock(LOCK_EX);
       },
       R"(
folder F_SETLK F_RDLCK 0 0 -> 0
folder F_SETLK F_WRLCK 0 0 -> EBADF
folder flock LOCK_EX -> 0
writer F_SETLK F_WRLCK 0 0 -> 0
reader F_SETLK F_RDLCK 0 0 -> 0
writer flock LOCK_EX -> 0
place flock LOCK_EX -> EBADF
)"},
      {"K4", "flock of two open files",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDONLY, "g");
         f.flock(LOCK_SH);
         g.flock(LOCK_SH);
         f.flock(LOCK_EX);
         g.flock(LOCK_EX);
         f.flock(LOCK_UN);
         g.flock(LOCK_EX);
         f.flock(LOCK_SH);
         g.flock(LOCK_UN);
         f.flock(LOCK_SH);
         f.flock(LOCK_UN);
         f.flock(LOCK_UN);
       },
       R"(
file flock LOCK_SH -> 0
g flock LOCK_SH -> 0
file flock LOCK_EX -> EAGAIN
g flock LOCK_EX -> 0
file flock LOCK_UN -> 0
g flock LOCK_EX -> 0
file flock LOCK_SH -> EAGAIN
g flock LOCK_UN -> 0
file flock LOCK_SH -> 0
file flock LOCK_UN -> 0
file flock LOCK_UN -> 0
)"},
      {"K4", "who cannot make it stronger has lost it",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDONLY, "g");
         descriptor h = m.opened("file", O_RDONLY, "h");
         f.flock(LOCK_SH);
         g.flock(LOCK_SH);
         f.flock(LOCK_EX);
         g.flock(LOCK_UN);
         h.flock(LOCK_EX);
         h.flock(LOCK_SH);
         f.flock(LOCK_SH);
       },
       R"(
file flock LOCK_SH -> 0
g flock LOCK_SH -> 0
file flock LOCK_EX -> EAGAIN
g flock LOCK_UN -> 0
h flock LOCK_EX -> 0
h flock LOCK_SH -> 0
file flock LOCK_SH -> 0
)"},
      {"K4", "flock belongs to all duplicates",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDONLY, "g");
         descriptor copy = m.named(m.calls().dup(f.number()), "copy");
         f.flock(LOCK_EX);
         copy.flock(LOCK_EX);
         f.close();
         g.flock(LOCK_SH);
         copy.close();
         g.flock(LOCK_SH);
         descriptor again = m.opened("file", O_RDONLY, "again");
         m.opened("file", O_RDONLY, "other").close();
         again.flock(LOCK_EX);
         descriptor twin = m.named(m.calls().dup(g.number()), "twin");
         twin.flock(LOCK_UN);
         again.flock(LOCK_EX);
       },
       R"(
file flock LOCK_EX -> 0
copy flock LOCK_EX -> 0
file close -> 0
g flock LOCK_SH -> EAGAIN
copy close -> 0
g flock LOCK_SH -> 0
other close -> 0
again flock LOCK_EX -> EAGAIN
twin flock LOCK_UN -> 0
again flock LOCK_EX -> 0
)"},
      {"K4", "flock and the others do not meet",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.flock(LOCK_EX);
         g.lock(F_SETLK, F_WRLCK, 0, 0);
         g.lock(F_SETLK, F_UNLCK, 0, 0);
         g.lock(F_OFD_SETLK, F_WRLCK, 0, 0);
         f.write("x");
         f.flock(LOCK_UN);
       },
       R"(
file flock LOCK_EX -> 0
g F_SETLK F_WRLCK 0 0 -> 0
g F_SETLK F_UNLCK 0 0 -> 0
g F_OFD_SETLK F_WRLCK 0 0 -> 0
file write "x" -> 1
file flock LOCK_UN -> 0
)"},
      {"K4", "operations that there are not",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         f.flock(0);
         f.flock(LOCK_NB);
         f.flock(LOCK_SH | LOCK_EX);
         f.flock(LOCK_SH | LOCK_NB);
         f.flock(0x100 | LOCK_SH);
       },
       R"(
file flock 0 -> EINVAL
file flock LOCK_NB -> EINVAL
file flock LOCK_SH|LOCK_EX -> EINVAL
file flock LOCK_SH|LOCK_NB -> 0
file flock LOCK_SH|0x100 -> EINVAL
)"},
      {"K4", "locks hinder nobody who does not ask",
       [](machine& m) {
         descriptor f = m.made("file", "text");
         descriptor g = m.opened("file", O_RDWR, "g");
         f.flock(LOCK_EX);
         f.lock(F_OFD_SETLK, F_WRLCK, 0, 0);
         g.write("T");
         g.read(9);
         g.truncate(1);
         m.rename("file", "moved");
         m.unlink("moved");
         f.content();
       },
       R"(
file flock LOCK_EX -> 0
file F_OFD_SETLK F_WRLCK 0 0 -> 0
g write "T" -> 1
g read 9 -> "ext"
g ftruncate 1 -> 0
rename file moved -> 0
unlink moved -> 0
file content -> "T"
)"},
  };
}

}  // namespace lockstep::files
