#include "all_images.hpp"

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/fault.hpp>

#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(CrashLogTest, KeepsWhatWasSynced) {
  in_world([](system_calls&) {
    write_file("/a", "kept", 0, true);
    sync_path("/");
    write_file("/a", "lost");
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=kept"));
    EXPECT_EQ(text_of(image_left(process_crash)), "/a=lost");
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=kept", "/a=lost"));
  });
}

TEST(CrashLogTest, ForgetsWhatIsDurable) {
  in_world([](system_calls& system) {
    EXPECT_EQ(log_here().pending(), 0u);
    for (int i = 0; i < 10; ++i) {
      write_file("/a", "x", i, true);
      sync_path("/");
      EXPECT_EQ(log_here().pending(), 0u) << i;
    }
    EXPECT_TRUE(log_here().operations().empty());
    system.unlinkat(AT_FDCWD, "/a", 0);
    write_file("/b", "y");
    EXPECT_EQ(log_here().pending(), 3u);
    system.sync();
    EXPECT_EQ(log_here().pending(), 0u);
    EXPECT_EQ(text_of(log_here().durable()), "/b=y");
    EXPECT_EQ(log_here().durable().files().size(), 3u) << "what was removed takes no room";
  });
}

// However much comes behind that.
TEST(CrashLogTest, ForgetsWhatIsDurableBehindWhatIsNot) {
  in_world([](system_calls& system) {
    write_file("/a", "0", 0, true);
    write_file("/b", "");
    system.sync();
    rename_path("/b", "/c");
    for (int i = 0; i < 5000; ++i) write_file("/a", std::to_string(i % 10), 0, true);
    EXPECT_EQ(log_here().pending(), 2u);
    EXPECT_LT(log_here().operations().size(), 2000u);
    write_file("/a", "x");
    EXPECT_THAT(all_images(log_here(), btrfs_like), ElementsAre("/a=9 /b=", "/a=9 /c=", "/a=x /b=", "/a=x /c="));
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/c", 0), 0);
    sync_path("/");
    EXPECT_EQ(text_of(log_here().durable()), "/a=9");
    EXPECT_EQ(log_here().pending(), 1u);
    sync_path("/a");
    EXPECT_EQ(text_of(log_here().durable()), "/a=x");
    EXPECT_TRUE(log_here().operations().empty());
  });
}

TEST(CrashLogTest, ForgetsFilesThatNoNameLeadsTo) {
  in_world([](system_calls& system) {
    for (int i = 0; i < 10; ++i) {
      const int fd = system.openat(AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, S_IRUSR | S_IWUSR);
      write_text(system, fd, "gone");
      system.close(fd);
    }
    EXPECT_EQ(log_here().pending(), 0u);
    for (int i = 0; i < 10; ++i) {
      write_file("/a.new", "x", 0, true);
      rename_path("/a.new", "/a");
      sync_path("/");
    }
    EXPECT_EQ(log_here().pending(), 0u);
    EXPECT_EQ(log_here().durable().files().size(), 3u);
  });
}

// Whichever of its names a file was opened by, and with the directories of all: as ext4 and Btrfs do.
TEST(CrashLogTest, KeepsAllNamesOfAFileThatIsSynced) {
  in_world([](system_calls& system) {
    for (const char* each : {"/1", "/2", "/3"}) make_directory(each);
    write_file("/1/a", "x");
    EXPECT_EQ(system.linkat(AT_FDCWD, "/1/a", AT_FDCWD, "/2/b", 0), 0);
    EXPECT_EQ(system.linkat(AT_FDCWD, "/1/a", AT_FDCWD, "/3/c", 0), 0);
    EXPECT_EQ(system.linkat(AT_FDCWD, "/1/a", AT_FDCWD, "/1/d", 0), 0);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/3/c", 0), 0);
    sync_path("/2/b");
    for (const crash_model& each : {btrfs_like, ext4_ordered}) {
      for (const std::string& left : all_images(log_here(), each)) {
        EXPECT_THAT(left, testing::StartsWith("/1/ /1/a=x /1/d=x /2/ /2/b=x")) << each.name;
      }
    }
    EXPECT_THAT(all_images(log_here(), weakest), Contains(""));
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/1/a", 0), 0);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/1/d", 0), 0);
    inode_reference file;
    ASSERT_EQ(here().files().find_file(here().files().disk().root(), "/2/b", true, file), 0);
    EXPECT_EQ(here().files().text_of(*file), "/2/b");
    EXPECT_THAT(*file->other_parents, testing::IsEmpty());
  });
}

