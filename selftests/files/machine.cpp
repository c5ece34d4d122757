#include "machine.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace lockstep::files {
namespace {

struct named_bit {
  std::uint64_t bits;
  const char* name;
};

template <std::size_t Count>
std::string bits_text(std::uint64_t bits, const named_bit (&names)[Count], std::string text = "") {
  for (const auto& [these, name] : names) {
    if ((bits & these) != these) continue;
    text += (text.empty() ? "" : "|") + std::string(name);
    bits &= ~these;
  }
  if (bits != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", bits);
  return text;
}

const char* whence_text(int whence) {
  switch (whence) {
    case SEEK_SET: return "SEEK_SET";
    case SEEK_CUR: return "SEEK_CUR";
    case SEEK_END: return "SEEK_END";
    case SEEK_DATA: return "SEEK_DATA";
    case SEEK_HOLE: return "SEEK_HOLE";
    default: return "an unknown whence";
  }
}

std::string lock_command_text(int command) {
  switch (command) {
    case F_SETLK: return "F_SETLK";
    case F_SETLKW: return "F_SETLKW";
    case F_GETLK: return "F_GETLK";
    case F_OFD_SETLK: return "F_OFD_SETLK";
    case F_OFD_SETLKW: return "F_OFD_SETLKW";
    case F_OFD_GETLK: return "F_OFD_GETLK";
    default: return std::to_string(command);
  }
}

std::string lock_type_text(short type) {
  if (type == F_RDLCK) return "F_RDLCK";
  if (type == F_WRLCK) return "F_WRLCK";
  return type == F_UNLCK ? "F_UNLCK" : std::to_string(type);
}

std::string id_text(int id) {
  return id == -1 ? "-1" : id == 0 ? "root" : id == id_of_somebody ? "somebody" : std::to_string(id);
}

bool equal(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

// -- texts ------------------------------------------------------------------------------------------------------------

std::string open_flags_text(int flags) {
  constexpr unsigned large_file = 0100000;  // as Linux has it, where the C library needs none
  static constexpr named_bit names[] = {
      {O_TMPFILE, "O_TMPFILE"},   {O_CREAT, "O_CREAT"},         {O_EXCL, "O_EXCL"},         {O_TRUNC, "O_TRUNC"},
      {O_APPEND, "O_APPEND"},     {O_DIRECTORY, "O_DIRECTORY"}, {O_NOFOLLOW, "O_NOFOLLOW"}, {O_DIRECT, "O_DIRECT"},
      {O_PATH, "O_PATH"},         {O_NOATIME, "O_NOATIME"},     {O_SYNC, "O_SYNC"},         {O_DSYNC, "O_DSYNC"},
      {O_NONBLOCK, "O_NONBLOCK"}, {large_file, "O_LARGEFILE"}};
  static constexpr const char* modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};
  return bits_text(static_cast<unsigned>(flags & ~(O_ACCMODE | O_CLOEXEC)), names, modes[flags & O_ACCMODE]);
}

std::string content_text(const std::string& bytes) {
  constexpr std::size_t run_min = 6;
  std::string text;
  std::string plain;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
  const auto flush = [&] {
    if (!plain.empty()) add(bytes_text(plain));
    plain.clear();
  };
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = bytes.find_first_not_of(bytes[at], at);
    if (end == std::string::npos) end = bytes.size();
    if (end - at < run_min) {
      plain.append(bytes, at, end - at);
    } else {
      flush();
      add(fmt::format("{}*{}", bytes[at] == '\0' ? std::string("\\0") : std::string(1, bytes[at]), end - at));
    }
    at = end;
  }
  flush();
  return text.empty() ? "\"\"" : text;
}

std::string kind_text(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "regular";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "link";
    case S_IFIFO: return "pipe";
    case S_IFSOCK: return "socket";
    default: return "another kind";
  }
}

std::string status_text(const struct stat& is) {
  constexpr unsigned permissions = 07777;
  const std::string mode = fmt::format("{:04o}", is.st_mode & permissions);
  if (S_ISDIR(is.st_mode)) return "directory, " + mode;
  return fmt::format("{}, {} bytes, {} {}, {}", kind_text(is.st_mode), is.st_size, is.st_nlink,
                     is.st_nlink == 1 ? "link" : "links", mode);
}

// -- descriptor -------------------------------------------------------------------------------------------------------

system_calls& descriptor::calls() const { return on_->calls(); }

std::int64_t descriptor::line(const std::string& call, std::int64_t result, const std::string& instead) {
  on_->says(name_ + " " + call, result < 0 || instead.empty() ? result_text(result) : instead);
  return result;
}

