#include "plain_calls.hpp"
#include "sequences.hpp"

#include <linux/falloc.h>

namespace lockstep::power_cuts {
namespace {

using sim::disk_image;

void does_nothing() {}
void makes_a_and_b() {
  make_directory("/A");
  make_directory("/B");
}

void renames_over_what_was_synced() {
  make_directory("/A");
  write_file("/A/bar", "old", 0, true);
  make_directory("/B");
  write_file("/B/bar", "new");
  rename_path("/B/bar", "/A/bar");
  write_file("/A/foo", "foo", 0, true);
  sync_path("/A");
}

void syncs_the_directory_of_a_link() {
  make_directory("/A");
  make_directory("/B");
  make_directory("/A/C");
  write_file("/B/foo", "foo", 0, true);
  link_path("/B/foo", "/A/C/foo");
  sync_path("/A");
}

void makes_a() { make_directory("/A"); }
void renames_a_directory() {
  rename_path("/A", "/B");
  write_file("/B/foo", "foo", 0, true);
}
void renames_a_directory_and_syncs_it() {
  renames_a_directory();
  sync_path("/B");
}

void links_and_syncs() {
  write_file("/A/foo", "foo");
  link_path("/A/foo", "/B/foo");
  sync_path("/B/foo");
}
void links_and_syncs_the_first_name() {
  write_file("/A/foo", "foo");
  link_path("/A/foo", "/B/foo");
  sync_path("/A/foo");
}
void links_and_syncs_the_directories() {
  links_and_syncs();
  sync_path("/A");
  sync_path("/B");
}
bool has_the_file(const disk_image& image) {
  return image.text_of("/A/foo") == "foo" || image.text_of("/B/foo") == "foo";
}

void makes_two_of_one_name() {
  make_directory("/test");
  make_directory("/test/A");
  create("/test/foo");
  create("/test/A/foo");
  sync_path("/test/A/foo");
  sync_path("/test");
}

const std::string sixteen_kib(std::size_t{16} * 1024, 'x');
void allocates_behind_the_end(int mode) {
  write_file("/foo", sixteen_kib, 0, true);
  const int fd = make_file("/foo");
  EXPECT_EQ(here().fallocate(fd, mode, 16'384, 4'096), 0);
  EXPECT_EQ(here().fsync(fd), 0);
  here().close(fd);
}
void allocates_and_keeps_the_size() { allocates_behind_the_end(FALLOC_FL_KEEP_SIZE); }
void zeroes_and_keeps_the_size() { allocates_behind_the_end(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE); }

void makes_a_linked_file() {
  write_file("/foo", "old");
  link_path("/foo", "/bar");
}
void makes_a_file_in_place_of_a_link() {
  remove_path("/bar");
  write_file("/bar", "new", 0, true);
}

void makes_a_symbolic_link() {
  EXPECT_EQ(here().symlinkat("foo", AT_FDCWD, "/A/link"), 0);
  sync_path("/A");
}

}  // namespace

std::vector<sequence> sequences_of_file_systems() {
  const std::set<std::string_view> without_a_sync_of_the_parent = {"strict_sync", "weakest"};
  return {
      {"F1",
       "mkdir A; make A/bar; fsync A/bar; mkdir B; make B/bar; rename B/bar to A/bar; make A/foo; fsync A/foo; fsync A",
       "A/bar is there, the old or the new", does_nothing, renames_over_what_was_synced,
       [](const disk_image& image) { return is_there(image, "/A/bar"); }, without_a_sync_of_the_parent},
      {"F3", "mkdir A, B, A/C; make B/foo; fsync B/foo; link B/foo to A/C/foo; fsync A", "A is there", does_nothing,
       syncs_the_directory_of_a_link, [](const disk_image& image) { return is_there(image, "/A"); },
       without_a_sync_of_the_parent},
      {"F4", "mkdir A; sync; rename A to B; make B/foo; fsync B/foo", "B/foo is there", makes_a, renames_a_directory,
       [](const disk_image& image) { return image.text_of("/B/foo") == "foo"; }, without_a_sync_of_the_parent},
      {"F5", "mkdir A, B; sync; make A/foo; link A/foo to B/foo; fsync B/foo", "the file is there", makes_a_and_b,
       links_and_syncs, has_the_file, without_a_sync_of_the_parent},
      {"F6", "mkdir test, test/A; make test/foo, test/A/foo; fsync test/A/foo; fsync test", "test/foo is there",
       does_nothing, makes_two_of_one_name, [](const disk_image& image) { return is_there(image, "/test/foo"); },
       without_a_sync_of_the_parent},
      {"F7", "the same as F5, but fsync A/foo", "the file is there", makes_a_and_b, links_and_syncs_the_first_name,
       has_the_file, without_a_sync_of_the_parent},
      {"F7",
       "the same as F5; fsync A; fsync B",
       "both names are there",
       makes_a_and_b,
       links_and_syncs_the_directories,
       [](const disk_image& image) { return image.text_of("/A/foo") == "foo" && image.text_of("/B/foo") == "foo"; },
       {}},
      {"F8",
       "write 16 KiB to foo; fsync foo; fallocate 4 KiB behind it, FALLOC_FL_KEEP_SIZE; fsync foo",
       "foo has its 16 KiB",
       [] { create("/foo"); },
       allocates_and_keeps_the_size,
       [](const disk_image& image) { return image.text_of("/foo") == sixteen_kib; },
       {}},
      {"F9",
       "the same with FALLOC_FL_ZERO_RANGE",
       "foo has its 16 KiB",
       [] { create("/foo"); },
       zeroes_and_keeps_the_size,
       [](const disk_image& image) { return image.text_of("/foo") == sixteen_kib; },
       {}},
      {"F10", "the same as F4; fsync B", "B/foo is there", makes_a, renames_a_directory_and_syncs_it,
       [](const disk_image& image) { return image.text_of("/B/foo") == "foo"; }, without_a_sync_of_the_parent},
      {"F11", "make foo; link foo to bar; sync; unlink bar; make another bar; fsync bar",
       "bar is the other, and foo is what it was", makes_a_linked_file, makes_a_file_in_place_of_a_link,
       [](const disk_image& image) { return image.text_of("/bar") == "new" && image.text_of("/foo") == "old"; },
       without_a_sync_of_the_parent},
      {"F13",
       "mkdir A; sync; symlink A/link to foo; fsync A",
       "A/link says foo",
       makes_a,
       makes_a_symbolic_link,
       [](const disk_image& image) {
         const sim::image_file* const link = image.find("/A/link");
         return link != nullptr && link->target == "foo";
       },
       {}},
  };
}

}  // namespace lockstep::power_cuts
