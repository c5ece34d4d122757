// LevelDB and its kin: CURRENT names the manifest, which names the tables; logs have what is in no table yet.
#include "crash_bugs.hpp"
#include "plain_calls.hpp"

#include <algorithm>

namespace lockstep::power_cuts {
namespace {

constexpr const char* current = "/db/CURRENT";
constexpr const char* first_manifest = "/db/MANIFEST1";
constexpr const char* second_manifest = "/db/MANIFEST2";
constexpr const char* temporary = "/db/1.dbtmp";

const std::vector<std::pair<std::string_view, std::string>> with_first_manifest = {{current, "MANIFEST1"},
                                                                                   {first_manifest, "tables\n"}};

// Without a CURRENT a database is made anew. With one it is opened, or cannot be.
void finds_the_manifest(const promises&) {
  const std::optional<std::string> name = text_at(current);
  if (name) {
    EXPECT_EQ(text_at("/db/" + *name), "tables\n") << "CURRENT: " << testing::PrintToString(*name);
  }
}

// Of a database that was there before.
void still_finds_the_manifest(const promises& promised) {
  EXPECT_TRUE(text_at(current)) << "it would be made anew";
  finds_the_manifest(promised);
}

void makes_current(const std::string& manifest, bool synced) {
  write_file(temporary, manifest, 0, synced);
  rename_path(temporary, current);
}

// -- H1, H6: a new database -------------------------------------------------------------------------------------------

void creates_without_syncs(promises&) {
  write_file(first_manifest, "tables\n");
  makes_current("MANIFEST1", false);
}
void creates_with_syncs(promises&) {
  write_file(first_manifest, "tables\n", 0, true);
  sync_path("/db");
  makes_current("MANIFEST1", true);
  sync_path("/db");
}

// The sync of the second manifest makes the name CURRENT durable, and not what the first has in it.
void creates_and_opens_without_syncs(promises& promised) {
  creates_without_syncs(promised);
  write_file(second_manifest, "tables\n", 0, true);
}
void creates_and_opens_with_syncs(promises& promised) {
  creates_with_syncs(promised);
  write_file(second_manifest, "tables\n", 0, true);
}

// -- H2, H8, H9: another manifest -------------------------------------------------------------------------------------

void replaces_current_without_a_sync(promises&) {
  write_file(second_manifest, "tables\n", 0, true);
  makes_current("MANIFEST2", false);
}
void replaces_current_with_syncs(promises&) {
  write_file(second_manifest, "tables\n", 0, true);
  sync_path("/db");
  makes_current("MANIFEST2", true);
  sync_path("/db");
}

void replaces_a_manifest_without_a_sync(promises&) {
  write_file(second_manifest, "tables\n");
  makes_current("MANIFEST2", true);
  remove_path(first_manifest);
}
void replaces_a_manifest_without_a_sync_of_the_directory(promises&) {
  write_file(second_manifest, "tables\n", 0, true);
  sync_path("/db");
  makes_current("MANIFEST2", true);
  remove_path(first_manifest);
}
void replaces_a_manifest_with_syncs(promises& promised) {
  replaces_current_with_syncs(promised);
  remove_path(first_manifest);
}

// -- H4: a log that is full -------------------------------------------------------------------------------------------

void puts_into_two_logs(promises& promised, bool sync_of_the_first) {
  append_to("/db/3.log", "a\n");
  append_to("/db/3.log", "b\n");
  if (sync_of_the_first) sync_path("/db/3.log");
  create("/db/5.log");
  if (sync_of_the_first) sync_path("/db");
  append_to("/db/5.log", "c\n");
  sync_path("/db/5.log");
  promised = {"a", "b", "c"};  // as a sync is one of all that was put before
}
void puts_without_a_sync_of_the_full_log(promises& promised) { puts_into_two_logs(promised, false); }
void puts_with_a_sync_of_the_full_log(promises& promised) { puts_into_two_logs(promised, true); }

void finds_what_was_put_first(const promises& promised) {
  std::vector<std::string> found = records_in(text_at("/db/3.log"));
  for (const std::string& each : records_in(text_at("/db/5.log"))) found.push_back(each);
  const std::vector<std::string> all = {"a", "b", "c"};
  EXPECT_TRUE(found.size() <= all.size() && std::equal(found.begin(), found.end(), all.begin()))
      << testing::PrintToString(found);
  EXPECT_GE(found.size(), promised.size());
}

// -- H7: a table ------------------------------------------------------------------------------------------------------

void compacts(promises& promised, bool sync_of_the_name) {
  promised = {"a"};
  write_file("/db/5.ldb", "a\n");
  sync_data_of("/db/5.ldb");
  if (sync_of_the_name) sync_path("/db");
  append_to(first_manifest, "table5\n");
  sync_data_of(first_manifest);
  remove_path("/db/4.log");
}
void compacts_without_a_sync_of_the_name(promises& promised) { compacts(promised, false); }
void compacts_with_a_sync_of_the_name(promises& promised) { compacts(promised, true); }

void finds_the_tables(const promises& promised) {
  const std::vector<std::string> manifest = records_in(text_at(first_manifest));
  const bool in_table = !manifest.empty() && manifest.back() == "table5";
  const std::vector<std::string> found = records_in(text_at(in_table ? "/db/5.ldb" : "/db/4.log"));
  EXPECT_GE(found.size(), promised.size());
}

}  // namespace

std::vector<crash_bug> bugs_of_log_structured_stores() {
  return {
      {"H1",
       "LevelDB to 1.10: CURRENT names a manifest that was not synced",
       "google/leveldb#189",
       {{"/db/", ""}},
       creates_without_syncs,
       creates_with_syncs,
       finds_the_manifest,
       finds_the_manifest,
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H2",
       "LevelDB: CURRENT is of NULs",
       "google/leveldb#74",
       with_first_manifest,
       replaces_current_without_a_sync,
       replaces_current_with_syncs,
       still_finds_the_manifest,
       still_finds_the_manifest,
       {"ext3_writeback", "weakest"}},
      {"H4",
       "LevelDB: a log is synced, and the full one before it is not",
       "google/leveldb#193; LazyFS leveldb-4, 5",
       {{"/db/3.log", ""}},
       puts_without_a_sync_of_the_full_log,
       puts_with_a_sync_of_the_full_log,
       finds_what_was_put_first,
       finds_what_was_put_first,
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"}},
      {"H6",
       "LevelDB 1.15: the second manifest is synced, and the first is not",
       "LazyFS leveldb-3",
       {{"/db/", ""}},
       creates_and_opens_without_syncs,
       creates_and_opens_with_syncs,
       finds_the_manifest,
       finds_the_manifest,
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H7",
       "LevelDB 1.15: the name of a table is never synced",
       "ALICE, section 4.2",
       {{first_manifest, "log4\n"}, {"/db/4.log", "a\n"}},
       compacts_without_a_sync_of_the_name,
       compacts_with_a_sync_of_the_name,
       finds_the_tables,
       finds_the_tables,
       {"strict_sync", "weakest"}},
      {"H8",
       "goleveldb: a manifest that was not synced takes the place of one that was",
       "syndtr/goleveldb#351",
       with_first_manifest,
       replaces_a_manifest_without_a_sync,
       replaces_a_manifest_with_syncs,
       still_finds_the_manifest,
       still_finds_the_manifest,
       {"ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H9",
       "RocksDB: the old manifest is removed before CURRENT is durable",
       "facebook/rocksdb#10573",
       with_first_manifest,
       replaces_a_manifest_without_a_sync_of_the_directory,
       replaces_a_manifest_with_syncs,
       still_finds_the_manifest,
       still_finds_the_manifest,
       {"btrfs_like", "weakest"}},
  };
}

}  // namespace lockstep::power_cuts
