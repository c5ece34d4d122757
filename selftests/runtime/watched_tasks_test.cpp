#include "tasks.hpp"

#include <lockstep/runtime/watched_tasks.hpp>
#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Lets each go when it has finished.
struct watcher final : detail::finish_listener {
  std::vector<join_handle<void>> handles;
  detail::watched_tasks watched;

  void add(duration length, label name) {
    handles.push_back(spawn(pass(length), std::move(name)));
    watched.add(handles.back().get(), *this);
  }
  std::vector<std::string> names() const { return names_of(watched.all()); }
  void finished(agent& who) noexcept override { watched.remove(who); }
};

CO_TEST(WatchedTasksTest, KeepTheirOrderWhicheverEnds) {
  watcher here;
  here.add(2s, "a");
  here.add(1s, "b");
  here.add(4s, "c");
  here.add(3s, "d");
  co_await sleep_for(1500ms);
  EXPECT_THAT(here.names(), ElementsAre("a", "c", "d"));
  co_await sleep_for(1s);
  EXPECT_THAT(here.names(), ElementsAre("c", "d"));
  EXPECT_EQ(&here.watched.last(), &here.handles[3].get());
  co_await sleep_for(1s);
  EXPECT_THAT(here.names(), ElementsAre("c"));
  EXPECT_EQ(&here.watched.last(), &here.handles[2].get());
  EXPECT_EQ(here.watched.size(), 1u);
  co_await sleep_for(1s);
  EXPECT_THAT(here.names(), IsEmpty());
  EXPECT_TRUE(here.watched.empty());
}

// One is always there that came after those that have gone, so their places are free only when the gaps are closed; and
// those that stay get other places then.
CO_TEST(WatchedTasksTest, ComeAndGoBesideSomeThatStay) {
  watcher here;
  here.add(1h, "first");
  for (int i = 0; i < 300; ++i) {
    here.add(i % 100 == 0 ? 1h : 1500ms, std::to_string(i));
    EXPECT_LT(here.watched.last().kept_at(), 40u);
    co_await sleep_for(1s);
  }
  EXPECT_THAT(here.names(), ElementsAre("first", "0", "100", "200", "299"));
  co_await sleep_for(1h);
  EXPECT_TRUE(here.watched.empty());
}

}  // namespace
}  // namespace lockstep
