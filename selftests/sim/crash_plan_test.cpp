#include <lockstep/sim/crash_plan.hpp>

#include "all_images.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::IsSubsetOf;
using testing::SizeIs;

TEST(CrashPlanTest, BeginsWithTheImagesInWhichProgramsAreFoundWrong) {
  in_world([](system_calls&) {
    write_file("/a", "1");
    write_file("/b", std::string(1024, 'b'));
    crash_plan plan(weakest, 1);
    std::vector<std::string> planned;
    for (int i = 0; i < 9; ++i) {
      const disk_image left = plan.next(here().files().disk(), nullptr);
      const std::string b = left.text_of("/b");
      const std::string halves = b.empty() ? "" : std::string(b[0] == 'b' ? "b" : "-") + (b.back() == 'b' ? "b" : "-");
      planned.push_back(left.tree().substr(0, left.tree().find("/tmp")) + left.text_of("/a") + halves);
    }
    const std::string names = "/a 1 bytes\n/b 1024 bytes\n";
    EXPECT_THAT(planned, ElementsAre("", names + "1bb", names + std::string(1, '\0') + "--", "", names + "1b-",
                                     names + "1-b", "", "/b 1024 bytes\nbb", "/a 0 bytes\n/b 1024 bytes\nbb"));
  });
}

// What was cut off stays cut off, as otherwise what was written would be held back by that.
TEST(CrashPlanTest, LosesWhatWasWrittenAndNoTruncation) {
  in_world([](system_calls& system) {
    write_file("/a", "long");
    system.sync();
    EXPECT_EQ(system.truncate("/a", 0), 0);
    write_file("/b", "b");
    crash_plan plan(weakest, 1);
    std::vector<std::string> planned;
    for (int i = 0; i < 3; ++i) {
      const disk_image left = plan.next(here().files().disk(), nullptr);
      planned.push_back(left.text_of("/a") + "|" + left.text_of("/b"));
    }
    EXPECT_THAT(planned, ElementsAre("long|", "|b", std::string("|\0", 2)));
  });
}

TEST(CrashPlanTest, AnswersSoAgain) {
  in_world([](system_calls&) {
    write_file("/a", std::string(4096, 'a'));
    crash_plan plan(weakest, 1);
    for (int i = 0; i < 40; ++i) {
      const disk_image left = plan.next(here().files().disk(), nullptr);
      const crash_chooser again = chooser_of(plan.given());
      EXPECT_EQ(here().files().disk().image_after_power_cut(weakest, again, nullptr).difference(left), "");
    }
  });
}

// Images of one number are the same, whatever their models; and hardly more numbers than images.
TEST(CrashPlanTest, NumbersImagesWithoutMakingThem) {
  in_world([](system_calls& system) {
    file_system& disk = here().files().disk();
    write_file("/old", std::string(5'000, 'o'));
    system.sync();
    write_file("/a", std::string(9'000, 'a'));
    write_file("/b", "b");
    system.renameat2(AT_FDCWD, "/a", AT_FDCWD, "/old", 0);
    EXPECT_EQ(system.truncate("/b", 100), 0);
    std::map<std::uint64_t, std::string> known;
    std::set<std::string> different;
    int tried = 0;
    for (crash_model model : {process_crash, strict_sync, weakest, ext4_ordered, ext3_writeback, data_journal}) {
      for (const bool leaves_garbage : {false, true}) {
        model.leaves_garbage = leaves_garbage;
        crash_plan plan(model, 1);
        for (unsigned number = 0; number < 30; ++number, ++tried) {
          const std::uint64_t outcome = plan.outcome(disk, number);
          const crash_plan::answers given = plan.given();
          const std::string image = plan.image(disk, number, nullptr).fingerprint();
          EXPECT_EQ(plan.given(), given);
          EXPECT_EQ(known.try_emplace(outcome, image).first->second, image) << model.name << " " << number;
          different.insert(image);
        }
      }
    }
    EXPECT_GE(known.size(), different.size());
    EXPECT_LT(known.size(), different.size() * 3 / 2) << "of " << tried;
  });
}

TEST(CrashPlanTest, GivesAllThatThereAreIfTheyAreFew) {
  in_world([](system_calls&) {
    write_file("/a", "1");
    write_file("/b", "2");
    const auto texts = [](const crash_model& model, std::size_t images_max) {
      std::vector<std::string> found;
      for (const crash_image& each : crash_plan(model, 1).different(here().files().disk(), images_max)) {
        found.push_back(text_of(each.disk));
      }
      return found;
    };
    for (const crash_model* each : crash_models()) {
      const std::set<std::string> all = image_texts(*each);
      EXPECT_THAT(texts(*each, 1000), testing::UnorderedElementsAreArray(all)) << each->name;
      EXPECT_THAT(texts(*each, 2), AllOf(SizeIs(std::min<std::size_t>(2, all.size())), IsSubsetOf(all)));
      EXPECT_THAT(texts(*each, 0), SizeIs(0));
    }
  });
}

// Each takes as long as the log is, so there are fewer.
TEST(CrashPlanTest, TriesFewerAnswersTheLongerTheLogIs) {
  in_world([](system_calls& system) {
    write_file("/a", "");
    const int fd = system.openat(AT_FDCWD, "/a", O_WRONLY, 0);
    file_system& disk = here().files().disk();
    const auto tried = [&disk] {
      std::size_t count = 0;
      crash_plan::each_outcome(disk, weakest, [&count](const crash_plan::answers&, std::uint64_t) {
        ++count;
        return true;
      });
      return count;
    };
    for (int i = 0; i < 100; ++i) system.pwrite(fd, "x", 1, 0);
    EXPECT_EQ(tried(), 4'096U);
    for (int i = 0; i < 900; ++i) system.pwrite(fd, "x", 1, 0);
    EXPECT_LE(tried(), (1U << 20) / 1'000 + 1);
    EXPECT_GE(tried(), 1'000U);
    system.close(fd);
  });
}

}  // namespace
}  // namespace lockstep::sim
