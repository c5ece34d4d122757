// Columns of runs that are made, whose texts are approved by being read. Those written by hand are in columns_test.cpp.
#include "../runtime/judged_run.hpp"

#include <lockstep/report/columns.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// The lines that follow are `text`, which begins with a line break.
std::string below(const std::string& text) { return "\n" + text; }

template <class F>
recorded_run record(F make, oracle* choices = nullptr, bool keep_trace = true) {
  sim::world world;
  sim::world_options how;
  how.choices = choices;
  how.keep_trace = keep_trace;
  world.start(how);
  world.drive(make());
  recorded_run made = copy_of(world.loop().history());
  world.finish();
  return made;
}

// Whoever could go on at an await is overtaken; the highest values are drawn.
class taking_turns final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override { return from.first_is_running() ? 1 : 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override { return options - 1; }
};

template <class F>
std::string shown(F make) {
  taking_turns turns;
  return below(columns_of(record(make, &turns)));
}

// The programs are at the end of the file, where #line gives them files and lines of their own.
task<void> withdraw_twice();
task<void> lock_in_both_orders();
task<void> see_values();
task<void> draw_values();
task<void> draw_any();
task<void> wait_within_the_library();
task<void> cancel_a_wait();
task<void> make_mistakes();
task<void> serve_many();

TEST(ColumnsOfRunsTest, OfTheAccountShowTheLostCheck) {
  taking_turns turns;
  const recorded_run run = record(withdraw_twice, &turns);
  std::vector<std::size_t> steps;
  for (std::size_t i = 0; i < run.records.size(); ++i) {
    if (run.records[i].is_step() && run.records[i].task != 0) steps.push_back(i);
  }
  column_options how;
  how.marked.resize(run.records.size());
  how.marked[steps.at(1)] = true;
  how.deciding = {steps.at(1), steps.at(2)};
  EXPECT_EQ(below(columns_of(run, how)), R"(
   main                                 withdraw 1                           withdraw 2
   account_test.cpp in withdraw_twice()
                                        account.hpp  balance 100
                                                                             account.hpp  balance 100                  *
                                                                             <- before withdraw 1 reached account.hpp:6
                                        account.hpp:6  mutex "audit", balance = 20
                                                                             account.hpp:6  mutex "audit", balance = -60
   account_test.cpp:3  children, balance -60
)");
}

TEST(ColumnsOfRunsTest, OfADeadlockShowWhoWaitsForWhat) {
  EXPECT_EQ(shown(lock_in_both_orders), R"(
   main                            to the right                    to the left
   ring.cpp in lock_in_both_orders()  then waits for join(to the right) at ring.cpp:11
                                   ring.cpp in transfer()
                                                                   ring.cpp in transfer()
                                   ring.cpp:2  mutex "left"
                                                                   ring.cpp:2  mutex #2
                                   ring.cpp:3  then waits for mutex #2 at ring.cpp:4
                                                                   ring.cpp:3  then waits for mutex "left" at ring.cpp:4
)");
}

TEST(ColumnsOfRunsTest, ShowWaitsOfTheEndThatAreNoSteps) {
  EXPECT_EQ(below(columns_of(record(lock_in_both_orders))), R"(
   main                            to the right                    to the left
   ring.cpp in lock_in_both_orders()  then waits for join(to the right) at ring.cpp:11
                                   ring.cpp in transfer()
                                   ring.cpp:2  mutex "left"
                                                                   ring.cpp in transfer()
                                                                   ring.cpp:2  mutex #2
                                   ring.cpp:3  then waits for mutex #2 at ring.cpp:4
                                                                   ring.cpp:3  then waits for mutex "left" at ring.cpp:4
)");
}

TEST(ColumnsOfRunsTest, ShowValuesOfSharedVariables) {
  EXPECT_EQ(shown(see_values), R"(
   main
   values.cpp in see_values()  shared #1 0, shared #1 = 1, shared #1 = 2
   values.cpp:12  state = "busy", at 1/2, at = 1/5
   values.cpp:16  mute read, mute written, owned = not null
   values.cpp:20  telling of 2
)");
}

TEST(ColumnsOfRunsTest, ShowValuesThatWereDrawn) {
  EXPECT_EQ(shown(draw_values), R"(
   main
   dice.cpp in draw_values()  die drew 6, shift drew 3, big drew 18446744073709551614, jitter drew 20 ms
   ── 20 ms ────────────────────────────────────────────────────────────────────────────────────────────
   dice.cpp:6  sleep
)");
}

TEST(ColumnsOfRunsTest, ShowTheValuesOfPropertyTests) {
  const std::string plain = below(columns_of(record(draw_any)));
  EXPECT_EQ(plain, R"(
   main
   any.cpp in draw_any()  drew 0, 0, bytes drew 0 bytes, text drew ""
   any.cpp:8  which drew 1/2, alternative 1, list drew 0 elements, late drew 0 ns, drew false
)");
  EXPECT_EQ(shown(draw_any), R"(
   main
   any.cpp in draw_any()  drew -9, 255, bytes drew 3 bytes: ff ff ff, text drew "ccc"
   any.cpp:8  which drew 3/4, alternative 2, list drew 2 elements, 7, 7, late drew 1 s, drew true
)");
}

