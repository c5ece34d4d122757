#include <lockstep/sim/crash_plan.hpp>

#include "all_images.hpp"

#include <algorithm>
#include <cstddef>
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

}  // namespace
}  // namespace lockstep::sim
