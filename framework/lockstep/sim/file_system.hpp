// One disk of a host with the files on it: where their pages come from, how much room there is, and the log of what a
// power cut may still undo.
//
// What calls on paths do is in file_names.hpp, what calls on open files do in disk_file.hpp; both change files through
// here alone, so that limits, times and the log are kept in one place.
// Source: inode(7), ext4(5).
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/sim/bad_sectors.hpp>
#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/disk_image.hpp>
#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/page.hpp>
#include <lockstep/sim/page_cache.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {
class loop;
}

namespace lockstep::sim {

// Who makes a call, and what files that it makes are like.
struct credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups{};
  mode_t umask = S_IWGRP | S_IWOTH;

  bool is_root() const noexcept { return user == 0; }
  bool in_group(gid_t wanted) const noexcept;
};

struct disk_limits {
  std::uint64_t pages_max = std::uint64_t{1} << 28;                      // of 4 KiB; more is ENOSPC
  std::uint64_t inodes_max = std::uint64_t{1} << 26;                     // likewise
  std::uint64_t file_bytes_max = (std::uint64_t{1} << 44) - page_bytes;  // more is EFBIG
  std::uint32_t direct_unit_bytes = 512;  // what is read and written with O_DIRECT is in whole ones; otherwise EINVAL
  std::uint64_t written_bytes_max = ~std::uint64_t{0};  // of RLIMIT_FSIZE: likewise, but for files that are so large
};

class file_system {
 public:
  // Known to an observer of the run by that. `id` is the number that stat() gives for the device.
  file_system(loop& owner, std::shared_ptr<page_store> pages, identity id, std::uint64_t device);
  file_system(const file_system&) = delete;
  file_system& operator=(const file_system&) = delete;
  ~file_system();

  inode& root() const noexcept { return *root_; }
  std::uint64_t device() const noexcept { return device_; }
  loop& owner() const noexcept { return owner_; }
  bool read_only() const noexcept { return read_only_; }
  void set_read_only(bool read_only) noexcept { read_only_ = read_only; }
  disk_limits& limits() noexcept { return limits_; }
  // More pages of a user are EDQUOT; nobody has a quota at first.
  void set_quota(uid_t user, std::uint64_t pages_max) { users_[user].pages_max = pages_max; }
  std::uint64_t pages_used() const noexcept { return pages_used_; }
  std::uint64_t inodes_used() const noexcept { return inodes_used_; }
  const page_reference& zero_page() const noexcept { return zero_; }
  wall_clock::time_point now() const noexcept;
  // Whether anybody watches a file of it.
  bool is_watched() const noexcept { return watches_ != 0; }
  void count_watches(int more) noexcept { watches_ += more; }
  // Joins the two halves of a move.
  std::uint32_t next_cookie() noexcept { return ++last_cookie_; }

  // What a search sees of a file, its content and its attributes; names are the host's, see host::names_id().
  identity id_of(const inode& of) const noexcept { return roll(id_, of.number()); }

  // -- changes of names -------------------------------------------------------------------------------------------

  // A file without a name, whose attributes are `mode` and who made it. -ENOSPC, -EDQUOT.
  int make(mode_t mode, const credentials& who, inode_reference& made);
  // Requires that the names are free, or there, as the word says. As all changes here they throw std::bad_alloc, and
  // then nothing has changed.
  void link(inode& directory, std::string_view name, inode& to);
  void unlink(inode& directory, std::string_view name);
  // As rename() does it, in one: what was there is replaced.
  void rename(inode& from, std::string_view name, inode& to, std::string_view as);
  void exchange(inode& one, std::string_view name, inode& other, std::string_view with);

  // -- changes of files -------------------------------------------------------------------------------------------

  // Returns how many bytes it took: fewer where the room ends; then -ENOSPC, -EDQUOT or -EFBIG.
  std::int64_t write(inode& to, const void* from, std::size_t size, std::uint64_t offset);
  int resize(inode& of, std::uint64_t size);
  int allocate(inode& of, int mode, std::uint64_t offset, std::uint64_t size);
  void set_owner(inode& of, uid_t user, gid_t group);
  // Attributes are to be changed, and were. The first throws std::bad_alloc.
  void expect_attributes(const inode& of) { log_.expect_attributes(of); }
  void touch_attributes(inode& of);
  // What it reads for the first time, of the machine's.
  void need_content(inode& of);

  // -- what is to stay --------------------------------------------------------------------------------------------