TEST(ColumnsOfRunsTest, ShowTheUsersLineWhereTheLibraryWaits) {
  EXPECT_EQ(shown(wait_within_the_library), R"(
   main                                       server
   library.cpp in wait_within_the_library()
                                              library.cpp in answer()
   ── 1 s ────────────────────────────────────────────────────────────────
   library.cpp:7  sleep
   library.cpp:7  settle
                                              library.cpp:2  event "asked"
   library.cpp:9  join(server)
)");
}

TEST(ColumnsOfRunsTest, ShowCancellations) {
  EXPECT_EQ(shown(cancel_a_wait), R"(
   main                          waiting
   stop.cpp in cancel_a_wait()
                                 stop.cpp in wait_long()
   stop.cpp:7
                                 stop.cpp:2  event "never", cancelled: no time
   stop.cpp:10  join(waiting)
)");
}

TEST(ColumnsOfRunsTest, ShowWhatWentWrong) {
  EXPECT_EQ(shown(make_mistakes), R"(
   main                               read_disk 1
   faults.cpp in make_mistakes()
                                      faults.cpp
   faults.cpp:8  misuse
                                      faults.cpp:2  threw disk full
   faults.cpp:14  join(read_disk 1)
)");
}

TEST(ColumnsOfRunsTest, OfManyTasksFitOneScreen) {
  taking_turns turns;
  const recorded_run run = record(serve_many, &turns);
  EXPECT_EQ(std::count_if(run.records.begin(), run.records.end(), [](const trace_record& r) { return r.is_step(); }),
            305);
  EXPECT_EQ(below(columns_of(run)), R"(
   main               serve 1            serve 2            serve 4            8 others
   many.cpp in serve_many()
                      many.cpp
                                         many.cpp
                                                                               serve 3: many.cpp
                                                            many.cpp
                                                                               serve 5: many.cpp
                                                                               serve 6: many.cpp
                                                                               serve 7: many.cpp
                                                                               serve 8: many.cpp
                                                                               serve 9: many.cpp
                                                                               serve 10: many.cpp
                                                                               serve 11: many.cpp
   many.cpp:14  put into queue "requests"
                      many.cpp:3  get from queue "requests", served = 1
   many.cpp:14  put into queue "requests"
                      many.cpp:6
                                         many.cpp:3  get from queue "requests", served = 2
   many.cpp:14  put into queue "requests"
   ... 267 steps ...
                                                            many.cpp:3  get from queue "requests"
   many.cpp:15  put into queue "requests"
                                                                               serve 5: many.cpp:3  get from queue "req…
   many.cpp:15  put into queue "requests"
                                                                               serve 6: many.cpp:3  get from queue "req…
   many.cpp:15  put into queue "requests"
                                                                               serve 7: many.cpp:3  get from queue "req…
   many.cpp:15  put into queue "requests"
                                                                               serve 8: many.cpp:3  get from queue "req…
   many.cpp:15  put into queue "requests"
                                                                               serve 9: many.cpp:3  get from queue "req…
   many.cpp:15  put into queue "requests"
                                                                               serve 10: many.cpp:3  get from queue "re…
   many.cpp:15  put into queue "requests"
                                                                               serve 11: many.cpp:3  get from queue "re…
   many.cpp:15  put into queue "requests"
                      many.cpp:3  get from queue "requests"
   many.cpp:15  put into queue "requests"
                                         many.cpp:3  get from queue "requests"
   many.cpp:16  children
)");
}

// What is kept for reports changes nothing of the run.
TEST(ColumnsOfRunsTest, LeaveTheRunAsItIs) {
  for (const auto program : {withdraw_twice, lock_in_both_orders, see_values, draw_values, draw_any,
                             wait_within_the_library, cancel_a_wait, make_mistakes, serve_many}) {
    taking_turns turns;
    const recorded_run kept = record(program, &turns);
    const recorded_run plain = record(program, &turns, false);
    EXPECT_EQ(kept.hashes, plain.hashes);
    EXPECT_TRUE(plain.notes.empty());
    EXPECT_TRUE(plain.objects.empty());
    EXPECT_EQ(columns_of(record(program, &turns)), columns_of(kept));
  }
}

// -- programs ---------------------------------------------------------------------------------------------------------

struct point_of_two {
  int x = 1;
  int y = 2;
  bool operator==(const point_of_two&) const = default;
};
std::ostream& operator<<(std::ostream& out, const point_of_two& shown) { return out << shown.x << '/' << shown.y; }

struct without_text {
  int value = 0;
};

