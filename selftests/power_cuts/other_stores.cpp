// Stores of one file, and Git.
#include "crash_bugs.hpp"
#include "plain_calls.hpp"

namespace lockstep::power_cuts {
namespace {

using testing::AnyOf;
using testing::Optional;

// -- H10: Git ---------------------------------------------------------------------------------------------------------

void commits(bool with_syncs) {
  write_file("/objects/tmp", "two", 0, with_syncs);
  link_path("/objects/tmp", "/objects/2222");
  remove_path("/objects/tmp");
  if (with_syncs) sync_path("/objects");
  write_file("/refs/main.lock", "2222", 0, with_syncs);
  rename_path("/refs/main.lock", "/refs/main");
}
void commits_without_syncs(promises&) { commits(false); }
void commits_with_syncs(promises& promised) {
  commits(true);
  sync_path("/refs");
  promised = {"2222"};
}
void finds_the_commit(const promises& promised) {
  const std::string name = text_at("/refs/main").value_or("none");
  EXPECT_THAT(name, AnyOf("1111", "2222"));
  EXPECT_EQ(text_at("/objects/" + name), name == "1111" ? "one" : "two") << name;
  if (!promised.empty()) {
    EXPECT_EQ(name, *promised.begin());
  }
}

// -- H12: GDBM --------------------------------------------------------------------------------------------------------

void creates_in_pieces(promises& promised) {
  create("/data.gdbm");
  append_to("/data.gdbm", "header\n");
  append_to("/data.gdbm", "directory\n");
  append_to("/data.gdbm", "bucket\n");
  sync_path("/data.gdbm");
  promised = {"created"};
}
void creates_under_another_name(promises& promised) {
  write_file("/data.new", "header\ndirectory\nbucket\n", 0, true);
  rename_path("/data.new", "/data.gdbm");
  sync_path("/");
  promised = {"created"};
}
void finds_a_whole_store(const promises& promised) {
  const std::optional<std::string> text = text_at("/data.gdbm");
  if (promised.empty() && text.value_or("").empty()) return;  // it is made anew
  EXPECT_EQ(text, "header\ndirectory\nbucket\n");
}

// -- H13: SQLite ------------------------------------------------------------------------------------------------------

void commits_by_a_journal(promises& promised, bool sync_of_the_end) {
  write_file("/data.db-journal", "old;", 0, true);
  sync_path("/");
  write_file("/data.db", "new", 0, true);
  remove_path("/data.db-journal");
  if (sync_of_the_end) sync_path("/");
  promised = {"new"};
}
void commits_without_a_sync_of_the_directory(promises& promised) { commits_by_a_journal(promised, false); }
void commits_with_a_sync_of_the_directory(promises& promised) { commits_by_a_journal(promised, true); }
void rolls_back(const promises& promised) {
  const bool is_hot = text_at("/data.db-journal") == "old;";
  const std::optional<std::string> text = is_hot ? std::optional<std::string>("old") : text_at("/data.db");
  EXPECT_THAT(text, Optional(AnyOf("old", "new")));
  if (!promised.empty()) {
    EXPECT_EQ(text, "new");
  }
}

// -- H16: bbolt -------------------------------------------------------------------------------------------------------

const std::string four_pages(std::size_t{4} * 4096, 'p');

void initializes_in_place(promises& promised) {
  write_file("/db", four_pages, 0, true);
  sync_path("/");
  promised = {"created"};
}
void initializes_under_another_name(promises& promised) {
  write_file("/db.new", four_pages, 0, true);
  rename_path("/db.new", "/db");
  sync_path("/");
  promised = {"created"};
}
void finds_all_pages(const promises& promised) {
  const std::optional<std::string> text = text_at("/db");
  if (promised.empty() && text.value_or("").empty()) return;  // it is made anew
  EXPECT_TRUE(text == four_pages) << text.value_or("").size() << " bytes of it";
}

}  // namespace

std::vector<crash_bug> bugs_of_other_stores() {
  return {
      {"H10",
       "Git: a reference names an object that was not synced",
       "ALICE, figure 4; libgit2#4123",
       {{"/objects/1111", "one"}, {"/refs/main", "1111"}},
       commits_without_syncs,
       commits_with_syncs,
       finds_the_commit,
       finds_the_commit,
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H12",
       "GDBM: a store is made in pieces",
       "ALICE",
       {},
       creates_in_pieces,
       creates_under_another_name,
       finds_a_whole_store,
       finds_a_whole_store,
       {"process_crash", "data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync",
        "weakest"}},
      {"H13",
       "SQLite: a journal whose end is not synced rolls back a commit",
       "ALICE",
       {{"/data.db", "old"}},
       commits_without_a_sync_of_the_directory,
       commits_with_a_sync_of_the_directory,
       rolls_back,
       rolls_back,
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"}},
      {"H16",
       "bbolt: the first write, of four pages, is torn",
       "etcd-io/etcd#16596; etcd-io/bbolt#567; LazyFS etcd-16 to 18",
       {},
       initializes_in_place,
       initializes_under_another_name,
       finds_all_pages,
       finds_all_pages,
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
  };
}

}  // namespace lockstep::power_cuts
