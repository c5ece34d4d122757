#include <lockstep/fs/watch.hpp>

#include "in_each_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <set>
#include <vector>

namespace lockstep {
namespace {

void watch_in_both_worlds(body_with_folder body) {
  run_in_simulation(body);
  run_on_machine(body);
}

std::string text_of_change(const std::optional<file_change>& change) {
  if (!change) return "end";
  return std::string(name_of(change->kind)) + (change->name.empty() ? "" : " " + change->name) +
         (change->is_directory ? "/" : "");
}

task<std::vector<std::string>> next_changes(file_watch& from, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(text_of_change(co_await from.next()));
  co_return all;
}

task<void> tells_of_changes(std::string folder) {
  file_watch changes = co_await watch(folder);
  auto teller = spawn(next_changes(changes, 7), "teller");
  co_await settle();
  EXPECT_FALSE(teller.done());
  co_await write_file(folder + "/a", "x");
  co_await rename_file(folder + "/a", folder + "/b");
  co_await create_directory(folder + "/in");
  co_await remove_file(folder + "/b");
  EXPECT_THAT(co_await teller.join(), testing::ElementsAre("created a", "modified a", "written a", "moved from a",
                                                           "moved to b", "created in/", "removed b"));
}

TEST(WatchTest, TellsOfChangesInTheirOrder) { watch_in_both_worlds(tells_of_changes); }

task<void> tells_of_too_many(std::string folder) {
  world().network().first_host().set_queued_events_max(2);
  file_watch changes = co_await watch(folder);
  for (const char* each : {"/a", "/b", "/c", "/d"}) co_await create_directory(folder + each);
  const std::vector<std::string> all = co_await next_changes(changes, 3);
  EXPECT_THAT(all, testing::ElementsAre("created a/", "created b/", "overflow"));
}

TEST(WatchTest, TellsThatChangesWereNotKept) { run_in_simulation(tells_of_too_many); }

task<void> joins_moves(std::string folder) {
  co_await write_file(folder + "/a", "x");
  file_watch changes = co_await watch(folder);
  co_await rename_file(folder + "/a", folder + "/b");
  const auto from = co_await changes.next();
  const auto to = co_await changes.next();
  EXPECT_TRUE(from && to && from->cookie != 0 && from->cookie == to->cookie);
}

TEST(WatchTest, JoinsTheTwoHalvesOfAMove) { watch_in_both_worlds(joins_moves); }

task<void> loses_nothing(std::string folder) {
  file_watch changes = co_await watch(folder);
  for (int late = 0; late < 2; ++late) {
    auto teller = spawn(next_changes(changes, 1), "teller");
    co_await settle();
    if (late == 1) co_await create_directory(folder + "/a");  // it has been granted, and has not run
    teller.cancel();
    EXPECT_TRUE((co_await as_result(teller.join())).was_cancelled());
  }
  EXPECT_THAT(co_await next_changes(changes, 1), testing::ElementsAre("created a/"));
}

// On the machine nobody knows whether the task has run when it is cancelled.
TEST(WatchTest, LosesNoChangeByACancellation) { run_in_simulation(loses_nothing); }

task<void> ends(std::string folder) {
  co_await write_file(folder + "/a", "x");
  file_watch changes = co_await watch(folder + "/a");
  co_await remove_file(folder + "/a");
  std::vector<std::string> all;
  while (const auto change = co_await changes.next()) all.push_back(text_of_change(change));
  EXPECT_THAT(all, testing::Contains("itself removed"));
  EXPECT_EQ(text_of_change(co_await changes.next()), "end");
}

TEST(WatchTest, EndsWithWhatIsWatched) { watch_in_both_worlds(ends); }

task<void> is_closed(std::string folder) {
  EXPECT_EQ(co_await text_of_error(watch(folder + "/none")),
            "watch \"" + folder + "/none\": No such file or directory");
  file_watch changes = co_await watch(folder);
  auto teller = spawn(text_of_error(next_changes(changes, 1)), "teller");
  co_await settle();
  EXPECT_EQ(teller.get().parked_at()->describe(), "watch \"" + folder + "\"");
  changes.close();
  EXPECT_EQ(co_await teller.join(), "watch \"" + folder + "\": Operation canceled");
  EXPECT_EQ(co_await text_of_error(next_changes(changes, 1)), "watch \"" + folder + "\": Bad file descriptor");
}

TEST(WatchTest, SaysWhenItIsClosed) { watch_in_both_worlds(is_closed); }

task<void> is_asked_by_two(std::string folder) {
  file_watch changes = co_await watch(folder);
  auto teller = spawn(as_result(next_changes(changes, 1)), "teller");
  co_await yield();
  EXPECT_THROW(static_cast<void>(changes.next()), misuse);
  teller.cancel();
  static_cast<void>(co_await as_result(teller.join()));
}

TEST(WatchTest, IsMisuseByTwoAtOnce) {
  sim::world world;
  world.run(in_simulated_folder(is_asked_by_two));
  ASSERT_EQ(world.verdicts().size(), 1U);
  EXPECT_THAT(world.verdicts()[0].message, testing::HasSubstr("while another is under way"));
}

TEST(ChangeKindTest, HasANameForEach) {
  std::set<std::string_view> names;
  for (int kind = 0; kind < 10; ++kind) names.insert(name_of(static_cast<change_kind>(kind)));
  EXPECT_EQ(names.size(), 10U);
}

}  // namespace
}  // namespace lockstep
