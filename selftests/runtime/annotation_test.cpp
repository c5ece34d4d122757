#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string notes_in_force() {
  std::string text;
  for (const scoped_annotation* at = scoped_annotation::innermost(); at != nullptr; at = at->outer()) {
    text += at->text() + ' ';
  }
  return text;
}

CO_TEST(AnnotationTest, LastsForItsScopeAndNests) {
  const std::string before = notes_in_force();
  {
    const scoped_annotation outer("outer");
    {
      const auto line = source::current().line() + 1;
      const scoped_annotation inner("inner");
      EXPECT_EQ(scoped_annotation::innermost(), &inner);
      EXPECT_EQ(inner.outer(), &outer);
      EXPECT_EQ(inner.where().line(), line);
      EXPECT_EQ(notes_in_force(), "inner outer " + before);
    }
    EXPECT_EQ(notes_in_force(), "outer " + before);
  }
  EXPECT_EQ(notes_in_force(), before);
  co_return;
}

CO_TEST(AnnotationTest, StaysWithItsTaskAcrossAwaits) {
  std::string seen;
  const auto work = [&](std::string name) -> task<void> {
    const scoped_annotation note(name);
    co_await yield();
    seen += notes_in_force();
    co_await sleep_for(1s);
    seen += notes_in_force();
  };
  co_await when_all(work("a"), work("b"));
  EXPECT_EQ(seen, "a b a b ");
}

CO_TEST(AnnotationTest, IsSharedByTheTasksThatItsTaskAwaitsAndNotInheritedBySpawnedOnes) {
  const scoped_annotation note("mine");
  const auto look = []() -> task<std::string> { co_return notes_in_force(); };
  EXPECT_EQ(co_await look(), notes_in_force());
  auto child = spawn(look());
  EXPECT_EQ(co_await child.join(), "");
}

CO_TEST(AnnotationTest, IsGoneWhenItsTaskIsDestroyed) {
  const auto work = []() -> task<void> {
    const scoped_annotation note("doomed");
    co_await sleep_for(1h);
  };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  EXPECT_THROW(co_await child.join(), cancelled);
  EXPECT_EQ(notes_in_force(), "");
}

TEST(AnnotationTest, NotesNothingOutsideATask) {
  const scoped_annotation note("nobody's");
  EXPECT_EQ(scoped_annotation::innermost(), nullptr);
  EXPECT_EQ(note.text(), "nobody's");
  sim::world world;
  world.start();
  const scoped_annotation in_a_fixture("nobody's either");
  EXPECT_EQ(scoped_annotation::innermost(), nullptr);
}

TEST(AnnotationTest, IsShownInReportsOutermostFirst) {
  std::uint_least32_t line = 0;
  const auto reader = [&]() -> task<void> {
    line = source::current().line() + 1;
    const scoped_annotation outer("page 7");
    const scoped_annotation inner("second try");
    co_await sleep_until(time_point::max());
  };
  const auto main = [&]() -> task<void> {
    auto child = spawn(reader(), "reader");
    co_await child.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 2u);
  EXPECT_THAT(run.verdicts[0].tasks[0].notes, IsEmpty());
  EXPECT_THAT(run.verdicts[0].tasks[1].notes,
              ElementsAre("annotation_test.cpp:" + std::to_string(line) + ": page 7",
                          "annotation_test.cpp:" + std::to_string(line + 1) + ": second try"));
}

}  // namespace
}  // namespace lockstep
