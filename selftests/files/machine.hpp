// What a row about files is written in: a machine with an operating system, whose calls on names write themselves and
// their results into a transcript, and descriptors that do the same. The same body runs on Linux and on the simulated
// kernel.
//
// A call that a row is about writes a line, "rename a b -> ENOENT". What only leads there writes none, and ends the row
// if it fails. Each row has a directory of its own, which is the working directory at first, so names are relative. The
// transcript never has its path, inode numbers or times; a descriptor has the name that the row gave it.
// The umask is 022 at first. All descriptors are made with O_CLOEXEC, unless the row is about that.
#pragma once

#include "../against_linux/transcript.hpp"

#include <lockstep/system/calls.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::files {

using against_linux::bytes_text;
using against_linux::result_text;
using against_linux::row_ended;

class machine;

// "O_RDWR|O_CREAT".
std::string open_flags_text(int flags);
// As bytes_text(), but with runs of one byte as "x*1000", so that it is short and says all.
std::string content_text(const std::string& bytes);
// "regular, 5 bytes, 1 link, 0644"; of directories neither size nor links, which differ between file systems.
std::string status_text(const struct stat& is);
// "directory", "regular".
std::string kind_text(mode_t mode);

// A name in a directory and the kind that getdents64() says it is of.
struct entry {
  std::string name;
  unsigned char kind;
};

// A descriptor under the name that the row gave it. It owns nothing: the machine closes at its end what is open.
class descriptor {
 public:
  descriptor() = default;
  descriptor(machine& on, int number, std::string name) : on_(&on), number_(number), name_(std::move(name)) {}

  int number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }

  // -- calls that write a line --------------------------------------------------------------------------------------

  std::int64_t read(std::size_t size);
  std::int64_t write(const std::string& text);
  std::int64_t pread(std::size_t size, std::int64_t offset);
  std::int64_t pwrite(const std::string& text, std::int64_t offset);
  // Of pieces of those sizes, without an offset if it is negative.
  std::int64_t readv(const std::vector<std::size_t>& sizes, std::int64_t offset = -1);
  std::int64_t writev(const std::vector<std::string>& pieces, std::int64_t offset = -1);
  std::int64_t seek(std::int64_t offset, int whence);
  int truncate(std::int64_t size);
  int allocate(int mode, std::int64_t offset, std::int64_t size);
  void status();
  // Of a regular file, from its begin to its end, wherever the offset is.
  void content();
  int sync();
  int data_sync();
  int chmod(mode_t mode);
  int close();
  int fcntl(int command, const char* text, std::int64_t argument = 0);
  // From `start` of SEEK_SET on; length 0 is to the end, whatever that will be.
  int lock(int command, short type, std::int64_t start, std::int64_t length, short whence = SEEK_SET);
  int flock(int operation);
  // Sorted, as their order is the file system's.
  void list();
  // Of an inotify: all that has happened, one after the other, by the names in `watched`.
  void events();

  // -- calls that write none ----------------------------------------------------------------------------------------

  std::int64_t size() const;
  std::int64_t blocks() const;
  // Until getdents64() gives no more.
  std::vector<entry> entries(std::size_t room = 4096) const;
  // The same into `found`, with what it fails with.
  std::int64_t read_entries(std::vector<entry>& found, std::size_t room = 4096) const;

 private:
  std::int64_t line(const std::string& call, std::int64_t result, const std::string& instead = "");
  system_calls& calls() const;

  machine* on_ = nullptr;
  int number_ = -1;
  std::string name_;
};

enum class user {
  root,
  // Who is neither root nor in its group.
  somebody
};
constexpr unsigned id_of_somebody = 1000;

class machine : public against_linux::transcript_writer {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  // -- what the arm gives -------------------------------------------------------------------------------------------

