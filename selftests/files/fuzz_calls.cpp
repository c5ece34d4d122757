// The operations of fuzz_pair, one after another.
#include "fuzz_pair.hpp"

#include "tree.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>

#include <algorithm>

namespace lockstep::files {
namespace {

using enum operation_kind;

struct named_flag {
  int value;
  const char* text;
};
#define LOCKSTEP_FLAG(value) \
  { static_cast<int>(value), #value }

constexpr std::size_t sizes[] = {1, 10, 4096, 100, 0, 3, 511, 512, 4095, 4097, 8192, 10'000};
constexpr std::int64_t offsets[] = {0, 1, 4096, 5, 100, 512, 4095, 4097, 8192, 12'288, 50'000, -1};
constexpr mode_t modes[] = {0644, 0755, 0600, 0444, 0200, 0, 0666, 0111, 0777};
constexpr mode_t masks[] = {022, 0, 077, 0222};

constexpr named_flag open_flags[] = {
    LOCKSTEP_FLAG(O_RDWR | O_CREAT),
    LOCKSTEP_FLAG(O_RDWR),
    LOCKSTEP_FLAG(O_RDONLY),
    LOCKSTEP_FLAG(O_RDWR | O_CREAT | O_APPEND),
    LOCKSTEP_FLAG(O_WRONLY | O_CREAT | O_TRUNC),
    LOCKSTEP_FLAG(O_RDWR | O_CREAT | O_EXCL),
    LOCKSTEP_FLAG(O_RDONLY | O_DIRECTORY),
    LOCKSTEP_FLAG(O_RDONLY | O_NOFOLLOW),
    LOCKSTEP_FLAG(O_WRONLY),
    LOCKSTEP_FLAG(O_RDONLY | O_TRUNC),
    LOCKSTEP_FLAG(O_RDWR | O_TRUNC),
    LOCKSTEP_FLAG(O_RDONLY | O_CREAT),
    LOCKSTEP_FLAG(O_PATH),
    LOCKSTEP_FLAG(O_RDWR | O_TMPFILE),
    LOCKSTEP_FLAG(O_PATH | O_NOFOLLOW),
    LOCKSTEP_FLAG(O_WRONLY | O_CREAT | O_NOFOLLOW),
};
constexpr named_flag rename_flags[] = {
    {0, "0"}, {0, "0"}, LOCKSTEP_FLAG(RENAME_NOREPLACE), {0, "0"}, LOCKSTEP_FLAG(RENAME_EXCHANGE)};
constexpr named_flag whences[] = {LOCKSTEP_FLAG(SEEK_SET), LOCKSTEP_FLAG(SEEK_CUR), LOCKSTEP_FLAG(SEEK_END),
                                  LOCKSTEP_FLAG(SEEK_DATA), LOCKSTEP_FLAG(SEEK_HOLE)};
constexpr named_flag allocations[] = {LOCKSTEP_FLAG(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE),
                                      {0, "0"},
                                      LOCKSTEP_FLAG(FALLOC_FL_ZERO_RANGE),
                                      LOCKSTEP_FLAG(FALLOC_FL_KEEP_SIZE),
                                      LOCKSTEP_FLAG(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)};
constexpr named_flag lock_commands[] = {LOCKSTEP_FLAG(F_SETLK), LOCKSTEP_FLAG(F_OFD_SETLK)};
constexpr named_flag find_commands[] = {LOCKSTEP_FLAG(F_OFD_GETLK), LOCKSTEP_FLAG(F_GETLK)};
constexpr named_flag lock_types[] = {LOCKSTEP_FLAG(F_WRLCK), LOCKSTEP_FLAG(F_RDLCK), LOCKSTEP_FLAG(F_UNLCK)};
constexpr std::int64_t lock_lengths[] = {0, 10, 1, 100, 5, -1};
constexpr named_flag flock_operations[] = {LOCKSTEP_FLAG(LOCK_EX), LOCKSTEP_FLAG(LOCK_SH), LOCKSTEP_FLAG(LOCK_UN)};
constexpr named_flag accesses[] = {LOCKSTEP_FLAG(F_OK), LOCKSTEP_FLAG(R_OK), LOCKSTEP_FLAG(W_OK), LOCKSTEP_FLAG(X_OK)};
constexpr named_flag watched_events[] = {
    LOCKSTEP_FLAG(IN_ALL_EVENTS),           LOCKSTEP_FLAG(IN_CREATE | IN_DELETE | IN_MOVE),
    LOCKSTEP_FLAG(IN_MODIFY | IN_ATTRIB),   LOCKSTEP_FLAG(IN_DELETE_SELF | IN_MOVE_SELF),
    LOCKSTEP_FLAG(IN_MODIFY | IN_ONESHOT),  LOCKSTEP_FLAG(IN_CREATE | IN_ONLYDIR),
    LOCKSTEP_FLAG(IN_DELETE | IN_MASK_ADD),
};

template <class T, std::size_t Size>
const T& one_of(const T (&these)[Size], std::uint32_t number) {
  return these[number % Size];
}

std::string quoted(const std::string& name) {
  constexpr std::size_t shown_max = 60;
  return name.size() > shown_max ? fmt::format("std::string({}, '{}')", name.size(), name.front()) : "\"" + name + "\"";
}

std::string letters_text(const std::string& bytes) {
  return bytes.empty() ? "\"\"" : fmt::format("std::string({}, '{}')", bytes.size(), bytes.front());
}

}  // namespace

// -- names ------------------------------------------------------------------------------------------------------------

void fuzz_pair::run_open(const operation& what) {
  constexpr std::size_t handles_max = 16;
  if (handles_.size() >= handles_max) return;
  const std::string name = fresh_name();
  const named_flag& flags = one_of(open_flags, what.object);
  std::array<descriptor, 2> made;
  if (what.kind == open) {
    const bool is_new = (flags.value & O_CREAT) != 0;
    const std::string path =
        is_new ? new_name(what.subject) : old_name(what.subject, (flags.value & O_DIRECTORY) != 0 ? S_IFDIR : 0);
    const mode_t mode = one_of(modes, what.detail);
    do_both(fmt::format("descriptor {} = m.open(\"{}\", {}, {}, {:#o});", name, name, quoted(path), flags.text, mode),
            [&](machine& m, std::size_t arm) { made[arm] = m.open(name, path, flags.value, mode); });
    if (is_new) note_name(path, S_IFREG);
  } else {
    handle* const at = pick(what.subject, [](const handle& each) { return each.kind == what_is_open::directory; });
    const std::string path = inner_name_of(what.detail);
    do_both(
        fmt::format("descriptor {} = m.open_at({}, \"{}\", {}, {});", name, at->name, name, quoted(path), flags.text),
        [&](machine& m, std::size_t arm) { made[arm] = m.open_at(at->on[arm], name, path, flags.value); });
  }
  if (made[real].number() < 0) return;
  struct stat is {};
  on_[real]->calls().fstat(made[real].number(), &is);
  const bool is_place = (flags.value & O_PATH) != 0;
  add(made, is_place ? what_is_open::place : S_ISDIR(is.st_mode) ? what_is_open::directory : what_is_open::file);
}

void fuzz_pair::run_names(const operation& what) {
  const std::string second = new_name(what.object);
  switch (what.kind) {
    case mkdir: {
      const std::string path = new_name(what.subject);
      const mode_t mode = one_of(modes, what.detail % 4 == 3 ? what.detail : 1);
      do_both(fmt::format("m.mkdir({}, {:#o});", quoted(path), mode),
              [&](machine& m, std::size_t) { m.mkdir(path, mode); });
      note_name(path, S_IFDIR);
      break;
    }
    case symlink: {
      const std::string path = new_name(what.subject);
      const std::string target = target_of(what.object);
      do_both(fmt::format("m.symlink(\"{}\", {});", target, quoted(path)),
              [&](machine& m, std::size_t) { m.symlink(target, path); });
      note_name(path, S_IFLNK);
      break;
    }
    case rename: {
      const std::string path = old_name(what.subject);
      const named_flag& how = one_of(rename_flags, what.detail);
      do_both(fmt::format("m.rename({}, {}, {});", quoted(path), quoted(second), how.text),
              [&](machine& m, std::size_t) { m.rename(path, second, static_cast<unsigned>(how.value)); });
      note_name(second, kind_of_name(path));
      break;
    }
    case link: {
      const std::string path = old_name(what.subject, S_IFREG);
      const int flags = what.detail % 4 == 3 ? AT_SYMLINK_FOLLOW : 0;
      do_both(fmt::format("m.link({}, {}, {});", quoted(path), quoted(second), flags == 0 ? "0" : "AT_SYMLINK_FOLLOW"),
              [&](machine& m, std::size_t) { m.link(path, second, flags); });
      note_name(second, S_IFREG);
      break;
    }
    default: run_old_names(what); break;
  }
}

void fuzz_pair::run_old_names(const operation& what) {
  const std::string path = old_name(what.subject);
  const std::string folder = old_name(what.subject, S_IFDIR);
  const std::string link = old_name(what.subject, S_IFLNK);
  switch (what.kind) {
    case unlink:
      do_both(fmt::format("m.unlink({});", quoted(path)), [&](machine& m, std::size_t) { m.unlink(path); });
      break;
    case rmdir:
      do_both(fmt::format("m.rmdir({});", quoted(folder)), [&](machine& m, std::size_t) { m.rmdir(folder); });
      break;
    case readlink:
      do_both(fmt::format("m.readlink({});", quoted(link)), [&](machine& m, std::size_t) { m.readlink(link); });
      break;
    case list:
      do_both(fmt::format("m.list({});", quoted(folder)), [&](machine& m, std::size_t) { m.list(folder); });
      break;
    default: break;
  }
}

void fuzz_pair::run_attributes(const operation& what) {
  const std::string path = old_name(what.subject);
  const std::string q = quoted(path);
  switch (what.kind) {
    case status: {
      const int flags = what.detail % 2 == 0 ? 0 : AT_SYMLINK_NOFOLLOW;
      do_both(fmt::format("m.status({}, {});", q, flags == 0 ? "0" : "AT_SYMLINK_NOFOLLOW"),
              [&](machine& m, std::size_t) { m.status(path, flags); });
      break;
    }
    case access: {
      const named_flag& how = one_of(accesses, what.detail);
      do_both(fmt::format("m.access({}, {});", q, how.text),
              [&](machine& m, std::size_t) { m.access(path, how.value); });
      break;
    }
    case chmod: {
      const mode_t mode = one_of(modes, what.detail);
      do_both(fmt::format("m.chmod({}, {:#o});", q, mode), [&](machine& m, std::size_t) { m.chmod(path, mode); });
      break;
    }
    case truncate: {
      const std::int64_t size = one_of(offsets, what.detail);
      do_both(fmt::format("m.truncate({}, {});", q, size), [&](machine& m, std::size_t) { m.truncate(path, size); });
      break;
    }
    case set_times: {
      const std::int64_t seconds = set_times_begin + what.detail % (set_times_end - set_times_begin);
      do_both(fmt::format("m.set_times({}, {});", q, seconds),
              [&](machine& m, std::size_t) { m.set_times(path, seconds); });
      break;
    }
    case mask:
      mask_ = one_of(masks, what.detail);
      do_both(fmt::format("m.calls().umask({:#o});", mask_), [&](machine& m, std::size_t) { m.says("umask", "set"); });
      break;
    default: break;
  }
}

// -- open files -------------------------------------------------------------------------------------------------------

void fuzz_pair::run_data(const operation& what, handle& on) {
  const std::size_t size = one_of(sizes, what.detail);
  const std::int64_t offset = one_of(offsets, what.object);
  const std::string& name = on.name;
  switch (what.kind) {
    case read:
      do_both(fmt::format("{}.read({});", name, size), [&](machine&, std::size_t arm) { on.on[arm].read(size); });
      break;
    case pread:
      do_both(fmt::format("{}.pread({}, {});", name, size, offset),
              [&](machine&, std::size_t arm) { on.on[arm].pread(size, offset); });
      break;
    case readv:
      do_both(fmt::format("{}.readv({{{}, 5, 100}});", name, size), [&](machine&, std::size_t arm) {
        on.on[arm].readv({size, 5, 100});
      });
      break;
    case write: {
      const std::string bytes = letters(size);
      do_both(fmt::format("{}.write({});", name, letters_text(bytes)),
              [&](machine&, std::size_t arm) { on.on[arm].write(bytes); });
      break;
    }
    case pwrite: {
      const std::string bytes = letters(size);
      do_both(fmt::format("{}.pwrite({}, {});", name, letters_text(bytes), offset),
              [&](machine&, std::size_t arm) { on.on[arm].pwrite(bytes, offset); });
      break;
    }
    case writev: {
      const std::string one = letters(size);
      const std::string two = letters(3);
      do_both(fmt::format("{}.writev({{{}, {}}});", name, letters_text(one), letters_text(two)),
              [&](machine&, std::size_t arm) {
                on.on[arm].writev({one, two});
              });
      break;
    }
    default: break;
  }
}

// What was allocated and not written may become data when Linux writes what is beside it, so that holes are compared
// only before.
void fuzz_pair::run_size(const operation& what, handle& on) {
  const std::string& name = on.name;
  switch (what.kind) {
    case seek: {
      constexpr std::uint32_t without_holes = 3;
      const named_flag& whence = one_of(whences, has_allocated_ ? what.object % without_holes : what.object);
      const std::int64_t offset = one_of(offsets, what.detail);
      do_both(fmt::format("{}.seek({}, {});", name, offset, whence.text), [&](machine&, std::size_t arm) {
        if (on.kind == what_is_open::directory) {
          on_[arm]->says_ok("seek", on_[arm]->calls().lseek(on.on[arm].number(), 0, SEEK_SET));
        } else {
          on.on[arm].seek(offset, whence.value);
        }
      });
      break;
    }
    case set_size: {
      const std::int64_t size = one_of(offsets, what.detail);
      do_both(fmt::format("{}.truncate({});", name, size),
              [&](machine&, std::size_t arm) { on.on[arm].truncate(size); });
      break;
    }
    case allocate: {
      const named_flag& how = one_of(allocations, what.subject / 144);
      const std::int64_t offset = one_of(offsets, what.object);
      const auto size = static_cast<std::int64_t>(one_of(sizes, what.detail));
      has_allocated_ = has_allocated_ || (how.value & FALLOC_FL_PUNCH_HOLE) == 0;
      do_both(fmt::format("{}.allocate({}, {}, {});", name, how.text, offset, size),
              [&](machine&, std::size_t arm) { on.on[arm].allocate(how.value, offset, size); });
      break;
    }
    default: break;
  }
}

void fuzz_pair::run_locks(const operation& what, handle& on) {
  const std::string& name = on.name;
  if (what.kind == flock) {
    const named_flag& how = one_of(flock_operations, what.detail);
    do_both(fmt::format("{}.flock({});", name, how.text),
            [&](machine&, std::size_t arm) { on.on[arm].flock(how.value); });
  }
  if (what.kind != lock && what.kind != find_lock) return;
  const named_flag& command =
      what.kind == lock ? one_of(lock_commands, what.object) : one_of(find_commands, what.object);
  const named_flag& type = one_of(lock_types, what.detail % (what.kind == lock ? 3 : 2));
  const std::int64_t start = one_of(offsets, what.detail / 12 % 6);
  const std::int64_t length = one_of(lock_lengths, what.object / 2);
  do_both(fmt::format("{}.lock({}, {}, {}, {});", name, command.text, type.text, start, length),
          [&](machine&, std::size_t arm) {
            on.on[arm].lock(command.value, static_cast<short>(type.value), start, length);
          });
}

void fuzz_pair::run_other(const operation& what, handle& on) {
  const std::string name = on.name;
  switch (what.kind) {
    case set_mode: {
      const mode_t mode = one_of(modes, what.detail);
      do_both(fmt::format("{}.chmod({:#o});", name, mode), [&](machine&, std::size_t arm) { on.on[arm].chmod(mode); });
      break;
    }
    case sync: {
      // Seldom, as a busy disk takes its time, and the answer is simple.
      constexpr std::uint32_t one_in = 8;
      if (what.detail / 2 % one_in != 0) break;
      const bool is_data = what.detail % 2 == 1;
      do_both(fmt::format("{}.{}();", name, is_data ? "data_sync" : "sync"), [&](machine&, std::size_t arm) {
        if (is_data) {
          on.on[arm].data_sync();
        } else {
          on.on[arm].sync();
        }
      });
      break;
    }
    case close:
      do_both(fmt::format("{}.close();", name), [&](machine&, std::size_t arm) { on.on[arm].close(); });
      handles_.erase(handles_.begin() + (&on - handles_.data()));
      break;
    case dup: {
      const std::string copy = fresh_name();
      const what_is_open kind = on.kind;
      std::array<descriptor, 2> made;
      do_both(fmt::format("descriptor {} = m.named(m.calls().dup({}.number()), \"{}\");", copy, name, copy),
              [&](machine& m, std::size_t arm) {
                made[arm] = m.named(m.calls().dup(on.on[arm].number()), copy);
                m.says_ok("dup", made[arm].number());
              });
      if (kind != what_is_open::inotify) add(made, kind);
      break;
    }
    case flags: {
      const int value = what.detail % 2 == 0 ? O_APPEND : 0;
      do_both(fmt::format("{}.fcntl(F_SETFL, \"F_SETFL\", {});", name, value == 0 ? "0" : "O_APPEND"),
              [&](machine&, std::size_t arm) {
                on.on[arm].fcntl(F_SETFL, "F_SETFL", value);
                on.on[arm].fcntl(F_GETFL, "F_GETFL");
              });
      break;
    }
    case entries:
      if (on.kind != what_is_open::directory) break;
      // From the begin, as what comes after changes in the middle of reading is the file system's own.
      do_both(fmt::format("{}.seek(0, SEEK_SET);\n{}.list();", name, name), [&](machine& m, std::size_t arm) {
        m.calls().lseek(on.on[arm].number(), 0, SEEK_SET);
        on.on[arm].list();
      });
      break;
    default: break;
  }
}

// -- inotify ----------------------------------------------------------------------------------------------------------

void fuzz_pair::run_inotify(const operation& what) {
  constexpr std::size_t handles_max = 16;
  if (what.kind == inotify) {
    if (handles_.size() >= handles_max) return;
    const std::string name = fresh_name();
    std::array<descriptor, 2> made;
    do_both(fmt::format("descriptor {} = m.inotify(\"{}\");", name, name), [&](machine& m, std::size_t arm) {
      made[arm] = m.inotify(name);
      m.says("inotify", "ok");
    });
    add(made, what_is_open::inotify);
    return;
  }
  handle* const on = pick(what.subject, [](const handle& each) { return each.kind == what_is_open::inotify; });
  if (on == nullptr || on->kind != what_is_open::inotify) return;
  if (what.kind == events) {
    do_both(fmt::format("{}.events();", on->name), [&](machine&, std::size_t arm) { on->on[arm].events(); });
  } else if (what.kind == watch) {
    const std::string path = old_name(what.object);
    const named_flag& how = one_of(watched_events, what.detail);
    do_both(fmt::format("m.watch({}, {}, {});", on->name, quoted(path), how.text), [&](machine& m, std::size_t arm) {
      const int made = m.watch(on->on[arm], path, static_cast<std::uint32_t>(how.value));
      if (made >= 0) on->watches[arm].push_back(made);
    });
  } else if (what.kind == unwatch && !on->watches[real].empty()) {
    const std::size_t at = what.object % on->watches[real].size();
    do_both(fmt::format("m.calls().inotify_rm_watch({}.number(), watch_{});", on->name, at),
            [&](machine& m, std::size_t arm) {
              const int result = m.calls().inotify_rm_watch(on->on[arm].number(), on->watches[arm].at(at));
              m.says("inotify_rm_watch", result);
            });
  }
}

}  // namespace lockstep::files
