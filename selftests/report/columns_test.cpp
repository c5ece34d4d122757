#include "../runtime/judged_run.hpp"

#include <lockstep/report/columns.hpp>
#include <lockstep/report/table.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The lines that follow are `text`, which begins with a line break.
std::string below(const std::string& text) { return "\n" + text; }

// -- runs that are written by hand ------------------------------------------------------------------------------------

// The main task and some that it has spawned: "task 1", "task 2", …
class written_run {
 public:
  explicit written_run(std::uint32_t children) {
    add(0, operation_kind::task_made, main_identity);
    for (std::uint32_t n = 1; n <= children; ++n) {
      add(n, operation_kind::task_made, task_identity(main_identity, n));
    }
  }

  // A step of that task, in which it saw something. Returns its record.
  std::size_t step(std::uint32_t task, const std::string& seen, operation_kind kind = operation_kind::yield,
                   std::uint32_t object = 0) {
    add(task, kind, 0, object);
    if (!seen.empty()) run.notes.push_back({run.records.size() - 1, seen, ""});
    return run.records.size() - 1;
  }
  std::size_t add(std::uint32_t task, operation_kind kind, std::uint64_t payload, std::uint32_t object = 0) {
    run.records.push_back({payload, task, trace::label(kind, object)});
    return run.records.size() - 1;
  }
  void time(duration now) { add(0, operation_kind::time_moved, static_cast<std::uint64_t>(now.count())); }

  recorded_run run;
};

TEST(ColumnsTest, HaveATaskEachInTheOrderOfTheirFirstSteps) {
  written_run made(2);
  made.step(2, "one");
  made.step(0, "two");
  made.step(2, "three");
  EXPECT_EQ(below(columns_of(made.run)), R"(
   task 2   main
   one
            two
   three
)");
}

TEST(ColumnsTest, OfNothingAreNothing) {
  EXPECT_EQ(columns_of({}), "");
  EXPECT_EQ(columns_of(written_run(3).run), "");
}

TEST(ColumnsTest, SayWhatAStepAwaited) {
  written_run made(0);
  made.run.objects[1] = "audit";
  made.step(0, "", operation_kind::start);
  made.step(0, "", operation_kind::lock, 1);
  made.step(0, "seen", operation_kind::get, 2);
  made.step(0, "", operation_kind::join);
  made.step(0, "", operation_kind::yield);
  EXPECT_EQ(below(columns_of(made.run)), R"(
   main
   start
   mutex "audit"
   get from queue #2, seen
   join
   yield
)");
}

TEST(ColumnsTest, SayThatAStepCameToWait) {
  written_run made(0);
  const std::size_t attempt = made.step(0, "", operation_kind::join);
  made.run.notes.push_back({attempt, std::string(trace_note::waits_for), "join(reader)"});
  made.step(0, "", operation_kind::join);
  made.step(0, "", operation_kind::join);
  EXPECT_EQ(below(columns_of(made.run)), R"(
   main
   waits for join(reader)
   join(reader)
   join
)");
}

TEST(ColumnsTest, ShowMovedTimeOnceAcrossAll) {
  written_run made(1);
  made.step(0, "before it, at the beginning");
  made.time(5ms);
  made.time(7ms);
  made.step(1, "after");
  EXPECT_EQ(below(columns_of(made.run)), R"(
   main                          task 1
   before it, at the beginning
   ── 7 ms ────────────────────────────
                                 after
)");
}

TEST(ColumnsTest, MarkSteps) {
  written_run made(1);
  made.step(0, "first");
  const std::size_t marked = made.step(0, "x");
  made.step(1, "y");
  const std::size_t drawn = made.add(1, operation_kind::value_picked, 3);
  made.run.notes.push_back({drawn - 1, "jitter", "drew 3"});
  column_options how;
  how.marked.resize(marked + 1);
  how.marked[marked] = true;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main    task 1
   first
   x   *
           y, jitter drew 3
)");
  // A value is marked at its step; what is in no step is not.
  how.marked.assign(made.run.records.size(), false);
  how.marked[0] = how.marked[drawn] = true;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main    task 1
   first
   x
           y, jitter drew 3  *
)");
}

TEST(ColumnsTest, RemarkTheEarlierOfTheDecidingSteps) {
  written_run made(1);
  const std::size_t earlier = made.step(0, "reads");
  const std::size_t later = made.step(1, "writes");
  const std::string text = R"(
   main    task 1
   reads  <- before task 1 went on
           writes
)";
  column_options how;
  how.deciding = {earlier, later};
  EXPECT_EQ(below(columns_of(made.run, how)), text);
  how.deciding = {later, earlier};
  EXPECT_EQ(below(columns_of(made.run, how)), text);
}