std::int64_t descriptor::read(std::size_t size) {
  std::string into(size, '?');
  const std::int64_t result = calls().read(number_, into.data(), size);
  if (result > 0) into.resize(static_cast<std::size_t>(result));
  return line(fmt::format("read {}", size), result, result > 0 ? content_text(into) : "");
}

std::int64_t descriptor::write(const std::string& text) {
  return line("write " + content_text(text), calls().write(number_, text.data(), text.size()));
}

std::int64_t descriptor::pread(std::size_t size, std::int64_t offset) {
  std::string into(size, '?');
  const std::int64_t result = calls().pread(number_, into.data(), size, offset);
  if (result > 0) into.resize(static_cast<std::size_t>(result));
  return line(fmt::format("pread {} at {}", size, offset), result, result > 0 ? content_text(into) : "");
}

std::int64_t descriptor::pwrite(const std::string& text, std::int64_t offset) {
  const std::int64_t result = calls().pwrite(number_, text.data(), text.size(), offset);
  return line(fmt::format("pwrite {} at {}", content_text(text), offset), result);
}

std::int64_t descriptor::readv(const std::vector<std::size_t>& sizes, std::int64_t offset) {
  std::vector<std::string> into;
  for (const std::size_t each : sizes) into.emplace_back(each, '?');
  std::vector<iovec> pieces;
  for (std::string& each : into) pieces.push_back({each.data(), each.size()});
  const auto count = static_cast<int>(pieces.size());
  const std::int64_t result =
      offset < 0 ? calls().readv(number_, pieces.data(), count) : calls().preadv(number_, pieces.data(), count, offset);
  std::string text;
  std::int64_t left = result;
  for (std::string& each : into) {
    if (left <= 0) break;
    each.resize(std::min(each.size(), static_cast<std::size_t>(left)));
    left -= static_cast<std::int64_t>(each.size());
    text += (text.empty() ? "" : ", ") + content_text(each);
  }
  std::string asked;
  for (const std::size_t each : sizes) asked += (asked.empty() ? "" : "+") + std::to_string(each);
  constexpr std::size_t shown_max = 4;
  const bool is_short = !sizes.empty() && sizes.size() <= shown_max;
  if (!is_short) asked = fmt::format("{} pieces", sizes.size());
  return line(offset < 0 ? "readv " + asked : fmt::format("preadv {} at {}", asked, offset), result,
              is_short && result > 0 ? fmt::format("{}: {}", result, text) : "");
}

std::int64_t descriptor::writev(const std::vector<std::string>& pieces, std::int64_t offset) {
  std::vector<iovec> from;
  std::string asked;
  for (const std::string& each : pieces) {
    from.push_back({const_cast<char*>(each.data()), each.size()});
    asked += (asked.empty() ? "" : "+") + content_text(each);
  }
  constexpr std::size_t shown_max = 4;
  if (pieces.empty() || pieces.size() > shown_max) asked = fmt::format("{} pieces", pieces.size());
  const auto count = static_cast<int>(from.size());
  if (offset < 0) return line("writev " + asked, calls().writev(number_, from.data(), count));
  return line(fmt::format("pwritev {} at {}", asked, offset), calls().pwritev(number_, from.data(), count, offset));
}

std::int64_t descriptor::seek(std::int64_t offset, int whence) {
  return line(fmt::format("lseek {} {}", offset, whence_text(whence)), calls().lseek(number_, offset, whence));
}

int descriptor::truncate(std::int64_t size) {
  return static_cast<int>(line(fmt::format("ftruncate {}", size), calls().ftruncate(number_, size)));
}

int descriptor::allocate(int mode, std::int64_t offset, std::int64_t size) {
  static constexpr named_bit names[] = {
      {FALLOC_FL_KEEP_SIZE, "KEEP_SIZE"}, {FALLOC_FL_PUNCH_HOLE, "PUNCH_HOLE"}, {FALLOC_FL_ZERO_RANGE, "ZERO_RANGE"}};
  const std::string how = mode == 0 ? "0" : bits_text(static_cast<unsigned>(mode), names);
  const int result = calls().fallocate(number_, mode, offset, size);
  return static_cast<int>(line(fmt::format("fallocate {} {} {}", how, offset, size), result));
}

void descriptor::status() {
  struct stat is {};
  const int result = calls().fstat(number_, &is);
  line("fstat", result, result < 0 ? "" : status_text(is));
}

void descriptor::content() {
  std::string bytes(static_cast<std::size_t>(std::max<std::int64_t>(size(), 0)), '?');
  const std::int64_t result = calls().pread(number_, bytes.data(), bytes.size(), 0);
  if (result >= 0) bytes.resize(static_cast<std::size_t>(result));
  line("content", result, content_text(bytes));
}