// Its text reads another variable, which is no part of the run.
struct telling_of {
  const shared<int>* other = nullptr;
  friend std::ostream& operator<<(std::ostream& out, const telling_of& shown) { return out << "of " << **shown.other; }
};

struct without_a_text_today {
  friend std::ostream& operator<<(std::ostream&, const without_a_text_today&) { throw std::runtime_error("no text"); }
};

// clang-format off
#line 1 "/src/account.hpp"
struct account {
  shared<int> balance{100, "balance"};
  mutex audit{"audit"};
  task<bool> withdraw(int amount) {
    if (balance < amount) co_return false;
    { auto entry = co_await audit.lock(); }
    balance -= amount;
    co_return true;
  }
};
#line 1 "/src/account_test.cpp"
task<void> withdraw_twice() {
  account a;
  co_await when_all(a.withdraw(80), a.withdraw(80));
  EXPECT_EQ(a.balance, -60);
}

#line 1 "/src/ring.cpp"
task<void> transfer(mutex& from, mutex& to) {
  auto one = co_await from.lock();
  co_await yield();
  auto two = co_await to.lock();
}
task<void> lock_in_both_orders() {
  mutex left("left");
  mutex right;
  auto to_right = spawn(transfer(left, right), "to the right");
  auto to_left = spawn(transfer(right, left), "to the left");
  co_await to_right.join();
  co_await to_left.join();
}

#line 1 "/src/values.cpp"
task<void> see_values() {
  shared<int> count;
  shared<std::string> state{"idle", "state"};
  shared<point_of_two> at{point_of_two(), "at"};
  shared<without_text> mute{without_text(), "mute"};
  shared<std::unique_ptr<int>> owned{nullptr, "owned"};
  shared<telling_of> telling{telling_of{&count}, "telling"};
  shared<without_a_text_today> never{without_a_text_today(), "never"};
  count = count + 1;
  EXPECT_EQ(count + count, 2);
  ++count;
  co_await yield();
  state = std::string("busy");
  EXPECT_EQ(at->x, 1);
  at.change([](point_of_two& now) { now.y = 5; });
  co_await yield();
  static_cast<void>(mute.get());
  mute = without_text{1};
  owned = std::make_unique<int>(1);
  co_await yield();
  static_cast<void>(telling.get());
  static_cast<void>(never.get());
}

#line 1 "/src/dice.cpp"
task<void> draw_values() {
  random_int("die", 1, 6);
  random_int("shift", -3, 3);
  random_int<std::uint64_t>("big", 0, ~std::uint64_t{0});
  random_int("no choice", 2, 2);
  co_await sleep_for(random_duration("jitter", 1ms, 20ms));
}

#line 1 "/src/any.cpp"
task<void> draw_any() {
  any_int(-9, 5);
  any_int<std::uint8_t>(0, 255);
  any_int(2, 2);
  any_bytes("bytes", 3);
  any_string("text", 3, "abc");
  any_of({4});
  co_await yield();
  any_of("which", {point_of_two{1, 2}, point_of_two{3, 4}});
  any_of("which", {without_text{1}, without_text{2}});
  any_vector("list", 2, [] { return any_int("list", 0, 7); });
  any_duration("late", 0s, 1s);
  any_bool();
}

#line 1 "/src/library.cpp"
task<void> answer(event& asked) {
  co_await asked.wait();
}
task<void> wait_within_the_library() {
  event asked("asked");
  auto server = spawn(answer(asked), "server");
  co_await advance(1s);
  asked.set();
  co_await server.join();
}

#line 1 "/src/stop.cpp"
task<void> wait_long(event& never) {
  co_await never.wait();
}
task<void> cancel_a_wait() {
  event never("never");
  auto waiting = spawn(wait_long(never), "waiting");
  co_await yield();
  waiting.cancel("no time");
  try {
    co_await waiting.join();
  } catch (const cancelled&) {
  }
}

#line 1 "/src/faults.cpp"
task<void> read_disk() {
  co_await yield();
  throw std::runtime_error("disk full");
}
task<void> make_mistakes() {
  auto reader = spawn(read_disk());
  mutex door("door");
  co_await yield();
  try {
    door.unlock();
  } catch (const misuse&) {
  }
  try {
    co_await reader.join();
  } catch (const std::runtime_error&) {
  }
}

#line 1 "/src/many.cpp"
task<void> serve(queue<int>& requests, shared<int>& served) {
  for (;;) {
    const int request = co_await requests.get();
    if (request < 0) co_return;
    ++served;
    co_await yield();
  }
}
task<void> serve_many() {
  queue<int> requests(4, "requests");
  shared<int> served{0, "served"};
  task_group servers("servers");
  for (int i = 0; i < 11; ++i) servers.spawn(serve(requests, served));
  for (int i = 0; i < 90; ++i) co_await requests.put(i);
  for (int i = 0; i < 11; ++i) co_await requests.put(-1);
  co_await servers.join();
}
// clang-format on

}  // namespace
}  // namespace lockstep
