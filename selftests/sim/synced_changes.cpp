// What a sync keeps of other changes, and what one that fails leaves.
#include "all_images.hpp"

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/fault.hpp>

#include <set>
#include <string>

namespace lockstep::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;

// Pages are dirty, and not bytes: a write to one that a sync has left clean is of all that is in it, once.
TEST(SyncedChanges, WritesAllOfAPageThatASyncHasFailedToWrite) {
  in_world([](system_calls& system) {
    const std::string page(page_bytes, 'a');
    write_file("/a", page + page, 0, true);
    system.sync();
    make_directory("/d");
    write_file("/a", std::string(2 * page_bytes, 'b'));
    const fault failing = on(op::sync).fail(EIO);
    const int fd = make_file("/a");
    EXPECT_EQ(system.fsync(fd), -EIO);
    system.close(fd);
    sync_path("/a");
    for (crash_model each : {ext4_ordered, data_journal}) {
      each.sync_commits = each.name == "ext4_ordered";
      EXPECT_THAT(all_images(log_here(), each), Contains("/a=" + page + page)) << "that had nothing to write";
    }
    write_file("/a", "c", page_bytes - 3);
    write_file("/a", "d", page_bytes - 4);
    EXPECT_EQ(log_here().operations().back().size, 1u);
    sync_path("/a");
    const std::string left = std::string(page_bytes - 4, 'b') + "dcbb";
    EXPECT_EQ(log_here().durable().text_of("/a"), left + page) << "and nothing of the next one";
  });
}

// Space that is set aside beside it brings nothing back.
TEST(SyncedChanges, WritesNothingOfAPageThatASyncHasFailedToWriteWhereNothingIsWritten) {
  in_world([](system_calls& system) {
    write_file("/a", "bbbb");
    const int fd = make_file("/a");
    const fault failing = on(op::sync).fail(EIO);
    EXPECT_EQ(system.fsync(fd), -EIO);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(system.fallocate(fd, 0, 4, 4), 0);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().files().rbegin()->second.content.size(), 8u);
    sync_path("/");
    EXPECT_EQ(log_here().durable().text_of("/a"), std::string(8, '\0'));
    system.close(fd);
  });
}

// A part of a page that is cleared is written as zeros, so the sync fails to write that too; and what is cleared or cut
// off later makes all of the page dirty.
TEST(SyncedChanges, LeavesNoMixtureOfAPageWhereASyncHasFailed) {
  const auto left_behind = [](bool clears_before, bool cuts, bool is_full) {
    std::string left;
    in_world([&](system_calls& system) {
      write_file("/a", "aaaa");
      system.sync();
      const int fd = make_file("/a");
      const auto clears = [&] {
        constexpr int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        EXPECT_EQ(cuts ? system.ftruncate(fd, 2) : system.fallocate(fd, hole, 1, 2), 0);
      };
      EXPECT_EQ(system.pwrite(fd, "bbbb", 4, 0), 4);
      if (clears_before) clears();
      {
        const fault failing = on(op::sync).fail(EIO);
        EXPECT_EQ(system.fsync(fd), -EIO);
      }
      if (!clears_before) clears();
      if (is_full) {
        log_here().set_changes_max(1);
        write_file("/other", "");
      } else {
        EXPECT_EQ(system.fsync(fd), 0);
      }
      left = log_here().durable().text_of("/a");
      system.close(fd);
    });
    return left;
  };
  for (const bool is_full : {false, true}) {
    EXPECT_EQ(left_behind(true, false, is_full), "aaaa") << is_full;
    EXPECT_EQ(left_behind(false, false, is_full), std::string("b\0\0b", 4)) << is_full;
    EXPECT_EQ(left_behind(true, true, is_full), "aa") << is_full;
    EXPECT_EQ(left_behind(false, true, is_full), "bb") << is_full;
  }
}

// By the order alone, where a sync commits nothing else.
TEST(SyncedChanges, KeepsWhatIsOrderedBeforeWhatASyncHasKept) {
  const auto images_behind = [](const crash_model& model, const char* synced) {
    std::set<std::string> images;
    in_world([&](system_calls& system) {
      make_directory("/d");
      write_file("/a", "old");
      system.sync();
      make_directory("/b");
      make_directory("/d/c");
      write_file("/a", "newer");
      sync_path(synced);
      crash_model without = model;
      without.sync_commits = false;
      images = all_images(log_here(), without);
    });
    return images;
  };
  using testing::Each;
  using testing::HasSubstr;
  EXPECT_THAT(images_behind(data_journal, "/a"), ElementsAre("/a=newer /b/ /d/ /d/c/"));
  EXPECT_THAT(images_behind(ext3_writeback, "/a"), ElementsAre("/a=newer /b/ /d/ /d/c/"));
  EXPECT_THAT(images_behind(ext4_ordered, "/a"), ElementsAre("/a=newer /b/ /d/ /d/c/"));
  EXPECT_THAT(images_behind(btrfs_like, "/a"), Contains("/a=newer /d/"));
  EXPECT_THAT(images_behind(ext4_ordered, "/d"), ElementsAre("/a=newer /b/ /d/ /d/c/", "/a=old /b/ /d/ /d/c/"));
}