int descriptor::sync() { return static_cast<int>(line("fsync", calls().fsync(number_))); }
int descriptor::data_sync() { return static_cast<int>(line("fdatasync", calls().fdatasync(number_))); }

int descriptor::chmod(mode_t mode) {
  return static_cast<int>(line(fmt::format("fchmod {:04o}", mode), calls().fchmod(number_, mode)));
}

int descriptor::close() { return static_cast<int>(line("close", calls().close(number_))); }

int descriptor::fcntl(int command, const char* text, std::int64_t argument) {
  return static_cast<int>(line(text, calls().fcntl(number_, command, argument)));
}

int descriptor::lock(int command, short type, std::int64_t start, std::int64_t length, short whence) {
  struct flock how {};
  how.l_type = type;
  how.l_whence = whence;
  how.l_start = start;
  how.l_len = length;
  const int result = calls().fcntl(number_, command, reinterpret_cast<std::intptr_t>(&how));
  std::string found;
  if (result == 0 && (command == F_GETLK || command == F_OFD_GETLK)) {
    found = lock_type_text(how.l_type);
    if (how.l_type != F_UNLCK) {
      found += fmt::format(" {} {} of {}", how.l_start, how.l_len, how.l_pid == -1 ? "an open file" : "a process");
    }
  }
  const std::string from = whence == SEEK_SET ? "" : std::string(" ") + whence_text(whence);
  const std::string call =
      fmt::format("{} {} {} {}{}", lock_command_text(command), lock_type_text(type), start, length, from);
  return static_cast<int>(line(call, result, found));
}

int descriptor::flock(int operation) {
  static constexpr named_bit names[] = {
      {LOCK_SH, "LOCK_SH"}, {LOCK_EX, "LOCK_EX"}, {LOCK_UN, "LOCK_UN"}, {LOCK_NB, "LOCK_NB"}};
  const std::string how = operation == 0 ? "0" : bits_text(static_cast<unsigned>(operation), names);
  return static_cast<int>(line("flock " + how, calls().flock(number_, operation)));
}

std::int64_t descriptor::read_entries(std::vector<entry>& found, std::size_t room) const {
  std::vector<char> records(room);
  for (;;) {
    const std::int64_t size = calls().getdents64(number_, records.data(), records.size());
    if (size <= 0) return size;
    for (std::int64_t at = 0; at < size;) {
      const char* const record = records.data() + at;
      unsigned short length = 0;
      std::memcpy(&length, record + offsetof(dirent64, d_reclen), sizeof length);
      const char kind = record[offsetof(dirent64, d_type)];
      found.push_back({record + offsetof(dirent64, d_name), static_cast<unsigned char>(kind)});
      at += length;
    }
  }
}

std::vector<entry> descriptor::entries(std::size_t room) const {
  std::vector<entry> found;
  const std::int64_t result = read_entries(found, room);
  if (result < 0) on_->ends(name_ + " getdents64: " + result_text(result));
  return found;
}

void descriptor::list() {
  std::vector<entry> found;
  const std::int64_t result = read_entries(found);
  std::vector<std::string> texts;
  for (const entry& each : found) {
    const char* const kind = each.kind == DT_DIR ? "/" : each.kind == DT_LNK ? "@" : "";
    texts.push_back(each.name + kind);
  }
  std::sort(texts.begin(), texts.end());
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : " ") + each;
  line("entries", result, text.empty() ? "none" : text);
}

std::int64_t descriptor::size() const {
  struct stat is {};
  const int result = calls().fstat(number_, &is);
  return result < 0 ? result : is.st_size;
}

std::int64_t descriptor::blocks() const {
  struct stat is {};
  const int result = calls().fstat(number_, &is);
  return result < 0 ? result : is.st_blocks;
}

// -- machine: calls that write a line ---------------------------------------------------------------------------------

descriptor machine::open(const std::string& name, const std::string& path, int flags, mode_t mode) {
  const int made = calls().openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC, mode);
  const bool shows_mode = (flags & O_CREAT) != 0 && mode != 0644;
  says(fmt::format("open {} {}{}", text_of(path), open_flags_text(flags),
                   shows_mode ? fmt::format(" {:04o}", mode) : ""),
       made < 0 ? result_text(made) : name);
  return named(made, name);
}

descriptor machine::open_at(const descriptor& at, const std::string& name, const std::string& path, int flags) {
  const int made = calls().openat(at.number(), path.c_str(), flags | O_CLOEXEC, 0644);
  says(fmt::format("open {} {} at {}", text_of(path), open_flags_text(flags), at.name()),
       made < 0 ? result_text(made) : name);
  return named(made, name);
}