TEST(CrashLogTest, WritesTheOldestBackWhenItIsLong) {
  in_world([](system_calls&) {
    log_here().set_changes_max(4);
    for (int i = 0; i < 9; ++i) write_file("/a", std::string(1, static_cast<char>('0' + i)), i);
    EXPECT_EQ(log_here().pending(), 4u);
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=01234"));
  });
}

TEST(CrashLogTest, WritesBackWhatIsMoreThanMayBeInMemory) {
  in_world([](system_calls&) {
    log_here().set_bytes_max(2 * page_bytes);
    for (int i = 0; i < 5; ++i) write_file("/a", std::string(page_bytes, static_cast<char>('a' + i)), 0);
    const std::set<std::string> images = all_images(log_here(), strict_sync);
    EXPECT_THAT(images, ElementsAre("/a=" + std::string(page_bytes, 'b')));
    sync_path("/a");
    EXPECT_EQ(log_here().pending(), 0u);
  });
}

TEST(CrashLogTest, WritesNothingBackWhereNothingStaysButWhatWasSynced) {
  in_world([](system_calls&) {
    log_here().set_bytes_max(page_bytes);
    log_here().set_changes_max(2);
    here().files().set_crash_model(strict_sync);
    for (int i = 0; i < 5; ++i) write_file("/a", std::string(page_bytes, static_cast<char>('a' + i)), 0, i == 1);
    sync_path("/");
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=" + std::string(page_bytes, 'b')));
    here().files().set_crash_model(ext4_ordered);
    write_file("/a", "x", 0);
    EXPECT_EQ(log_here().pending(), 2u) << "from now on";
  });
}

TEST(CrashLogTest, KeepsNothingOfWhatWasCutOffAndGrownAgain) {
  in_world([](system_calls& system) {
    write_file("/a", std::string(2 * page_bytes, 'a'), 0, true);
    sync_path("/");
    system.truncate("/a", 3);
    system.truncate("/a", 2 * page_bytes);
    sync_path("/a");
    const std::string zeros(2 * page_bytes - 3, '\0');
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=aaa" + zeros));
  });
}

TEST(CrashLogTest, LosesTheContentAndKeepsTheSizeOnlyWhereTheModelSaysSo) {
  in_world([](system_calls&) {
    write_file("/a", "", 0, true);
    sync_path("/");
    write_file("/a", "xy");
    const auto zeros = "/a=" + std::string(2, '\0');
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=", "/a=xy"));
    EXPECT_THAT(all_images(log_here(), ext3_writeback), Contains(zeros));
    EXPECT_EQ(all_images(log_here(), ext3_writeback).size(), 4u) << "nothing, zeros, garbage, all";
  });
}

TEST(CrashLogTest, KeepsSpaceThatWasSetAside) {
  constexpr std::int64_t block = page_bytes;
  const auto sets_aside = [](int mode, bool of_all) {
    in_world([&](system_calls& system) {
      const int fd = make_file("/a");
      write_text(system, fd, std::string(4 * page_bytes, 'a'));
      system.fsync(fd);
      EXPECT_EQ(system.fallocate(fd, mode, 4 * block, block), 0);
      if (of_all) {
        system.sync();
      } else {
        system.fsync(fd);
      }
      EXPECT_EQ(log_here().pending(), of_all ? 0u : 1u) << "the name";
      const std::uint64_t size = 4 * page_bytes + ((mode & FALLOC_FL_KEEP_SIZE) != 0 ? 0 : page_bytes);
      system.close(fd);
      here().files().set_crash_model(of_all ? strict_sync : ext4_ordered);
      here().files().lose_power(nothing_lost, nullptr);
      EXPECT_EQ(log_here().pending(), 0u);
      struct stat after {};
      EXPECT_EQ(system.fstatat(AT_FDCWD, "/a", &after, 0), 0);
      EXPECT_EQ(static_cast<std::uint64_t>(after.st_size), size);
      EXPECT_EQ(after.st_blocks, 5 * block / 512) << mode << " " << of_all;
    });
  };
  for (const bool of_all : {false, true}) {
    for (const int mode : {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE}) {
      sets_aside(mode, of_all);
    }
  }
}