// By a sync of something else.
TEST(SyncedChanges, KeepsWhatIsOrderedBeforeWhatASyncHasCommitted) {
  const auto images_behind = [](const crash_model& model, const auto& change, const char* synced) {
    std::set<std::string> images;
    in_world([&](system_calls& system) {
      make_directory("/d");
      write_file("/a", "old");
      system.sync();
      change();
      write_file("/d/b", "");
      sync_path(synced);
      images = all_images(log_here(), model);
    });
    return images;
  };
  crash_model journal = data_journal;
  const auto overwrites = [] { write_file("/a", "new"); };
  const auto overwrites_behind = [] {
    write_file("/d/b", "");
    write_file("/a", "new");
  };
  EXPECT_THAT(images_behind(journal, overwrites, "/d/b"), ElementsAre("/a=new /d/ /d/b="));
  EXPECT_THAT(images_behind(journal, overwrites_behind, "/d/b"), ElementsAre("/a=new /d/ /d/b=", "/a=old /d/ /d/b="));
  journal.sync_commits = false;
  EXPECT_THAT(images_behind(journal, overwrites, "/d"), ElementsAre("/a=new /d/ /d/b="));
  const auto replaces = [] {
    write_file("/a.new", "new");
    rename_path("/a.new", "/a");
  };
  EXPECT_THAT(images_behind(ext4_ordered, replaces, "/d"), ElementsAre("/a=new /d/ /d/b="));
  const auto appends_and_cuts = [] {
    write_file("/a", "est", 3);
    EXPECT_EQ(here().truncate("/a", 4), 0);
  };
  EXPECT_THAT(images_behind(ext4_ordered, appends_and_cuts, "/d"),
              ElementsAre(std::string("/a=old\0 /d/ /d/b=", 17), "/a=olde /d/ /d/b="));
}

// What ext4 has in i_sync_tid and i_datasync_tid.
TEST(SyncedChanges, CommitsWhatTheSyncWaitsForAndWhatWasBeforeIt) {
  const auto keeps = [](const auto& change, bool data_only) {
    bool always = true;
    in_world([&](system_calls& system) {
      write_file("/a", "old");
      system.sync();
      make_directory("/before");
      const int fd = make_file("/a");
      change(fd);
      EXPECT_EQ(data_only ? system.fdatasync(fd) : system.fsync(fd), 0);
      system.close(fd);
      for (const std::string& each : all_images(log_here(), ext4_ordered))
        always = always && each.find("/before/") != std::string::npos;
    });
    return always;
  };
  const auto overwrites = [](int fd) { EXPECT_EQ(here().pwrite(fd, "new", 3, 0), 3); };
  const auto appends = [](int fd) { EXPECT_EQ(here().pwrite(fd, "+", 1, 3), 1); };
  const auto cuts = [](int fd) { EXPECT_EQ(here().ftruncate(fd, 1), 0); };
  const auto changes_mode = [](int fd) { EXPECT_EQ(here().fchmod(fd, S_IRUSR), 0); };
  const auto is_renamed = [](int) { rename_path("/a", "/b"); };
  const auto does_nothing = [](int) {};
  const auto fills_a_hole = [](int fd) {
    EXPECT_EQ(here().ftruncate(fd, 3 * std::int64_t{page_bytes}), 0);
    EXPECT_EQ(here().fdatasync(fd), 0);
    make_directory("/before/that");
    EXPECT_EQ(here().pwrite(fd, "new", 3, page_bytes), 3);
  };
  EXPECT_TRUE(keeps(overwrites, false));
  EXPECT_FALSE(keeps(overwrites, true));
  EXPECT_TRUE(keeps(appends, true));
  EXPECT_TRUE(keeps(cuts, true));
  EXPECT_TRUE(keeps(changes_mode, false));
  EXPECT_FALSE(keeps(changes_mode, true));
  EXPECT_TRUE(keeps(is_renamed, false));
  EXPECT_FALSE(keeps(is_renamed, true)) << "and the file has its old name";
  EXPECT_FALSE(keeps(does_nothing, false));
  EXPECT_TRUE(keeps(fills_a_hole, true));
}

// Where its pages are is on the disk only then, as what was never written reads as zeros.
TEST(SyncedChanges, CommitsByFdatasyncWhatIsWrittenForTheFirstTime) {
  const auto keeps = [](std::int64_t offset, int mode) {
    std::set<std::string> images;
    in_world([&](system_calls& system) {
      const int fd = make_file("/a");
      EXPECT_EQ(system.pwrite(fd, "old", 3, 0), 3);
      EXPECT_EQ(mode < 0 ? system.ftruncate(fd, 3 * std::int64_t{page_bytes})
                         : system.fallocate(fd, mode, page_bytes, 2 * std::int64_t{page_bytes}),
                0);
      EXPECT_EQ(system.fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, 1), 0);
      system.sync();
      make_directory("/before");
      EXPECT_EQ(system.pwrite(fd, "new", 3, offset), 3);
      EXPECT_EQ(system.fdatasync(fd), 0);
      make_directory("/behind");
      system.close(fd);
      for (const std::string& each : all_images(log_here(), ext4_ordered)) images.insert(each.substr(each.rfind('=')));
    });
    return images.size() == 2;
  };
  EXPECT_FALSE(keeps(0, -1));
  EXPECT_FALSE(keeps(0, 0));
  EXPECT_TRUE(keeps(page_bytes, -1)) << "a hole";
  EXPECT_TRUE(keeps(page_bytes, 0)) << "space that was set aside";
  EXPECT_TRUE(keeps(page_bytes, FALLOC_FL_KEEP_SIZE)) << "behind the end";
}

// What comes later may be in a transaction that nobody waits for, as the one of the file was committed before that.
TEST(SyncedChanges, CommitsNothingThatComesLaterThanWhatTheSyncWaitsFor) {
  in_world([](system_calls& system) {
    write_file("/a", "old");
    system.sync();
    write_file("/a", "new");
    make_directory("/behind");
    sync_path("/a");
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=new", "/a=new /behind/"));
  });
}

}  // namespace
}  // namespace lockstep::sim
