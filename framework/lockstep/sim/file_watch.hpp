// What inotify tells of: changes of files and directories, as they happen.
//
// An item is a watch of one inotify on one file, which lives as long as both.
// Source: inotify(7).
#pragma once

#include <lockstep/sim/file_system.hpp>
#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/open_file.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep::sim {

class watch_file;

class watch_item : public list_hook<inode> {
 public:
  watch_item(watch_file& by, int its_number, inode& watched, std::uint32_t wanted);
  ~watch_item();
  // What it watches goes.
  void forget() noexcept;

  watch_file& of;
  const int number;
  inode* on;  // null when that has gone
  std::uint32_t events;
};

// What inotify_init1() gives.
class watch_file final : public open_file {
 public:
  // Holds so many events.
  watch_file(identity id, int status_flags, std::size_t events_max);

  // IN_MASK_ADD, IN_MASK_CREATE, IN_ONESHOT. Returns the number of the watch, or -EEXIST.
  int add(inode& on, std::uint32_t events);
  // -EINVAL if there is none.
  int remove(int number);
  // Something has happened to what is watched.
  void tell(watch_item& of, std::uint32_t what, std::uint32_t cookie, std::string_view name);

  std::int64_t read(const iovec* into, int count) override;
  int ioctl(unsigned long request, void* argument) override;
  std::int64_t write(const iovec*, int) override { return -EBADF; }
  unsigned ready() const noexcept override;
  watch_file* as_watch_file() noexcept override { return this; }
  std::string described() const override { return "inotify"; }

 private:
  struct event {
    int watch;
    std::uint32_t mask;
    std::uint32_t cookie;
    std::string name;
    // As the kernel lays it out: the name is filled up with zeros.
    std::size_t bytes() const noexcept;
    // Two halves of moves are the same if they say the same of one name.
    bool operator==(const event& other) const noexcept {
      return watch == other.watch && mask == other.mask && name == other.name;
    }
  };

  void add_event(event what);

  const std::size_t events_max_;
  int last_number_ = 0;
  std::map<int, std::unique_ptr<watch_item>> items_;
  std::deque<event> events_;
  bool overflowed_ = false;  // one of them says so
};

// To whoever watches the file, or the directory of the name by which it is changed (opened_name.hpp).
void tell_watchers(inode& of, std::uint32_t event) noexcept;
inline void tell(inode& of, std::uint32_t event) noexcept {
  if (of.on().is_watched()) [[unlikely]]
    tell_watchers(of, event);
}
// To whoever watches the directory.
void tell_of_name(inode& directory, std::uint32_t event, std::string_view name, const inode& of,
                  std::uint32_t cookie = 0) noexcept;
// `replaced` is what was there before; null for nothing.
void tell_of_move(inode& from, std::string_view name, inode& to, std::string_view as, inode& moved,
                  inode* replaced = nullptr) noexcept;
// To whoever watches the file itself.
void tell_to_itself(inode& of, std::uint32_t event) noexcept;

}  // namespace lockstep::sim