int machine::mkdir(const std::string& path, mode_t mode) {
  const std::string how = mode == 0755 ? "" : fmt::format(" {:04o}", mode);
  return static_cast<int>(says("mkdir " + text_of(path) + how, calls().mkdirat(AT_FDCWD, path.c_str(), mode)));
}

int machine::unlink(const std::string& path) {
  return static_cast<int>(says("unlink " + text_of(path), calls().unlinkat(AT_FDCWD, path.c_str(), 0)));
}

int machine::rmdir(const std::string& path) {
  return static_cast<int>(says("rmdir " + text_of(path), calls().unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR)));
}

int machine::rename(const std::string& from, const std::string& to, unsigned flags) {
  static constexpr named_bit names[] = {{RENAME_NOREPLACE, "RENAME_NOREPLACE"}, {RENAME_EXCHANGE, "RENAME_EXCHANGE"}};
  const std::string how = flags == 0 ? "" : " " + bits_text(flags, names);
  const int result = calls().renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags);
  return static_cast<int>(says(fmt::format("rename {} {}{}", text_of(from), text_of(to), how), result));
}

int machine::link(const std::string& from, const std::string& to, int flags) {
  const int result = calls().linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags);
  const char* const how = flags == 0 ? "" : flags == AT_SYMLINK_FOLLOW ? " AT_SYMLINK_FOLLOW" : " with flags";
  return static_cast<int>(says(fmt::format("link {} {}{}", text_of(from), text_of(to), how), result));
}

int machine::symlink(const std::string& target, const std::string& path) {
  const int result = calls().symlinkat(target.c_str(), AT_FDCWD, path.c_str());
  return static_cast<int>(says(fmt::format("symlink {} {}", text_of(target), text_of(path)), result));
}

void machine::readlink(const std::string& path, std::size_t room) {
  std::string into(room, '?');
  const std::int64_t result = calls().readlinkat(AT_FDCWD, path.c_str(), into.data(), into.size());
  if (result >= 0) into.resize(static_cast<std::size_t>(result));
  const std::string how = room == 4096 ? "" : fmt::format(" with {} bytes", room);
  says("readlink " + text_of(path) + how, result < 0 ? result_text(result) : text_of(into));
}

int machine::access(const std::string& path, int mode, int flags) {
  static constexpr named_bit names[] = {{R_OK, "R_OK"}, {W_OK, "W_OK"}, {X_OK, "X_OK"}};
  const std::string how = mode == F_OK ? "F_OK" : bits_text(static_cast<unsigned>(mode), names);
  const int result = calls().faccessat(AT_FDCWD, path.c_str(), mode, flags);
  return static_cast<int>(
      says(fmt::format("access {} {}{}", text_of(path), how, (flags & AT_EACCESS) != 0 ? " AT_EACCESS" : ""), result));
}

int machine::chmod(const std::string& path, mode_t mode) {
  const int result = calls().fchmodat(AT_FDCWD, path.c_str(), mode);
  return static_cast<int>(says(fmt::format("chmod {} {:04o}", text_of(path), mode), result));
}

int machine::chown(const std::string& path, int uid, int gid, int flags) {
  const int result = calls().fchownat(AT_FDCWD, path.c_str(), static_cast<uid_t>(uid), static_cast<gid_t>(gid), flags);
  return static_cast<int>(says(fmt::format("chown {} {} {}", text_of(path), id_text(uid), id_text(gid)), result));
}

int machine::truncate(const std::string& path, std::int64_t size) {
  return static_cast<int>(
      says(fmt::format("truncate {} {}", text_of(path), size), calls().truncate(path.c_str(), size)));
}

int machine::set_times(const std::string& path, std::int64_t seconds) {
  const timespec both[2] = {{seconds, 0}, {seconds, 0}};
  const int result = calls().utimensat(AT_FDCWD, path.c_str(), both, 0);
  return static_cast<int>(says(fmt::format("utimensat {} {}", text_of(path), seconds), result));
}

int machine::chdir(const std::string& path) {
  return static_cast<int>(says("chdir " + text_of(path), calls().chdir(path.c_str())));
}

void machine::cwd() {
  std::string into(4096, '?');
  const std::int64_t result = calls().getcwd(into.data(), into.size());
  says("getcwd", result < 0 ? result_text(result) : text_of(into.c_str()));
}

