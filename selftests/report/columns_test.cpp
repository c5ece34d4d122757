#include <lockstep/report/columns.hpp>
#include <lockstep/report/table.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The lines that follow are `text`, which begins with a line break.
std::string beneath(const std::string& text) { return "\n" + text; }

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
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main
   start
   mutex "audit"
   get from queue #2, seen
   join
   yield
)");
}

TEST(ColumnsTest, SayInFullWhatIsKnownInFull) {
  written_run made(0);
  const std::size_t joined = made.step(0, "seen", operation_kind::join);
  made.run.notes.push_back({joined, std::string(trace_note::awaited), "join(reader)"});
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main
   join(reader), seen
)");
}

TEST(ColumnsTest, SayOnceThatAnAssertionFailed) {
  written_run made(0);
  const std::size_t failed = made.step(0, "seen");
  made.run.notes.push_back({failed, "failed at", "a_test.cpp:40"});
  made.run.notes.push_back({failed, "threw", "a_test.cpp:40: Failure\nValue of: ready\n  Actual: false"});
  const std::size_t threw = made.step(0, "seen again");
  made.run.notes.push_back({threw, "threw", "not ready"});
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main
   seen, failed at a_test.cpp:40
   seen again, threw not ready
)");
}

TEST(ColumnsTest, ShowMovedTimeOnceAcrossAll) {
  written_run made(1);
  made.step(0, "before it, at the beginning");
  made.time(5ms);
  made.time(7ms);
  made.step(1, "after");
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main                          task 1
   before it, at the beginning
   ── 7 ms ────────────────────────────
                                 after
)");
}

TEST(ColumnsTest, ShowWhatHappenedBetweenSteps) {
  written_run made(1);
  made.run.hosts = {{0, "client"}, {1, "web"}};
  made.step(0, "writes");
  made.time(30ms);
  made.run.events.push_back({made.run.records.size(), "client:32768 -> web:80  5 bytes \"visit\""});
  made.step(1, "reads");
  made.time(60ms);
  made.run.events.push_back({made.run.records.size(), "web:80 -> client:32768  reset", true});
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main on client   task 1 on web
   writes
   ── 30 ms ─────────────────────
   ~~ client:32768 -> web:80  5 bytes "visit"
                    reads
   ── 60 ms ─────────────────────
   ~~ web:80 -> client:32768  reset
)");
  made.run.hosts[1] = "client";  // all on one host, of which nothing is said
  EXPECT_TRUE(columns_of(made.run).starts_with("   main     task 1\n")) << columns_of(made.run);
}

TEST(ColumnsTest, ShowWhatWentWrongBeforeOtherEventsAndCountTheRest) {
  written_run made(1);
  made.step(0, "first");
  for (int i = 0; i < 200; ++i) {
    made.run.events.push_back({made.run.records.size(), "message " + std::to_string(i), i == 100});
  }
  made.step(1, "last");
  column_options how;
  how.lines_max = 10;
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
   main    task 1
   first
   ... 99 events ...
   ~~ message 99
   ~~ message 100
   ~~ message 101
   ... 96 events ...
   ~~ message 198
   ~~ message 199
           last
)");
  for (trace_event& each : made.run.events) each.text = "the same";
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
   main    task 1
   first
   ~~ the same
   ~~ the same
   ... 198 more like these ...
           last
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
   main    task 1
   first
   x   *
           y, jitter drew 3
)");
  // A value is marked at its step; what is in no step is not.
  how.marked.assign(made.run.records.size(), false);
  how.marked[0] = how.marked[drawn] = true;
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), text);
  how.deciding = {later, earlier};
  EXPECT_EQ(beneath(columns_of(made.run, how)), text);
}

TEST(ColumnsTest, GiveARemarkWithoutRoomALine) {
  written_run made(1);
  const std::size_t earlier = made.step(0, "reads what is needed");
  const std::size_t later = made.step(1, "writes");
  column_options how;
  how.deciding = {earlier, later};
  how.width_max = 42;
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  for (const std::size_t other : {one, std::size_t{0}}) {
    column_options how;
    how.deciding = {one, other};
    EXPECT_EQ(columns_of(made.run, how), plain);
  }
}

TEST(ColumnsTest, SayWhereTheRunHasNotComeToTheLaterStep) {
  written_run made(1);
  const std::size_t one = made.step(0, "reads");
  made.step(1, "writes");
  column_options how;
  how.deciding = {one, made.run.records.size()};
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
   main    task 1
   reads  <- before a step that was not made
           writes
)");
}

TEST(ColumnsTest, CountWhatRepeatsItself) {
  written_run made(2);
  made.step(0, "", operation_kind::start);
  for (int i = 0; i < 40; ++i) made.step(1, "", operation_kind::yield);
  made.step(1, "livelock", operation_kind::yield);
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main    task 1
   start
           yield
           yield
   ... 38 more like these ...
           livelock
)");
}

TEST(ColumnsTest, CountWhatRepeatsItselfInTurns) {
  written_run made(2);
  made.step(0, "first");
  for (int i = 0; i < 100; ++i) {
    made.step(1, "looks");
    made.step(2, "looks as well");
  }
  made.step(0, "last");
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   main    task 1   task 2
   first
           looks
                    looks as well
           looks
                    looks as well
   ... 196 more like these ...
   last
)");
}

TEST(ColumnsTest, NeverCountAwayWhatDecides) {
  written_run made(2);
  std::vector<std::size_t> steps;
  for (int i = 0; i < 20; ++i) steps.push_back(made.step(1, "", operation_kind::yield));
  const std::size_t later = made.step(2, "sees");
  column_options how;
  how.deciding = {steps[10], later};
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
   task 1   task 2
   yield
   yield
   ... 8 more like these ...
   yield   <- before task 2 went on
   yield
   ... 8 more like these ...
            sees
)");
}

// So that what decides has a place in a crowd.
TEST(ColumnsTest, ShowTasksThatHaveNothingOfWhatDecidesBehindOthers) {
  written_run made(12);
  std::vector<std::size_t> steps;
  for (unsigned i = 0; i < 60; ++i) steps.push_back(made.step(i % 12 + 1, "step " + std::to_string(i)));
  made.step(0, "end");
  column_options how;
  how.deciding = {steps[1], steps[37]};
  how.lines_max = 14;
  const std::string text = columns_of(made.run, how);
  for (const std::string shown : {"step 1 ", "step 13", "step 25", "step 37", "step 49", "end"}) {
    EXPECT_NE(text.find(shown), std::string::npos) << text;
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run, how)), R"(
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
  EXPECT_EQ(beneath(columns_of(made.run)), R"(
   größe\n       worker (2)       worker (3)
   tab\x09here
                 mutex "日\xffx"
                                  \x00\x00\x00
)");
}

}  // namespace
}  // namespace lockstep