TEST(ColumnsTest, GiveARemarkWithoutRoomALine) {
  written_run made(1);
  const std::size_t earlier = made.step(0, "reads what is needed");
  const std::size_t later = made.step(1, "writes");
  column_options how;
  how.deciding = {earlier, later};
  how.width_max = 42;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main                   task 1
   reads what is needed
   <- before task 1 went on
                          writes
)");
}

TEST(ColumnsTest, RemarkNothingWhereNothingDecides) {
  written_run made(1);
  const std::size_t one = made.step(0, "reads");
  made.step(1, "writes");
  const std::string plain = columns_of(made.run);
  for (const std::size_t other : {one, std::size_t{0}, std::size_t{99}}) {
    column_options how;
    how.deciding = {one, other};
    EXPECT_EQ(columns_of(made.run, how), plain);
  }
}

TEST(ColumnsTest, ShowWhatMattersOfALongRun) {
  written_run made(1);
  std::vector<std::size_t> steps;
  for (unsigned i = 0; i < 300; ++i) {
    if (i == 150) made.time(3s);
    steps.push_back(made.step(i % 2, "step " + std::to_string(i)));
  }
  column_options how;
  how.marked.resize(steps[40] + 1);
  how.marked[steps[40]] = true;
  how.deciding = {steps[100], steps[200]};
  how.lines_max = 20;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main         task 1
   ... 40 steps ...
   step 40  *
   ... 57 steps ...
   step 98
                step 99
   step 100    <- before main went on
                step 101
   step 102
   ... 95 steps, until 3 s ...
   step 198
                step 199
   step 200
                step 201
   step 202
   ... 94 steps ...
                step 297
   step 298
                step 299
)");
}

TEST(ColumnsTest, LeaveNoGapThatIsAsLongAsWhatIsInIt) {
  written_run made(0);
  for (unsigned i = 0; i < 6; ++i) made.step(0, std::to_string(i));
  column_options how;
  how.marked = {false, false, false, true};  // the record of step 2 is the fourth
  how.lines_max = 6;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main
   ... 2 steps ...
   2  *
   3
   4
   5
)");
}

// Every limit that one may set is kept, whatever is marked.
TEST(ColumnsTest, NeverExceedTheScreen) {
  written_run made(12);
  std::vector<std::size_t> steps;
  for (unsigned i = 0; i < 300; ++i) {
    if (i % 50 == 20) made.time(duration(i * 1'000'000));
    steps.push_back(made.step(i * 7 % 13, "saw " + std::to_string(i) + " and whatever else there was to see"));
  }
  for (const std::size_t lines : {4u, 5u, 10u, 25u, 40u}) {
    for (const std::size_t width : {40u, 61u, 80u, 120u, 200u}) {
      for (const unsigned marks : {300u, 60u, 7u, 1u}) {
        column_options how;
        how.lines_max = lines;
        how.width_max = width;
        how.marked.resize(made.run.records.size());
        for (std::size_t i = 0; i < steps.size(); i += marks) how.marked[steps[i]] = true;
        how.deciding = {steps[marks], steps[250]};
        if (marks > 200) how.deciding.reset();
        const std::string text = columns_of(made.run, how);
        EXPECT_LE(lines_of(text).size(), lines) << text;
        for (const std::string& line : lines_of(text)) EXPECT_LE(detail::width_of(line), width) << text;
        EXPECT_TRUE(lines < 10 || text.find("saw 299") != std::string::npos) << text;
        EXPECT_EQ(columns_of(made.run, how), text);
      }
    }
  }
}

TEST(ColumnsTest, ShareTheLastWhereThereIsNoRoom) {
  written_run made(12);
  for (unsigned i = 0; i < 26; ++i) made.step(i % 13, "saw the value " + std::to_string(i));
  const std::size_t marked = made.step(12, "marked");
  made.step(3, "often");
  column_options how;
  how.marked.resize(marked + 1);
  how.marked[marked] = true;
  how.width_max = 100;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main               task 3             task 12            10 others
   saw the value 0
                                                            task 1: saw the value 1
                                                            task 2: saw the value 2
                      saw the value 3
                                                            task 4: saw the value 4
                                                            task 5: saw the value 5
                                                            task 6: saw the value 6
                                                            task 7: saw the value 7
                                                            task 8: saw the value 8
                                                            task 9: saw the value 9
                                                            task 10: saw the value 10
                                                            task 11: saw the value 11
                                         saw the value 12
   saw the value 13
                                                            task 1: saw the value 14
                                                            task 2: saw the value 15
                      saw the value 16
                                                            task 4: saw the value 17
                                                            task 5: saw the value 18
                                                            task 6: saw the value 19
                                                            task 7: saw the value 20
                                                            task 8: saw the value 21
                                                            task 9: saw the value 22
                                                            task 10: saw the value 23
                                                            task 11: saw the value 24
                                         saw the value 25
                                         marked         *
                      often
)");
}