TEST(CrashLogTest, TearsWhatIsOverwrittenInAnySubsetOfSectors) {
  in_world([](system_calls&) {
    write_file("/a", std::string(1536, 'a'), 0, true);
    sync_path("/");
    write_file("/a", std::string(1536, 'b'));
    EXPECT_EQ(all_images(log_here(), weakest).size(), 8u);
    EXPECT_EQ(all_images(log_here(), ext4_ordered).size(), 2u) << "a block is whole";
  });
}

TEST(CrashLogTest, LeavesGarbageInAnySubsetOfSectorsOnlyWhereTheModelSaysSo) {
  in_world([](system_calls&) {
    crash_model damaging = weakest;
    damaging.leaves_garbage = true;
    write_file("/a", std::string(1024, 'a'), 0, true);
    sync_path("/");
    write_file("/a", std::string(1024, 'b'));
    const std::set<std::string> images = all_images(log_here(), damaging);
    EXPECT_EQ(images.size(), 9u) << "each sector is old, new or garbage";
    for (const std::string& each : all_images(log_here(), weakest)) EXPECT_THAT(images, Contains(each));
    std::vector<std::string> lost;
    const std::vector<std::uint64_t> answers = {1, 2, 0, 2};  // at risk; some; the first sector; the second
    log_here().image(
        damaging,
        [&, at = 0](std::string_view, std::uint64_t) mutable { return answers[static_cast<std::size_t>(at++)]; },
        &lost);
    EXPECT_THAT(lost, ElementsAre("write 1024 at 0 to /a, of which 512 at 512 as garbage"));
    write_file("/a", std::string(512, 'c'), 512);
    EXPECT_GT(all_images(log_here(), damaging).size(), all_images(log_here(), weakest).size()) << "of one sector too";
  });
}

TEST(CrashLogTest, KeepsNoLaterPartOfASectorWithoutTheEarlierOnes) {
  in_world([](system_calls&) {
    write_file("/a", std::string(1024, 'a'), 0, true);
    sync_path("/");
    write_file("/a", "first", 100);
    write_file("/a", "second", 200);
    EXPECT_EQ(all_images(log_here(), weakest).size(), 3u) << "none, the first, both";
    write_file("/a", "third", 600);
    EXPECT_EQ(all_images(log_here(), weakest).size(), 6u) << "the next sector as it likes";
    EXPECT_EQ(all_images(log_here(), btrfs_like).size(), 4u) << "in one block, one after the other";
  });
}

TEST(CrashLogTest, AppendsWholeBlocksInOrder) {
  in_world([](system_calls&) {
    write_file("/a", "", 0, true);
    sync_path("/");
    write_file("/a", std::string(3 * page_bytes, 'b'));
    std::set<std::size_t> sizes;
    for (const std::string& each : all_images(log_here(), ext4_ordered)) sizes.insert(each.size() - 3);
    EXPECT_THAT(sizes, ElementsAre(0u, page_bytes, 2 * page_bytes, 3 * page_bytes));
  });
}

TEST(CrashLogTest, NamesTheChangesThatAreLost) {
  in_world([](system_calls&) {
    write_file("/a", std::string(2048, 'a'), 0, true);
    sync_path("/");
    write_file("/a", std::string(2048, 'b'));
    rename_path("/a", "/b");
    std::vector<std::string> lost;
    int asked = 0;
    // All at risk; of the write some, all sectors but the third; of the rename the second half.
    const std::vector<std::uint64_t> answers = {3, 2, 1, 1, 0, 1, 0, 1};
    const crash_chooser choose = [&](std::string_view, std::uint64_t) {
      return answers[static_cast<std::size_t>(asked++)];
    };
    EXPECT_EQ(text_of(log_here().image(weakest, choose, &lost)), "");
    EXPECT_THAT(lost, ElementsAre("write 2048 at 0 to /b, of which 1024 at 0, 512 at 1536", "name b in /"));
  });
}

