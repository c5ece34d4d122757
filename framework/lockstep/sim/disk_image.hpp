// What is on a disk when nothing runs: files by number, and the names in directories.
//
// An image is a value: copies share their pages, with each other and with disks. It may outlive the world it is of.
// Sectors that have gone bad are in it: a disk that it is put on has them.
#pragma once

#include <lockstep/sim/bad_sectors.hpp>
#include <lockstep/sim/file_content.hpp>
#include <lockstep/sim/inode.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::sim {

struct image_file {
  file_attributes attributes;
  file_content content;                                     // of a regular file
  std::string target;                                       // of a symbolic link
  std::map<std::string, std::uint64_t, std::less<>> names;  // of a directory
};

class disk_image {
 public:
  explicit disk_image(std::shared_ptr<page_store> pages) : pages_(std::move(pages)) {}

  static constexpr std::uint64_t root = 1;

  const std::map<std::uint64_t, image_file>& files() const noexcept { return files_; }
  image_file& file(std::uint64_t number) { return files_[number]; }
  image_file* find(std::uint64_t number) noexcept;
  page_store& pages() const noexcept { return *pages_; }
  // What `files` has of them is what was written; text_of() shows what is read.
  const bad_sectors& bad() const noexcept { return bad_; }
  // Those of them that are in its files.
  void set_bad(bad_sectors bad) noexcept {
    bad_ = std::move(bad);
    bad_.settle(*this);
  }

  // Forgets what no name leads to, and of a directory all names but the first: what fsck leaves.
  void repair();

  // The file of that path, without following links; null if there is none.
  const image_file* find(std::string_view path) const noexcept;
  // Its text, also of sectors that cannot be read; the empty one if there is no such file.
  std::string text_of(std::string_view path) const;
  // The same for images that are the same, with the content, and hardly ever for others.
  std::string fingerprint() const;
  // A line for each file, by path: "/a/b 12 bytes", "/a/", "/l -> b".
  std::string tree() const;
  // The lines that only one has, as "- line" and "+ line"; where only the content differs, "~ path: from byte 12 on";
  // where only mode or owner do, "~ path: mode 100644 of 0:0, mode 100600 of 0:0"; and where one of them has sectors
  // that cannot be read, "~ path: unreadable at 4096, at none".
  std::string difference(const disk_image& other) const;

 private:
  friend class crash_log;

  std::map<std::string, std::uint64_t> paths() const;
  // As it is read there, but of sectors that cannot be.
  std::size_t read(std::uint64_t file, std::vector<char>& into, std::uint64_t offset) const;
  std::uint64_t first_difference(std::uint64_t file, const disk_image& other, std::uint64_t file_there) const;

  std::shared_ptr<page_store> pages_;
  std::map<std::uint64_t, image_file> files_;
  bad_sectors bad_;
};

// What a power cut may leave.
struct crash_image {
  disk_image disk;
  // A line for each change that is lost or torn: "write 3 at 0 to a\n"; empty if nothing is lost.
  std::string lost;
};

}  // namespace lockstep::sim