TEST(ColumnsTest, LetLongCellsRunOnAndCutThem) {
  written_run made(1);
  made.step(0, std::string(70, 'x'));
  made.step(1, "y");
  made.step(1, std::string(70, 'z'));
  column_options how;
  how.width_max = 60;
  EXPECT_EQ(below(columns_of(made.run, how)), R"(
   main                       task 1
   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                              y
                              zzzzzzzzzzzzzzzzzzzzzzzzzzzzz…
)");
}

TEST(ColumnsTest, KeepWhatUsersWriteInOneLineAndInUtf8) {
  written_run made(3);
  made.run.names = {{1, "größe\n"}, {2, "worker"}, {3, "worker"}};
  made.run.objects[1] = "日\xFFx";
  made.step(1, "tab\there");
  made.step(2, "", operation_kind::lock, 1);
  made.step(3, std::string(3, '\0'));
  EXPECT_EQ(below(columns_of(made.run)), R"(
   größe\n       worker (2)       worker (3)
   tab\x09here
                 mutex "日\xffx"
                                  \x00\x00\x00
)");
}

// -- runs that are made -----------------------------------------------------------------------------------------------

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
task<void> wait_within_the_library();
task<void> cancel_a_wait();
task<void> make_mistakes();
task<void> serve_many();

TEST(ColumnsTest, OfTheAccountShowTheLostCheck) {
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

TEST(ColumnsTest, OfADeadlockShowWhoWaitsForWhat) {
  EXPECT_EQ(shown(lock_in_both_orders), R"(
   main                                              to the right                     to the left
   ring.cpp in lock_in_both_orders()  then waits for join(to the right) at ring.cpp:11
                                                     ring.cpp in transfer()
                                                                                      ring.cpp in transfer()
                                                     ring.cpp:2  mutex "left"
                                                                                      ring.cpp:2  mutex #2
                                                     ring.cpp:3
                                                                                      ring.cpp:3
                                                     ring.cpp:4  waits for mutex #2
                                                                                      ring.cpp:4  waits for mutex "left"
)");
}

TEST(ColumnsTest, ShowWaitsOfTheEndThatAreNoSteps) {
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

TEST(ColumnsTest, ShowValuesOfSharedVariables) {
  EXPECT_EQ(shown(see_values), R"(
   main
   values.cpp in see_values()  shared #1 0, shared #1 = 1, shared #1 = 2
   values.cpp:12  state = "busy", at 1/2, at = 1/5
   values.cpp:16  mute read, mute written, owned = not null
   values.cpp:20  telling of 2
)");
}

TEST(ColumnsTest, ShowValuesThatWereDrawn) {
  EXPECT_EQ(shown(draw_values), R"(
   main
   dice.cpp in draw_values()  die drew 6, shift drew 3, big drew 18446744073709551614, jitter drew 20 ms
   ── 20 ms ────────────────────────────────────────────────────────────────────────────────────────────
   dice.cpp:6  sleep
)");
}

TEST(ColumnsTest, ShowTheUsersLineWhereTheLibraryWaits) {
  EXPECT_EQ(shown(wait_within_the_library), R"(
   main                                       server
   library.cpp in wait_within_the_library()
                                              library.cpp in answer()
                                              library.cpp:2  waits for event "asked"
   ── 1 s ──────────────────────────────────────────────────────────────────────────
   library.cpp:7  sleep
   library.cpp:7  settle
                                              library.cpp:2  event "asked"
   library.cpp:9  join
)");
}

TEST(ColumnsTest, ShowCancellations) {
  EXPECT_EQ(shown(cancel_a_wait), R"(
   main                          waiting
   stop.cpp in cancel_a_wait()
                                 stop.cpp in wait_long()
   stop.cpp:7
                                 stop.cpp:2  event "never", cancelled: no time
   stop.cpp:10  join
)");
}

TEST(ColumnsTest, ShowWhatWentWrong) {
  EXPECT_EQ(shown(make_mistakes), R"(
   main                            read_disk 1
   faults.cpp in make_mistakes()
                                   faults.cpp
   faults.cpp:8  misuse
                                   faults.cpp:2  threw disk full
   faults.cpp:14  join
)");
}

TEST(ColumnsTest, OfManyTasksFitOneScreen) {
  taking_turns turns;
  const recorded_run run = record(serve_many, &turns);
  EXPECT_EQ(std::count_if(run.records.begin(), run.records.end(), [](const trace_record& r) { return r.is_step(); }),
            405);
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
                                         many.cpp:3  waits for get from queue "requests"
                                                                               serve 3: many.cpp:3  waits for get from …
                                                            many.cpp:3  waits for get from queue "requests"
                                                                               serve 5: many.cpp:3  waits for get from …
   ... 367 steps ...
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
TEST(ColumnsTest, LeaveTheRunAsItIs) {
  for (const auto program : {withdraw_twice, lock_in_both_orders, see_values, draw_values, wait_within_the_library,
                             cancel_a_wait, make_mistakes, serve_many}) {
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