TEST(CrashLogTest, KeepsNamesOfSyncedFilesOnlyWhereTheModelSaysSo) {
  in_world([](system_calls&) {
    make_directory("/d");
    write_file("/d/a", "x", 0, true);
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/d/ /d/a=x"));
    EXPECT_THAT(all_images(log_here(), btrfs_like), ElementsAre("/d/ /d/a=x"));
    EXPECT_THAT(all_images(log_here(), weakest), ElementsAre("", "/d/", "/d/ /d/a=x"));
  });
}

TEST(CrashLogTest, KeepsTheDataOfARenameThatIsDurable) {
  in_world([](system_calls&) {
    write_file("/a", "old", 0, true);
    sync_path("/");
    write_file("/a.new", "new");
    rename_path("/a.new", "/a");
    sync_path("/");
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=new"));
    EXPECT_THAT(all_images(log_here(), btrfs_like), ElementsAre("/a=new"));
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a="));
  });
}

TEST(CrashLogTest, KeepsNoRenameWithoutTheDataWhereTheModelSaysSo) {
  in_world([](system_calls&) {
    write_file("/a", "old", 0, true);
    sync_path("/");
    write_file("/a.new", "new");
    rename_path("/a.new", "/a");
    for (const crash_model* safe : {&ext4_ordered, &btrfs_like, &ext3_ordered, &data_journal}) {
      for (const std::string& each : all_images(log_here(), *safe)) {
        EXPECT_THAT(each, testing::AnyOf(testing::HasSubstr("/a=old"), testing::HasSubstr("/a=new")))
            << safe->name << ": " << each;
      }
    }
    EXPECT_THAT(all_images(log_here(), ext3_writeback), Contains("/a=" + std::string(3, '\0')));
    EXPECT_THAT(all_images(log_here(), weakest), Contains("/a="));
    EXPECT_THAT(all_images(log_here(), weakest), Contains("/a.new=new")) << "torn";
    EXPECT_THAT(all_images(log_here(), btrfs_like), Not(Contains("/a.new=new")));
  });
}

// What is written comes to the disk with what was cut off there, so that no mixture of the two is left.
TEST(CrashLogTest, KeepsNoWriteWithoutTheCutBeforeIt) {
  const auto change = [](const std::string& text, int mode) {
    const int fd = make_file("/a");
    EXPECT_EQ(mode < 0 ? here().ftruncate(fd, 0) : here().fallocate(fd, mode, 0, 5), 0);
    EXPECT_EQ(here().pwrite(fd, text.data(), text.size(), 0), static_cast<std::int64_t>(text.size()));
    here().close(fd);
  };
  for (const crash_model* each : crash_models()) {
    in_world([&](system_calls& system) {
      write_file("/a", "12345", 0, true);
      sync_path("/");
      change("6", -1);
      EXPECT_THAT(image_texts(*each), Not(Contains("/a=62345"))) << each->name;
      if (each->keeps == crash_model::unsynced::some) {
        EXPECT_THAT(image_texts(*each), testing::IsSupersetOf({"/a=12345", "/a=6"})) << each->name;
      }
      system.sync();
      write_file("/a", "12345", 0, true);
      change("N", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
      EXPECT_THAT(image_texts(*each), Not(Contains("/a=N2345"))) << each->name;
    });
  }
}

// In all others it stays as it is, with nothing durable by that.
TEST(CrashLogTest, LosesNoMemoryWhereTheSystemLivesOn) {
  in_world([](system_calls&) {
    write_file("/a", "old", 0, true);
    sync_path("/");
    write_file("/a", "new");
    here().files().set_crash_model(process_crash);
    here().files().lose_power([](std::string_view, std::uint64_t options) { return options - 1; }, nullptr);
    EXPECT_EQ(text_of(here().files().disk().image()), "/a=new");
    EXPECT_EQ(text_of(log_here().durable()), "/a=old");
  });
}

// The halves of a rename are in two directories, one of which is synced.
TEST(CrashLogTest, KeepsBothHalvesOfARenameByTheSyncOfOne) {
  in_world([](system_calls& system) {
    make_directory("/d");
    write_file("/a", "x");
    system.sync();
    rename_path("/a", "/d/a");
    sync_path("/d");
    EXPECT_THAT(all_images(log_here(), btrfs_like), ElementsAre("/d/ /d/a=x"));
    EXPECT_THAT(all_images(log_here(), weakest), Contains("/a=x /d/ /d/a=x")) << "torn";
  });
}

// Of which one has gone, or is not yet there.
TEST(CrashLogTest, LosesNoFileThatIsMovedBetweenDirectories) {
  const auto moves = [](bool is_open, bool makes, const char* synced) {
    std::set<std::string> images;
    in_world([&](system_calls& system) {
      make_directory("/d");
      if (!makes) make_directory("/e");
      write_file("/d/a", "x");
      system.sync();
      const int fd = is_open ? system.openat(AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0) : -1;
      if (makes) make_directory("/e");
      rename_path("/d/a", "/e/a");
      EXPECT_EQ(system.unlinkat(AT_FDCWD, "/d", AT_REMOVEDIR), 0);
      if (*synced != '\0') sync_path(synced);
      crash_model model = btrfs_like;
      model.sync_keeps_names = false;
      images = all_images(log_here(), model);
      system.close(fd);
    });
    return images;
  };
  for (const bool is_open : {false, true}) {
    EXPECT_THAT(moves(is_open, false, ""), ElementsAre("/d/ /d/a=x /e/", "/d/ /e/ /e/a=x", "/e/ /e/a=x"));
    EXPECT_THAT(moves(is_open, false, "/"), ElementsAre("/e/ /e/a=x"));
    EXPECT_THAT(moves(is_open, true, ""), ElementsAre("/d/ /d/a=x", "/d/ /d/a=x /e/", "/d/ /e/ /e/a=x", "/e/ /e/a=x"));
    EXPECT_THAT(moves(is_open, true, "/"), ElementsAre("/e/ /e/a=x"));
    EXPECT_THAT(moves(is_open, true, "/e"), ElementsAre("/d/ /e/ /e/a=x", "/e/ /e/a=x"));
  }
}

// A half that is in a directory that is gone is not durable by that, nor is the other one.
TEST(CrashLogTest, KeepsNoRenameIntoADirectoryThatIsGone) {
  in_world([](system_calls& system) {
    make_directory("/d");
    make_directory("/e");
    write_file("/d/a", "x");
    system.sync();
    rename_path("/d/a", "/e/a");
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/e/a", 0), 0);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/e", AT_REMOVEDIR), 0);
    sync_path("/");
    EXPECT_THAT(all_images(log_here(), btrfs_like), ElementsAre("/d/", "/d/ /d/a=x"));
  });
}