void machine::status(const std::string& path, int flags) {
  struct stat is {};
  const int result = calls().fstatat(AT_FDCWD, path.c_str(), &is, flags);
  const char* const call = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? "lstat " : "stat ";
  says(call + text_of(path), result < 0 ? result_text(result) : status_text(is));
}

void machine::owner(const std::string& path) {
  struct stat is {};
  const int result = calls().fstatat(AT_FDCWD, path.c_str(), &is, AT_SYMLINK_NOFOLLOW);
  const std::string text = id_text(static_cast<int>(is.st_uid)) + " " + id_text(static_cast<int>(is.st_gid));
  says("owner of " + text_of(path), result < 0 ? result_text(result) : text);
}

void machine::list(const std::string& path) {
  const int fd = calls().openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) {
    says(text_of(path) + " entries", result_text(fd));
    return;
  }
  named(fd, text_of(path)).list();
  calls().close(fd);
}

void machine::content(const std::string& path) {
  const int fd = calls().openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    says(text_of(path) + " content", result_text(fd));
    return;
  }
  named(fd, text_of(path)).content();
  calls().close(fd);
}

// -- machine: what only leads there -----------------------------------------------------------------------------------

int machine::must(const std::string& call, std::int64_t result) {
  if (result < 0) ends(call + ": " + result_text(result));
  return static_cast<int>(result);
}

void machine::make_file(const std::string& path, const std::string& text, mode_t mode) {
  const int fd =
      must("make " + path, calls().openat(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  must("write " + path, calls().write(fd, text.data(), text.size()));
  must("close " + path, calls().close(fd));
}

void machine::make_folder(const std::string& path, mode_t mode) {
  must("mkdir " + path, calls().mkdirat(AT_FDCWD, path.c_str(), mode));
}

void machine::make_link(const std::string& target, const std::string& path) {
  must("symlink " + path, calls().symlinkat(target.c_str(), AT_FDCWD, path.c_str()));
}

descriptor machine::opened(const std::string& path, int flags, const std::string& name) {
  return named(must("open " + path, calls().openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0644)), name);
}

descriptor machine::made(const std::string& path, const std::string& text, int flags) {
  const descriptor file = opened(path, flags | O_CREAT | O_EXCL, path);
  if (!text.empty()) must("write " + path, calls().write(file.number(), text.data(), text.size()));
  return file;
}

descriptor machine::inotify(const std::string& name) {
  return named(must("inotify_init1", calls().inotify_init1(O_NONBLOCK | O_CLOEXEC)), name);
}

std::pair<descriptor, descriptor> machine::pipe() {
  int ends_of_pipe[2] = {-1, -1};
  must("pipe2", calls().pipe2(ends_of_pipe, O_NONBLOCK | O_CLOEXEC));
  return {named(ends_of_pipe[0], "reader"), named(ends_of_pipe[1], "writer")};
}

struct stat machine::stat(const std::string& path, int flags) {
  struct stat is {};
  must("stat " + path, calls().fstatat(AT_FDCWD, path.c_str(), &is, flags));
  return is;
}

// -- times ------------------------------------------------------------------------------------------------------------

void machine::remember_times(const std::string& path) {
  const struct stat is = stat(path, AT_SYMLINK_NOFOLLOW);
  std::erase_if(times_, [&](const times& each) { return each.path == path; });
  times_.push_back({path, is.st_atim, is.st_mtim, is.st_ctim});
  pass_time();
}

void machine::changed_times(const std::string& what, const std::string& path, bool with_atime) {
  const auto before = std::find_if(times_.begin(), times_.end(), [&](const times& each) { return each.path == path; });
  if (before == times_.end()) ends("the times of " + path + " are not remembered");
  const struct stat is = stat(path, AT_SYMLINK_NOFOLLOW);
  std::string text;
  const auto add = [&text](bool changed, const char* name) {
    text += changed ? (text.empty() ? "" : " ") + std::string(name) : "";
  };
  add(with_atime && !equal(before->accessed, is.st_atim), "atime");
  add(!equal(before->modified, is.st_mtim), "mtime");
  add(!equal(before->changed, is.st_ctim), "ctime");
  says(fmt::format("{} changes of {}", what, text_of(path)), text.empty() ? "none" : text);
  remember_times(path);
}

// -- the transcript ---------------------------------------------------------------------------------------------------

std::string machine::text_of(const std::string& path) const {
  constexpr std::size_t shown_max = 60;
  std::string text = path;
  if (text.compare(0, folder().size(), folder()) == 0) text = "<folder>" + text.substr(folder().size());
  if (text.empty()) return "\"\"";
  return text.size() > shown_max ? fmt::format("<{} characters>", text.size()) : text;
}

}  // namespace lockstep::files