  int sync(inode& of, bool data_only);
  // What was written to the file does not come to the disk: whoever has it open hears of it at the next sync.
  void fail_to_write_back(inode& of, int error);
  // Whether that is no longer there then, or is in memory, and taken for clean.
  void set_failed_sync_reverts(bool reverts) noexcept { failed_sync_reverts_ = reverts; }
  error_sequence& errors() noexcept { return errors_; }
  // All of it but those files, by number.
  void sync_all(const std::set<std::uint64_t>& but = {});
  // Files with a name that have something to write, and directories with names.
  std::vector<inode_reference> unwritten() const;
  // What is not there yet, where the disk takes time.
  page_cache& cache() noexcept { return cache_; }
  void set_cache(std::uint64_t bytes_max) noexcept {
    log_.set_bytes_max(bytes_max);
    cache_.set_bytes_max(bytes_max);
  }
  crash_log& log() noexcept { return log_; }
  const crash_log& log() const noexcept { return log_; }
  // What it promises when the power is cut.
  const crash_model& model() const noexcept { return model_; }
  void set_model(const crash_model& model) noexcept {
    model_ = model;
    log_.set_writes_back(model.keeps != crash_model::unsynced::none);
  }
  // Is told, in words, after each change and after each sync; null for nobody.
  void set_observer(std::function<void(std::string_view)> told) { observer_ = std::move(told); }
  // What is on the disk, and nothing in memory, is that from now on. A file that somebody uses stays with them, without
  // a name.
  void restore(const disk_image& image);
  // What a power cut would leave now, in that model.
  disk_image image_after_power_cut(const crash_model& model, const crash_chooser& choose,
                                   std::vector<std::string>* lost) const;
  disk_image image_after_power_cut(const crash_model& model, const change_chooser& choose,
                                   std::vector<std::string>* lost) const;
  // A number of that, without making it: see crash_log::outcome().
  std::uint64_t outcome_of_power_cut(const crash_model& model, const crash_chooser& choose) const;
  // As calls see them.
  const bad_sectors& bad() const noexcept { return bad_; }
  // One of the file's goes bad, in memory and on the disk, as bad_sectors says.
  std::optional<std::uint64_t> rot(const inode& file, std::uint64_t sector);
  void fail_to_read(const inode& file, std::uint64_t sector);
  // What is there now, as if all were synced.
  disk_image image() const;

 private:
  friend class inode;

  // Of each who has ever had a file.
  struct user_pages {
    std::uint64_t pages_max = ~std::uint64_t{0};
    std::uint64_t pages = 0;
  };

  inode& add(std::uint64_t number, const file_attributes& first);
  template <class F>
  disk_image image_by(const crash_model& model, const F& choose, std::vector<std::string>* lost) const;
  void write_piece(inode& to, const void* from, std::size_t size, std::uint64_t offset);
  std::size_t write_in_pieces(inode& to, const std::byte* from, std::size_t size, std::uint64_t offset);
  void end(inode& gone) noexcept;
  void take_out_all() noexcept;
  void take_pages(const inode& of, std::int64_t count) noexcept;
  // How many more there may be, of that file.
  std::uint64_t pages_left(const inode& of, int& error) const noexcept;
  void gained_name(inode& directory, inode& to) noexcept;
  void lost_name(inode& directory, inode& gone, bool moves = false) noexcept;
  // What a search sees of a change beside the file: room that is short, and the order in which the disk gets it.
  void touch_shared() const noexcept;
  void changed_content(inode& of) noexcept;
  void changed_names(inode& directory, inode& of) noexcept;
  template <class... Parts>
  void tell_observer(const char* what, const Parts&... parts);

  loop& owner_;
  identity id_;
  std::uint64_t device_;
  bool read_only_ = false;
  disk_limits limits_;
  std::uint64_t last_number_ = 0;
  std::uint32_t last_cookie_ = 0;
  std::uint64_t pages_used_ = 0;
  std::uint64_t inodes_used_ = 0;
  std::map<uid_t, user_pages> users_;
  std::shared_ptr<page_store> pages_;
  page_reference zero_;
  crash_log log_;
  page_cache cache_;
  crash_model model_ = ext4_ordered;
  bad_sectors bad_;
  error_sequence errors_;
  bool failed_sync_reverts_ = false;
  std::function<void(std::string_view)> observer_;
  inode* root_ = nullptr;
  intrusive_list<inode, file_system> inodes_;
  inode* ending_ = nullptr;  // those that are about to end, by `mounted`, as nothing is mounted there
  int watches_ = 0;
  bool is_ending_ = false;
  std::uint32_t life_ = 0;
  bool is_closing_ = false;  // what ends is no change then
};

}  // namespace lockstep::sim
