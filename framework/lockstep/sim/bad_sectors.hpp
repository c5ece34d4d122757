// Sectors of a disk that have gone bad, as the faults of the medium make them: one that gives a wrong bit, and one that
// cannot be read. They stay so, however often they are read, until they are written again, and a power cut mends none.
//
// A disk has two lists of them: what calls see, as a sector is good as soon as it is written; and what is bad on the
// medium, where it is good only when what was written has come to the disk.
//
// A sector has 4 KiB, as those of today's disks have, and is a page of its file. What is in memory hides nothing: a
// sector that has gone bad is what calls see at once.
// Source: Bairavasundaram et al., An Analysis of Latent Sector Errors in Disk Drives, SIGMETRICS 2007.
#pragma once

#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/page.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace lockstep::sim {

class disk_image;

class bad_sectors {
 public:
  bool empty() const noexcept { return all_.empty(); }

  // One bit of it is wrong from now on: always the same, for the same content in the same place. Nothing if it is bad
  // already, or behind the end. Returns the offset of the byte in the file.
  std::optional<std::uint64_t> rot(const inode& file, std::uint64_t sector);
  // It cannot be read from now on.
  void fail(const inode& file, std::uint64_t sector) { all_[{file.number(), sector}] = {}; }

  // How many of these bytes can be read, until the first sector that cannot.
  std::size_t readable(const inode& file, std::size_t size, std::uint64_t offset) const noexcept;
  // How many can be written or cleared: a sector of which a part stays is read first.
  std::size_t writable(const inode& file, std::size_t size, std::uint64_t offset) const noexcept;
  // Puts what is wrong into bytes that were read from there.
  void show(std::uint64_t file, std::byte* bytes, std::size_t size, std::uint64_t offset) const noexcept;
  // Where the sectors of that file begin that cannot be read.
  std::vector<std::uint64_t> unreadable(std::uint64_t file) const;
  // The same for those of two files that are bad in the same way, and hardly ever for others; 0 for none.
  std::uint64_t fingerprint(std::uint64_t file) const noexcept;

  // What was written is good again.
  void rewritten(const inode& file, std::uint64_t size, std::uint64_t offset) noexcept;
  // It ends there.
  void cut(const inode& file, std::uint64_t size) noexcept;
  void forget(std::uint64_t file) noexcept;

  // -- of a medium --------------------------------------------------------------------------------------------------

  // As bad as it is there, from now on.
  void take(const bad_sectors& from, const inode& file, std::uint64_t sector) {
    all_[{file.number(), sector}] = from.all_.at({file.number(), sector});
  }
  // That change has made good in memory what is bad here and not in `memory`: it is good here with that change, or with
  // a later one of the same bytes.
  void note_rewritten(const bad_sectors& memory, const inode& file, std::uint64_t change) noexcept;
  // What was written to the file does not come to the disk: memory has it as it is here.
  void give_back(bad_sectors& memory, const inode& file);
  // The bytes up to `end` have come to the disk with that change, of a file that had so many before.
  void changed(std::uint64_t file, std::uint64_t begin, std::uint64_t end, std::uint64_t change,
               std::uint64_t size_before) noexcept;
  // All that memory has of the file has come to the disk; or of all files but those.
  void synced(std::uint64_t file) noexcept;
  void synced_all(const std::set<std::uint64_t>& but) noexcept;
  // Those that are left when nothing waits any more, on a disk with these files.
  void settle(const disk_image& left) noexcept;

 private:
  using place = std::pair<std::uint64_t, std::uint64_t>;  // the number of the file, and of the sector in it
  struct flaw {
    bool is_readable = false;
    std::size_t within = 0;  // where the wrong byte is
    std::byte wrong{};
    std::uint64_t rewritten_by = 0;  // of a medium: the change that made it good in memory; 0 for none
  };

  std::map<place, flaw>::const_iterator first(std::uint64_t file, std::uint64_t offset) const noexcept {
    return all_.lower_bound({file, offset / page_bytes});
  }

  std::map<place, flaw> all_;
};

}  // namespace lockstep::sim
