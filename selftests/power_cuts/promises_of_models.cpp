#include "plain_calls.hpp"
#include "sequences.hpp"

namespace lockstep::power_cuts {
namespace {

using sim::disk_image;

constexpr std::size_t sector = 512;
constexpr std::size_t page = 4096;

const std::string page_but_one_byte(page - 1, '.');

void makes_a_page_but_one_byte() { write_file("/f", page_but_one_byte); }
void makes_old_files() {
  write_file("/f", "old");
  write_file("/g", "old");
}
bool f_is_new(const disk_image& image) { return image.text_of("/f") == "new"; }
bool f_is_old(const disk_image& image) { return image.text_of("/f") == "old"; }

// -- names ------------------------------------------------------------------------------------------------------------

void moves() { rename_path("/f", "/h"); }
void replaces_by_another() {
  write_file("/f.new", "new");
  rename_path("/f.new", "/f");
}
void makes_two_directories() {
  make_directory("/a");
  make_directory("/b");
}
void moves_and_truncates() {
  rename_path("/f", "/h");
  resize("/g", 0);
}
void truncates_and_moves() {
  resize("/g", 0);
  rename_path("/f", "/h");
}
void makes_another_under_a_new_name() {
  write_file("/f.new", "new");
  rename_path("/f.new", "/h");
}
void makes_a_file_in_a_directory() {
  make_directory("/d");
  write_file("/d/f", "old");
}
void makes_a_file_in_one_of_two_directories() {
  makes_a_file_in_a_directory();
  make_directory("/e");
}
void moves_and_removes_the_directory() {
  rename_path("/d/f", "/e/f");
  EXPECT_EQ(here().unlinkat(AT_FDCWD, "/d", AT_REMOVEDIR), 0);
}
void moves_to_another_directory_and_removes_that() {
  make_directory("/e");
  moves_and_removes_the_directory();
}
void moves_and_syncs_the_end_of_the_directory() {
  moves_and_removes_the_directory();
  sync_path("/");
}
void makes_a_directory_and_appends() {
  make_directory("/a");
  append_to("/f", "+");
}

// -- contents ---------------------------------------------------------------------------------------------------------

void overwrites_and_makes_a_directory() {
  write_file("/f", "new");
  make_directory("/a");
}
void appends_and_makes_a_directory() {
  append_to("/f", "+");
  make_directory("/a");
}
void overwrites_two_files() {
  write_file("/f", "new");
  write_file("/g", "new");
}
// To two pages.
void appends_twice() {
  append_to("/f", "1");
  append_to("/f", "2");
}
void appends_to_two_files() {
  append_to("/f", "+");
  append_to("/g", "+");
}
void appends_once() { append_to("/f", "1"); }

void makes_blocks() {
  write_file("/f", std::string(page, 'o'));
  write_file("/g", "");
}
void overwrites_a_sector() { write_file("/f", std::string(sector, 'n'), sector); }
void overwrites_a_block() { write_file("/f", std::string(page, 'n')); }
void appends_more_than_a_block() { append_to("/g", std::string(page + sector, 'n')); }

// Of those letters, each that is there.
std::set<char> letters_of(const std::string& text) { return {text.begin(), text.end()}; }

// -- syncs ------------------------------------------------------------------------------------------------------------

void makes_and_syncs() { write_file("/h", "new", 0, true); }
void makes_a_directory_and_syncs_another_file() {
  make_directory("/a");
  write_file("/f", "new", 0, true);
}
void overwrites_and_makes_a_directory_and_syncs() {
  write_file("/f", "new");
  make_directory("/a");
  sync_path("/f");
}
void makes_a_directory_and_syncs_what_is_overwritten() {
  make_directory("/a");
  write_file("/f", "new");
  sync_data_of("/f");
}
void makes_a_directory_and_syncs_what_is_appended() {
  make_directory("/a");
  append_to("/f", "+");
  sync_data_of("/f");
}
void moves_and_syncs_data() {
  rename_path("/f", "/h");
  append_to("/h", "+");
  sync_data_of("/h");
}
void moves_and_syncs_what_is_overwritten() {
  rename_path("/f", "/h");
  write_file("/h", "new");
  sync_data_of("/h");
}
void replaces_with_syncs() {
  write_file("/f.new", "new", 0, true);
  rename_path("/f.new", "/f");
  sync_path("/");
}

std::vector<sequence> promises_about_names() {
  return {
      {"G1",
       "rename f to h",
       "one of the names is there, and not both",
       makes_old_files,
       moves,
       [](const disk_image& image) { return is_there(image, "/f") != is_there(image, "/h"); },
       {"weakest"}},
      {"G2",
       "write another file; rename it to f",
       "f is the old or the new, whole",
       makes_old_files,
       replaces_by_another,
       [](const disk_image& image) { return f_is_old(image) || f_is_new(image); },
       {"ext3_writeback", "weakest"}},
      {"G3",
       "mkdir a; mkdir b",
       "b is there only with a",
       makes_old_files,
       makes_two_directories,
       [](const disk_image& image) { return is_there(image, "/a") || !is_there(image, "/b"); },
       {"btrfs_like", "weakest"}},
      {"G4",
       "rename f to h; truncate g",
       "g is empty only if f has moved",
       makes_old_files,
       moves_and_truncates,
       [](const disk_image& image) { return is_there(image, "/h") || !image.text_of("/g").empty(); },
       {"btrfs_like", "weakest"}},
      {"G5",
       "truncate g; rename f to h",
       "f has moved only if g is empty",
       makes_old_files,
       truncates_and_moves,
       [](const disk_image& image) { return is_there(image, "/f") || image.text_of("/g").empty(); },
       {"btrfs_like", "weakest"}},
      {"G6",
       "write another file; rename it to h, where there is none",
       "h is not there, or whole",
       makes_old_files,
       makes_another_under_a_new_name,
       [](const disk_image& image) { return !is_there(image, "/h") || image.text_of("/h") == "new"; },
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"G7",
       "mkdir a; append to f",
       "f has grown only if a is there",
       makes_old_files,
       makes_a_directory_and_appends,
       [](const disk_image& image) { return is_there(image, "/a") || f_is_old(image); },
       {"btrfs_like", "weakest"}},
  };
}

std::vector<sequence> promises_about_contents() {
  return {
      {"G8",
       "overwrite f; mkdir a",
       "a is there only if f is new",
       makes_old_files,
       overwrites_and_makes_a_directory,
       [](const disk_image& image) { return f_is_new(image) || !is_there(image, "/a"); },
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"G9",
       "append to f; mkdir a",
       "a is there only if f has grown",
       makes_old_files,
       appends_and_makes_a_directory,
       [](const disk_image& image) { return image.text_of("/f") == "old+" || !is_there(image, "/a"); },
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"G10",
       "overwrite f; overwrite g",
       "g is new only if f is",
       makes_old_files,
       overwrites_two_files,
       [](const disk_image& image) { return f_is_new(image) || image.text_of("/g") == "old"; },
       {"ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"G11",
       "append 1 to f; append 2 to f, to another page",
       "f has grown by nothing, by 1, or by 12",
       makes_a_page_but_one_byte,
       appends_twice,
       [](const disk_image& image) {
         const std::string f = image.text_of("/f");
         return f == page_but_one_byte || f == page_but_one_byte + "1" || f == page_but_one_byte + "12";
       },
       {"btrfs_like", "ext3_writeback", "weakest"}},
      {"G12",
       "append to f; append to g",
       "g has grown only if f has",
       makes_old_files,
       appends_to_two_files,
       [](const disk_image& image) { return image.text_of("/f").size() == 4 || image.text_of("/g").size() == 3; },
       {"ext4_ordered", "btrfs_like", "weakest"}},
      {"G13",
       "append to f",
       "f has not grown, or has what was appended",
       makes_old_files,
       appends_once,
       [](const disk_image& image) { return f_is_old(image) || image.text_of("/f") == "old1"; },
       {"ext3_writeback", "weakest"}},
      {"G14",
       "overwrite 512 bytes of f, a sector",
       "f has all of them or none",
       makes_blocks,
       overwrites_a_sector,
       [](const disk_image& image) { return letters_of(image.text_of("/f").substr(sector, sector)).size() == 1; },
       {}},
      {"G15",
       "overwrite 4 KiB of f, a block",
       "f has all of them or none",
       makes_blocks,
       overwrites_a_block,
       [](const disk_image& image) { return letters_of(image.text_of("/f")).size() == 1; },
       {"weakest"}},
      {"G16",
       "append 4.5 KiB to g, two blocks",
       "g has all of them or none",
       makes_blocks,
       appends_more_than_a_block,
       [](const disk_image& image) {
         const std::string g = image.text_of("/g");
         return g.empty() || g == std::string(page + sector, 'n');
       },
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
  };
}

std::vector<sequence> promises_about_syncs() {
  return {
      {"G17",
       "make h; fsync h",
       "h is there",
       makes_old_files,
       makes_and_syncs,
       [](const disk_image& image) { return image.text_of("/h") == "new"; },
       {"strict_sync", "weakest"}},
      {"G18",
       "mkdir a; overwrite f; fsync f",
       "a is there",
       makes_old_files,
       makes_a_directory_and_syncs_another_file,
       [](const disk_image& image) { return is_there(image, "/a"); },
       {"btrfs_like", "strict_sync", "weakest"}},
      {"G19",
       "overwrite f; overwrite g",
       "both are new",
       makes_old_files,
       overwrites_two_files,
       [](const disk_image& image) { return f_is_new(image) && image.text_of("/g") == "new"; },
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"}},
      {"G20",
       "write another file; fsync it; rename it to f; fsync the directory",
       "f is new",
       makes_old_files,
       replaces_with_syncs,
       f_is_new,
       {}},
      {"G21",
       "overwrite f; mkdir a; fsync f",
       "a is there",
       makes_old_files,
       overwrites_and_makes_a_directory_and_syncs,
       [](const disk_image& image) { return is_there(image, "/a"); },
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"}},
      {"G22",
       "mkdir a; append to f; fdatasync f",
       "a is there",
       makes_old_files,
       makes_a_directory_and_syncs_what_is_appended,
       [](const disk_image& image) { return is_there(image, "/a"); },
       {"btrfs_like", "strict_sync", "weakest"}},
      {"G23",
       "mkdir a; overwrite f; fdatasync f",
       "a is there",
       makes_old_files,
       makes_a_directory_and_syncs_what_is_overwritten,
       [](const disk_image& image) { return is_there(image, "/a"); },
       {"ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"}},
      {"G24",
       "rename f to h; append to h; fdatasync h",
       "h is there",
       makes_old_files,
       moves_and_syncs_data,
       [](const disk_image& image) { return is_there(image, "/h"); },
       {"strict_sync", "weakest"}},
      {"G25",
       "rename f to h; overwrite h; fdatasync h",
       "h is there",
       makes_old_files,
       moves_and_syncs_what_is_overwritten,
       [](const disk_image& image) { return is_there(image, "/h"); },
       {"ext3_ordered", "ext4_ordered", "ext3_writeback", "strict_sync", "weakest"}},
      {"G26",
       "rename d/f to e/f; rmdir d; fsync the directory that d was in",
       "e/f is there",
       makes_a_file_in_one_of_two_directories,
       moves_and_syncs_the_end_of_the_directory,
       [](const disk_image& image) { return image.text_of("/e/f") == "old"; },
       {"strict_sync", "weakest"}},
      {"G27",
       "mkdir e; rename d/f to e/f; rmdir d",
       "one of the names is there, and not both",
       makes_a_file_in_a_directory,
       moves_to_another_directory_and_removes_that,
       [](const disk_image& image) { return is_there(image, "/d/f") != is_there(image, "/e/f"); },
       {"weakest"}},
  };
}

}  // namespace

std::vector<sequence> promises_of_models() {
  std::vector<sequence> all = promises_about_names();
  for (const auto& more : {promises_about_contents(), promises_about_syncs()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace lockstep::power_cuts
