#include <lockstep/choice/step_observer.hpp>

#include "../runtime/judged_run.hpp"

#include <lockstep/lockstep.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(AccessTest, CommutesUnlessOneCanTellTheOrder) {
  constexpr access all[] = {access::read, access::update, access::write, access::after};
  std::string table;
  for (const access one : all) {
    for (const access other : all) {
      table += commute(one, other) ? '+' : '-';
      EXPECT_EQ(commute(one, other), commute(other, one));
    }
    table += ' ';
  }
  EXPECT_EQ(table, "+--+ -+-+ ---+ ++++ ");
}

TEST(AccessTest, HasObjectsThatAreNoneOfTheUsers) {
  const std::set<identity> all{everything,
                               the_clock,
                               the_settlers,
                               the_points,
                               main_identity,
                               group_identity(main_identity),
                               end_identity(main_identity),
                               end_identity(group_identity(main_identity)),
                               task_identity(main_identity, 1),
                               object_identity(main_identity, 1)};
  EXPECT_EQ(all.size(), 10u);
}

// -- what it is told --------------------------------------------------------------------------------------------------

// Writes all down, with names for the identities that it was given.
class scribe final : public oracle, private step_observer {
 public:
  std::vector<std::string> told;
  std::map<identity, std::string> names{{everything, "everything"}, {the_clock, "clock"}, {the_points, "points"}};
  std::size_t gives_up_at = ~std::size_t{0};

  std::size_t pick_task(const candidates& from) override { return from.size() - 1; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
  step_observer* observer() noexcept override { return this; }

  // The accesses to what has a name, since the last call.
  std::string accesses() {
    std::string all;
    for (const std::string& each : told) {
      if (each.starts_with("  ")) all += (all.empty() ? "" : ", ") + each.substr(2);
    }
    told.clear();
    return all;
  }

 private:
  bool step_begins(const candidates& ready, std::size_t picked) override {
    if (told.size() >= gives_up_at) return false;
    told.push_back(fmt::format("step of {}, of {}", ready.path(picked), ready.size()));
    return true;
  }
  void touches(identity object, access how) override {
    static constexpr std::string_view words[] = {"reads", "updates", "writes", "is after"};
    const auto found = names.find(object);
    if (found == names.end()) return;
    told.push_back(fmt::format("  {} {}", words[static_cast<std::size_t>(how)], found->second));
  }
  void only_attempted() override { told.push_back("only attempted"); }
  void all_quiet() override { told.push_back("all quiet"); }
  void run_ends(const candidates& left) override { told.push_back(fmt::format("ends, {} left", left.size())); }
};

judged_run run_with(scribe& told, const std::function<task<void>()>& main) {
  sim::world_options how;
  how.choices = &told;
  return judge(main, how);
}

TEST(StepObserverTest, IsToldOfEveryStepAndMomentOfQuiet) {
  scribe told;
  const auto main = [&told]() -> task<void> {
    mutex lock{"lock"};
    told.names[lock.id()] = "lock";
    const auto hold = [&lock]() -> task<void> {
      const auto held = co_await lock.lock();
      co_await sleep_for(1ms);
    };
    auto first = spawn(hold());
    auto second = spawn(hold());
    co_await first.join();
    co_await second.join();
  };
  EXPECT_EQ(run_with(told, main).messages(), "");
  EXPECT_THAT(told.told, ElementsAre("step of main, of 1", "step of 2, of 2", "step of 1, of 2", "step of 2, of 2",
                                     "  writes lock", "step of 1, of 1", "  writes lock", "only attempted", "all quiet",
                                     "step of 2, of 1", "  writes lock", "step of 1, of 1", "all quiet",
                                     "step of 1, of 1", "  writes lock", "step of main, of 1", "step of main, of 1",
                                     "  reads lock", "  writes lock", "  writes everything", "ends, 0 left"));
}

TEST(StepObserverTest, GivesARunUp) {
  scribe told;
  told.gives_up_at = 2;
  int steps = 0;
  const auto main = [&steps]() -> task<void> {
    for (;; ++steps) co_await yield();
  };
  const judged_run run = run_with(told, main);
  EXPECT_FALSE(run.ended);
  EXPECT_EQ(run.messages() + run.failure, "");
  EXPECT_EQ(steps, 1);
}

TEST(StepObserverTest, IsToldOfNothingInFifoOrder) {
  scribe told;
  sim::world_options how;
  how.choices = &told;
  how.order = ordering::fifo;
  EXPECT_EQ(judge([]() -> task<void> { co_await yield(); }, how).messages(), "");
  EXPECT_TRUE(told.told.empty());
}

// -- what is touched --------------------------------------------------------------------------------------------------

// Does something within one step, and returns what that touches.
struct deed {
  std::string_view name;
  std::function<void()> done;
  std::string_view touches;
};

// What small programs cannot reach, or hardly.
TEST(StepObserverTest, IsToldWhatIsDoneToTheWorld) {
  scribe told;
  std::string wrong;
  const auto main = [&]() -> task<void> {
    event rung;
    broadcast<int> news{1};
    subscription<int> mine = news.subscribe();
    std::vector<join_handle<void>> handles;
    handles.push_back(spawn([]() -> task<void> { co_await sleep_for(1ms); }()));
    told.names[rung.id()] = "event";
    told.names[news.id()] = "news";
    told.names[current_task().id()] = "itself";
    told.names[handles[0].get().id()] = "child";
    const std::vector<deed> deeds{
        {"now", [] { static_cast<void>(now()); }, ""},
        {"wall_now", [] { static_cast<void>(wall_now()); }, "reads clock"},
        {"shift_wall_clock", [] { shift_wall_clock(1s); }, "writes clock"},
        {"pause_clock", [] { pause_clock(); }, "writes clock"},
        {"resume_clock", [] { resume_clock(); }, "writes clock"},
        {"all_tasks", [] { static_cast<void>(all_tasks()); }, "writes everything"},
        {"clear", [&] { rung.clear(); }, "writes event"},
        {"is_set", [&] { static_cast<void>(rung.is_set()); }, "reads event"},
        {"backlog", [&] { static_cast<void>(mine.backlog()); }, "reads news"},
        {"cancelling", [] { static_cast<void>(current_task().cancelling()); }, "reads itself"},
        {"done", [&] { static_cast<void>(handles[0].done()); }, "reads child"},
        {"cancel", [&] { handles[0].cancel(); }, "writes child"},
        {"uncancel", [&] { handles[0].get().uncancel(); }, "writes child, reads child"},
        {"call_soon", [] { call_soon([] {}); }, ""},
        {"order",
         [] {
           const order one("one");
           static_cast<void>(one.complete());
         },
         "writes points, reads points, writes points, reads points"},
    };
    for (const deed& each : deeds) {
      told.accesses();
      each.done();
      const std::string touched = told.accesses();
      if (touched != each.touches) wrong += fmt::format("{}: {}\n", each.name, touched);
    }
    co_await handles[0].join();
  };
  run_with(told, main);
  EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace lockstep
