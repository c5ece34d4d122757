// The files of a simulated host by plain calls, for a test's set-up and for a look at them: no task waits, no fault
// fires, and nobody's permissions are asked for.
//
//   world().fs("db").write_file("/etc/app.conf", "limit = 5\n");
//
// They are those of one disk, on which paths begin: of the one at /, or of one that was mounted. Through the first,
// paths lead to the others as well.
//
//   sim::plain_files data = world().fs("db").mount("/data");
//   data.capacity(1 << 20);
//   data.write_file("/log", "");  // which tasks know as /data/log
//
// Lifetime: that of the host. Errors: misuse, which names the path and what is wrong with it.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/disk_image.hpp>
#include <lockstep/sim/disk_pace.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

class host;
class file_system;
class inode;

class plain_files {
 public:
  plain_files(host& of, source where) : of_(of), where_(where) {}

  // The file has that content from now on, and what leads to it is made; all of it is durable, as if it had been there
  // when the test began. Nothing else becomes durable by that; so it is with the calls that follow.
  void write_file(std::string_view path, std::string_view text);
  void make_directory(std::string_view path);
  // As Linux's ln -s: `path` leads to `target`.
  void make_link(std::string_view path, std::string_view target);
  // With all that is below it. Does nothing if it is not there. Where a disk is mounted, it is busy.
  void remove(std::string_view path);

  std::string read_file(std::string_view path) const;
  bool exists(std::string_view path) const;
  // A line for each file of this disk, by path: "/a/b 12 bytes", "/a/", "/l -> b".
  std::string tree() const { return image().tree(); }
  // What is on this disk now, as tasks see it; and what would be there if all were lost that may be.
  disk_image image() const;
  disk_image durable_image() const;
  // What is on it from now on, with the sectors that are bad. Whoever has a file of it open, or stands in a directory,
  // has the old one, which has no name any more. What was mounted there is again, where there is such a directory.
  void restore(const disk_image& image);
  // What a power cut may leave on it now, while the run goes on, in its model: so many different images, or as many as
  // there are. First the one in which all is lost that may be, the one in which nothing is, and others in which
  // programs are found wrong, as names without contents, contents without names, and half of the last write; then such
  // in which any is. They are the same in every run in which the disk was changed as often before, whatever is picked
  // in it.
  std::vector<crash_image> crash_images(std::size_t images_max) const;
  // One of them, which is picked: in the plain schedule the one in which nothing is lost.
  disk_image image_after_power_cut() const;

  // What the disk promises from now on when the power is cut: ext4_ordered at first. At /, what all disks of the host
  // do, and those that are mounted later.
  void crash_model(const sim::crash_model& model);
  // Room for so many bytes in whole pages of 4 KiB, and for so many files; more is ENOSPC.
  void capacity(std::uint64_t bytes, std::uint64_t files = std::uint64_t{1} << 26);
  // So many bytes of one user; more is EDQUOT.
  void quota(unsigned user, std::uint64_t bytes);
  void read_only(bool read_only);
  // A file that is open with O_DIRECT is read and written in whole units of so many bytes, from memory that is aligned
  // to them, and otherwise with EINVAL: 512 at first, 4096 on a disk with such sectors. Misuse if it is no power of
  // two.
  void direct_unit(std::uint32_t bytes);
  // How much of what was written may be in memory only: 2 MiB at first, as more makes each write slower. What is more
  // is written to the disk, as if a sync had come for the oldest of it, and takes its time there, for which the writer
  // waits; but nothing is in strict_sync.
  void page_cache(std::uint64_t bytes);
  // What a sync has failed to write, is that no longer there, as on Btrfs, with the size of before; or is it in memory,
  // and taken for clean, as on ext4 and XFS, and at first here.
  // Source: Rebello et al., Can Applications Recover from fsync Failures?, ATC 2020.
  void failed_sync_reverts(bool reverts);
  // How long the disks of the host take from now on. Misuse where a length is negative, or a stall has no end.
  void pace(const disk_pace& pace);
  // An empty disk of its own on a directory, which is made if it is not there; and the one that was mounted there.
  plain_files mount(std::string_view on);
  plain_files mounted(std::string_view on) const;
  // The files of a folder of the machine on which the test runs, as they are when they are first read; nothing can be
  // written there. Misuse if the folder cannot be read, and later if a file in it cannot.
  void mount_fixture(std::string_view on, const std::string& folder);

 private:
  plain_files(host& of, file_system& disk, source where) : of_(of), disk_(&disk), where_(where) {}

  file_system& disk() const;
  inode& directory_for(std::string_view path, std::string_view& last) const;
  void settle(inode& directory, std::string_view name) const;
  [[noreturn]] void refuse(std::string_view path, int error) const;

  host& of_;
  file_system* disk_ = nullptr;  // null for the one at /
  source where_;
};

}  // namespace lockstep::sim