// It reads the same, so a rename does not wait for it.
TEST(CrashLogTest, LosesSpaceThatWasSetAsideBeforeARename) {
  in_world([](system_calls& system) {
    write_file("/a", "");
    write_file("/b", "");
    system.sync();
    const int fd = make_file("/a");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, page_bytes), 0);
    rename_path("/a", "/b");
    bool is_lost_alone = false;
    for_all_answers([&](const crash_chooser& choose) {
      const disk_image left = log_here().image(btrfs_like, choose, nullptr);
      is_lost_alone = is_lost_alone || (left.find("/a") == nullptr && left.find("/b")->content.pages() == 0);
    });
    EXPECT_TRUE(is_lost_alone);
    system.close(fd);
  });
}

// A hole over four sectors was lost: nothing that was written there later is kept, whatever else has happened there.
TEST(CrashLogTest, KeepsNothingInAHoleThatWasLost) {
  constexpr std::int64_t sector = 512;
  for (const bool clears_again : {false, true}) {
    in_world([&](system_calls& system) {
      write_file("/a", std::string(4 * sector, 'a'), 0, true);
      system.sync();
      const int fd = make_file("/a");
      constexpr int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
      EXPECT_EQ(system.fallocate(fd, hole, clears_again ? sector : 0, clears_again ? 3 * sector - 1 : 4 * sector - 1),
                0);
      if (clears_again) {
        EXPECT_EQ(system.fallocate(fd, hole, 0, 2 * sector), 0);
      } else {
        write_file("/a", "b", sector);
      }
      write_file("/a", "c", 3 * sector);
      for (const std::string& each : all_images(log_here(), weakest)) {
        EXPECT_NE(each.substr(3 + 3 * sector, 2), "ca") << clears_again;
      }
      system.close(fd);
    });
  }
}