  virtual system_calls& calls() = 0;
  // The row's own directory, and the working directory at first.
  virtual const std::string& folder() const = 0;
  // From here on, until it is taken back, no descriptor more can be opened.
  virtual void no_more_descriptors(bool none) = 0;
  // Likewise no file, whoever wants to.
  virtual void no_more_files(bool none) = 0;
  // No file can be made longer than that. As RLIMIT_FSIZE, with SIGXFSZ ignored.
  virtual void limit_file_size(std::int64_t bytes) = 0;
  // What the clock says that times of files are taken from, has become more.
  virtual void pass_time() = 0;
  // Only where the row needs root, who all are at first. Who is not root may become somebody, which does nothing.
  virtual void become(user who) = 0;
  // Only where the row needs it: a file system of so many bytes and inodes, on a directory that is made for it. Of both
  // some are its own: one inode is its root's. Somebody may have `quota` bytes there, if that is not 0.
  virtual void mount_small_disk(const std::string& path, std::int64_t bytes, std::int64_t inodes,
                                std::int64_t quota = 0) = 0;

  // -- calls that write a line --------------------------------------------------------------------------------------

  // A descriptor of number < 0 if it fails.
  descriptor open(const std::string& name, const std::string& path, int flags, mode_t mode = 0644);
  descriptor open_at(const descriptor& at, const std::string& name, const std::string& path, int flags);
  int mkdir(const std::string& path, mode_t mode = 0755);
  int unlink(const std::string& path);
  int rmdir(const std::string& path);
  int rename(const std::string& from, const std::string& to, unsigned flags = 0);
  int link(const std::string& from, const std::string& to, int flags = 0);
  int symlink(const std::string& target, const std::string& path);
  void readlink(const std::string& path, std::size_t room = 4096);
  int access(const std::string& path, int mode, int flags = 0);
  int chmod(const std::string& path, mode_t mode);
  // "uid 1000" is written as somebody, "gid 1000" as theirs; -1 leaves it.
  int chown(const std::string& path, int uid, int gid, int flags = 0);
  int truncate(const std::string& path, std::int64_t size);
  // Of access and of modification.
  int set_times(const std::string& path, std::int64_t seconds);
  int chdir(const std::string& path);
  void cwd();
  // AT_SYMLINK_NOFOLLOW for that of a link.
  void status(const std::string& path, int flags = 0);
  void owner(const std::string& path);
  void list(const std::string& path);
  void content(const std::string& path);
  int watch(const descriptor& inotify, const std::string& path, std::uint32_t events);

  // -- what only leads there ----------------------------------------------------------------------------------------

  void make_file(const std::string& path, const std::string& text = "", mode_t mode = 0644);
  void make_folder(const std::string& path, mode_t mode = 0755);
  void make_link(const std::string& target, const std::string& path);
  // Without a line.
  descriptor opened(const std::string& path, int flags = O_RDWR, const std::string& name = "f");
  // Made, with that text, the offset behind it.
  descriptor made(const std::string& path, const std::string& text = "", int flags = O_RDWR);
  descriptor named(int number, const std::string& name) { return descriptor(*this, number, name); }
  descriptor inotify(const std::string& name = "inotify");
  // "reader" and "writer".
  std::pair<descriptor, descriptor> pipe();
  struct stat stat(const std::string& path, int flags = 0);
  // In the row's directory, as an absolute path.
  std::string absolute(const std::string& path) const { return folder() + "/" + path; }
  int must(const std::string& call, std::int64_t result);

  // -- times --------------------------------------------------------------------------------------------------------

  // Remembers those of what `path` names, of the link itself if it is one.
  void remember_times(const std::string& path);
  // Writes which of them have changed since, "atime mtime ctime" or "none", and remembers them. Without atime where
  // that depends on how the file system is mounted.
  void changed_times(const std::string& what, const std::string& path, bool with_atime = true);

  // -- the transcript -----------------------------------------------------------------------------------------------

  // Without the row's directory, and of long ones how many characters.
  std::string text_of(const std::string& path) const;
  // What an inotify calls a directory or file that it watches.
  const std::string& watched(const descriptor& inotify, int watch) const;
  std::string cookie_text(std::uint32_t cookie);

 private:
  struct times {
    std::string path;
    timespec accessed, modified, changed;
  };

  std::vector<times> times_;
  struct known_watch {
    int inotify;
    int watch;
    std::string path;
  };

  std::vector<known_watch> watched_;
  std::vector<std::uint32_t> cookies_;
};

}  // namespace lockstep::files
