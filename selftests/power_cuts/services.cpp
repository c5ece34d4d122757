// Services that acknowledge what they log.
#include "crash_bugs.hpp"
#include "plain_calls.hpp"

#include <lockstep/sim/fault.hpp>

namespace lockstep::power_cuts {
namespace {

// -- H15: ZooKeeper ---------------------------------------------------------------------------------------------------

constexpr const char* transactions = "/zk/log.1";

void logs_without_a_sync_of_the_name(promises& promised) {
  write_file(transactions, "header\n");
  sync_data_of(transactions);
  append_to(transactions, "set\n");
  sync_data_of(transactions);
  promised = {"set"};
}
void logs_with_a_sync_of_the_name(promises& promised) {
  create(transactions);
  append_to(transactions, "header\n");
  sync_path(transactions);
  sync_path("/zk");
  append_to(transactions, "set\n");
  sync_data_of(transactions);
  promised = {"set"};
}
void replays(const promises& promised) {
  const std::vector<std::string> records = records_in(text_at(transactions));
  if (!promised.empty()) {
    EXPECT_EQ(records, (std::vector<std::string>{"header", "set"}));
  }
}
void replays_what_has_a_header(const promises& promised) {
  const std::vector<std::string> records = records_in(text_at(transactions));
  if (text_at(transactions)) {
    EXPECT_FALSE(records.empty()) << "EOFException: Failed to read";
  }
  replays(promised);
}

// -- H17: etcd 2.3 ----------------------------------------------------------------------------------------------------

const std::string allocated(std::size_t{4} * 4096, '\0');
const std::string record = "r" + std::string(std::size_t{2} * 4096 - 2, 'e') + "c";

void logs_a_large_record(promises& promised) {
  write_file("/wal", record, 0, true);
  promised = {"record"};
}
// A record of which only a part is there is one that was not written.
void reads_whole_records(const promises& promised) {
  const std::string text = text_at("/wal").value_or("");
  EXPECT_EQ(text.size(), allocated.size());
  if (!promised.empty()) {
    EXPECT_TRUE(text.starts_with(record));
  }
}
void reads_records(const promises& promised) {
  const std::string text = text_at("/wal").value_or("");
  EXPECT_TRUE(text == allocated || text.starts_with(record)) << "crc mismatch";
  reads_whole_records(promised);
}

// -- H18: etcd 3.5 ----------------------------------------------------------------------------------------------------

void replicates(promises& promised, bool synced) {
  for (const char* member : {"/1/wal", "/2/wal"}) {
    append_to(member, "put\n");
    if (synced) sync_data_of(member);
  }
  promised = {"put"};
}
void acknowledges_what_is_in_memory(promises& promised) { replicates(promised, false); }
void acknowledges_what_is_synced(promises& promised) { replicates(promised, true); }
void has_a_majority(const promises& promised) {
  std::size_t members = 0;
  for (const char* member : {"/1/wal", "/2/wal", "/3/wal"}) members += records_in(text_at(member)).size();
  EXPECT_GE(members, 2 * promised.size());
}

// -- H20: Redis -------------------------------------------------------------------------------------------------------

constexpr const char* commands = "/redis/appendonly.aof";

// Returns whether all is well.
bool logs_a_command(promises& promised, const std::string& text, bool looks_at_errors) {
  const int fd = make_file(commands, O_WRONLY | O_APPEND);
  write_text(here(), fd, text + "\n");
  const bool failed = here().fsync(fd) != 0;
  here().close(fd);
  if (failed && looks_at_errors) return false;
  promised.insert(text);
  return true;
}
// What could not be written is lost in every model: the page is taken for clean, and not kept in memory.
void logs_commands(promises& promised, bool looks_at_errors) {
  const fault broken = on(op::sync).to(commands).nth(2).fail(EIO);
  for (const char* each : {"a", "b", "c"}) {
    if (!logs_a_command(promised, each, looks_at_errors)) return;
  }
}
void goes_on_after_an_error(promises& promised) { logs_commands(promised, false); }
void ends_with_an_error(promises& promised) { logs_commands(promised, true); }
void finds_commands(const promises& promised) {
  const std::vector<std::string> found = records_in(text_at(commands));
  for (const std::string& each : promised) EXPECT_THAT(found, testing::Contains(each));
}

void rewrites(promises& promised, bool sync_of_the_directory) {
  promised = {"a"};
  write_file("/redis/temporary.aof", "a\n", 0, true);
  rename_path("/redis/temporary.aof", commands);
  if (sync_of_the_directory) sync_path("/redis");
  append_to(commands, "b\n");
  sync_path(commands);
  promised = {"a", "b"};
}
void rewrites_without_a_sync_of_the_directory(promises& promised) { rewrites(promised, false); }
void rewrites_with_a_sync_of_the_directory(promises& promised) { rewrites(promised, true); }

// -- H21, H22: files that are written once ----------------------------------------------------------------------------

void writes_without_a_sync(promises& promised) {
  write_file("/admin.macaroon", "secret");
  promised = {"secret"};
}
void writes_with_syncs(promises& promised) {
  write_file("/admin.macaroon", "secret", 0, true);
  sync_path("/");
  promised = {"secret"};
}
void finds_the_secret(const promises& promised) {
  if (!promised.empty()) {
    EXPECT_EQ(text_at("/admin.macaroon"), "secret");
  }
}

void collects(promises& promised, bool sync_of_the_directory) {
  promised = {"a", "b"};
  write_file("/store.new", "a\nb\n", 0, true);
  rename_path("/store.new", "/store");
  if (sync_of_the_directory) sync_path("/");
  resize("/journal", 0);
  sync_path("/journal");
}
void collects_without_a_sync_of_the_directory(promises& promised) { collects(promised, false); }
void collects_with_a_sync_of_the_directory(promises& promised) { collects(promised, true); }
void finds_chunks(const promises& promised) {
  std::vector<std::string> found = records_in(text_at("/store"));
  for (const std::string& each : records_in(text_at("/journal"))) found.push_back(each);
  for (const std::string& each : promised) EXPECT_THAT(found, testing::Contains(each));
}

}  // namespace

std::vector<crash_bug> bugs_of_services() {
  const std::set<std::string_view> whenever_something_is_lost = {
      "data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "strict_sync", "weakest"};
  return {
      {"H15",
       "ZooKeeper: the name of a log is never synced",
       "ALICE",
       {{"/zk/", ""}},
       logs_without_a_sync_of_the_name,
       logs_with_a_sync_of_the_name,
       replays,
       replays,
       {"strict_sync", "weakest"}},
      {"H15",
       "ZooKeeper: a log without a header keeps it from starting",
       "ZOOKEEPER-2332; LazyFS zk-2, 7, 8",
       {{"/zk/", ""}},
       logs_with_a_sync_of_the_name,
       logs_with_a_sync_of_the_name,
       replays_what_has_a_header,
       replays,
       {"process_crash", "data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H17",
       "etcd 2.3: half of a record is there, and its checksum keeps it from starting",
       "LazyFS etcd-9, 10",
       {{"/wal", allocated}},
       logs_a_large_record,
       logs_a_large_record,
       reads_records,
       reads_whole_records,
       {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback", "weakest"}},
      {"H18",
       "etcd 3.5: the power of all members is cut before a commit is synced",
       "etcd-io/etcd#14143, #14098, #14140",
       {{"/1/wal", ""}, {"/2/wal", ""}, {"/3/wal", ""}},
       acknowledges_what_is_in_memory,
       acknowledges_what_is_synced,
       has_a_majority,
       has_a_majority,
       whenever_something_is_lost},
      {"H20",
       "Redis: the error of a sync is ignored",
       "redis/redis#8111",
       {{commands, ""}},
       goes_on_after_an_error,
       ends_with_an_error,
       finds_commands,
       finds_commands,
       whenever_something_is_lost},
      {"H20",
       "Redis: the directory is not synced behind a rename",
       "redis/redis#8347, #10737; LazyFS redis-11",
       {{commands, "a\n"}},
       rewrites_without_a_sync_of_the_directory,
       rewrites_with_a_sync_of_the_directory,
       finds_commands,
       finds_commands,
       {"strict_sync", "weakest"}},
      {"H21",
       "lnd, Postgres: a file is written and never synced",
       "LazyFS",
       {},
       writes_without_a_sync,
       writes_with_syncs,
       finds_the_secret,
       finds_the_secret,
       whenever_something_is_lost},
      {"H22",
       "doltlite: a journal is emptied before the new store is durable",
       "dolthub/doltlite#509",
       {{"/store", "a\n"}, {"/journal", "b\n"}},
       collects_without_a_sync_of_the_directory,
       collects_with_a_sync_of_the_directory,
       finds_chunks,
       finds_chunks,
       {"btrfs_like", "strict_sync", "weakest"}},
  };
}

}  // namespace lockstep::power_cuts