// A hole in a part of a sector comes with what was written to the rest of it, and not where that is lost.
TEST(CrashLogTest, KeepsAHoleOnlyWithWhatWasWrittenAroundIt) {
  in_world([](system_calls& system) {
    write_file("/a", "aaaa", 0, true);
    system.sync();
    write_file("/a", "bbbb");
    const int fd = make_file("/a");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2), 0);
    EXPECT_THAT(all_images(log_here(), weakest), ElementsAre("/a=aaaa", std::string("/a=b\0\0b", 7), "/a=bbbb"));
    write_file("/a", std::string(1024, 'a'), 0, true);
    write_file("/a", std::string(1024, 'b'));
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 700), 0);
    for (const std::string& each : all_images(log_here(), weakest)) {
      EXPECT_FALSE(each[3 + 600] == '\0' && each[3 + 800] == 'a') << "at its end as well";
    }
    system.close(fd);
  });
}

// What is durable where something was cut off or punched out is so with that.
TEST(CrashLogTest, KeepsTheHoleUnderWhatIsDurable) {
  in_world([](system_calls& system) {
    write_file("/a", "aaaa", 0, true);
    system.sync();
    const int fd = make_file("/a");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2), 0);
    write_file("/a", "bb", 4);
    EXPECT_EQ(system.fallocate(fd, 0, 6, 2), 0);
    make_directory("/d");
    sync_path("/");
    const std::string left("/a=\0\0aabb\0\0 /d/", 15);
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre(left)) << "the size is with the name";
    system.close(fd);
  });
}

// All that was there is cleared, so what is written then waits for nothing that was there before.
TEST(CrashLogTest, KeepsAWriteWhereWhatWasThereIsCleared) {
  in_world([](system_calls& system) {
    write_file("/a", "", 0, true);
    system.sync();
    make_directory("/d");
    write_file("/a", "bb");
    const int fd = make_file("/a");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3), 0);
    write_file("/a", "c");
    EXPECT_THAT(all_images(log_here(), ext4_ordered), Contains("/a=c")) << "what has grown is lost with the name";
    system.close(fd);
  });
}

TEST(CrashLogTest, KeepsNoWriteBehindACutWithoutTheOneBeforeIt) {
  in_world([](system_calls& system) {
    write_file("/a", "aaaa", 0, true);
    system.sync();
    write_file("/a", "bbbb");
    EXPECT_EQ(system.truncate("/a", 1), 0);
    write_file("/a", "c", 1);
    EXPECT_THAT(all_images(log_here(), weakest), Not(Contains("/a=ac")));
    EXPECT_THAT(all_images(log_here(), weakest), Contains("/a=bc"));
  });
}

TEST(CrashLogTest, ForgetsWhatWasInADirectoryThatIsGone) {
  in_world([](system_calls& system) {
    for (int i = 0; i < 3; ++i) {
      make_directory("/d");
      make_directory("/d/e");
      write_file("/d/e/x", "x");
      EXPECT_EQ(system.unlinkat(AT_FDCWD, "/d/e/x", 0), 0);
      EXPECT_EQ(system.unlinkat(AT_FDCWD, "/d/e", AT_REMOVEDIR), 0);
      EXPECT_EQ(system.unlinkat(AT_FDCWD, "/d", AT_REMOVEDIR), 0);
      sync_path("/");
      EXPECT_EQ(log_here().pending(), 0u);
      EXPECT_EQ(log_here().durable().files().size(), 2u);
    }
  });
}

// One in another, all of which are kept by the one that is open.
TEST(CrashLogTest, TakesNoStackForDirectoriesThatAreGone) {
  in_world([](system_calls& system) {
    constexpr int depth = 50'000;
    std::vector<int> above{system.openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0)};
    here().descriptors().set_limit(depth + 10);
    for (int i = 0; i < depth; ++i) {
      EXPECT_EQ(system.mkdirat(above.back(), "d", S_IRWXU), 0);
      above.push_back(system.openat(above.back(), "d", O_RDONLY | O_DIRECTORY, 0));
    }
    for (std::size_t i = above.size() - 1; i-- > 0;) EXPECT_EQ(system.unlinkat(above[i], "d", AT_REMOVEDIR), 0);
    for (const int fd : above) EXPECT_EQ(system.close(fd), 0);
    EXPECT_EQ(here().files().disk().inodes_used(), 2u) << "the root and /tmp";
  });
}

}  // namespace
}  // namespace lockstep::sim
