#include "../runtime/judged_run.hpp"

#include <lockstep/report/text.hpp>
#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// The texts are approved by being read: they are what a user sees. The programs are at the end of the file, where
// #line gives them files and lines of their own.
task<void> use_connection();
task<void> fetch_pages();
task<void> drop_a_handle();
task<void> lose_an_exception();
task<void> mistake();
task<void> wait_for_many();

// What is found wrong with a run, each verdict in full.
template <class F>
std::string report_on(F make, const sim::world_options& how = {}) {
  std::string text;
  for (const verdict& each : judge(make, how).verdicts) text += to_text(each);
  return "\n" + text;
}

TEST(TextTest, OfADeadlockIsATreeOfSpawnsWithWhoHoldsWhat) {
  EXPECT_EQ(report_on(use_connection), R"(
deadlock at 1.5 s (virtual), step 6: every task waits
  main      join(reader)  conn.cpp:115  held by reader
  └ writer  event "ack"   conn.cpp:103
            spawned at    conn.cpp:113
  └ reader  mutex "tx"    conn.cpp:107  held by writer
            spawned at    conn.cpp:114
)");
}

TEST(TextTest, ShowsNestedSpawnsStacksNotesAndTheCycle) {
  EXPECT_EQ(report_on(fetch_pages), R"(
deadlock at 0 ns (virtual), step 8: every task waits
  main           children of "sites"(site)  crawler.cpp:34              held by site
  └ site         join(fetch 1.1)            crawler.cpp:26              held by fetch 1.1
                 spawned at                 crawler.cpp:33
    └ fetch 1.1  mutex "log"                crawler.cpp:13              held by fetch 1.2
                 called from                crawler.cpp:17
                                            crawler.cpp:21
                 spawned at                 crawler.cpp:24
                 note                       crawler.cpp:20: index.html
                 note                       crawler.cpp:16: attempt 1
    └ fetch 1.2  mutex "cache"              crawler.cpp:13              held by fetch 1.1
                 called from                crawler.cpp:17
                                            crawler.cpp:21
                 spawned at                 crawler.cpp:25
                 note                       crawler.cpp:20: about.html
                 note                       crawler.cpp:16: attempt 1
  cycle: fetch 1.1 -> fetch 1.2 -> fetch 1.1
)");
}

TEST(TextTest, OfOneTaskShowsIt) {
  EXPECT_EQ(report_on(drop_a_handle), R"(
dropped handle at 0 ns (virtual), step 3: the handle of task "reader" died before the task ended; join it, or spawn it as a daemon
  reader  sleep until 1 h  drop.cpp:11
          spawned at       drop.cpp:14
)");
}

TEST(TextTest, OfAFailedTaskShowsWhereItThrew) {
  EXPECT_EQ(report_on(lose_an_exception), R"(
unread exception at 2 s (virtual), step 4: task "writer" failed and nobody looked: disk full
  writer  failed       lost.cpp:11
          called from  lost.cpp:15
          spawned at   lost.cpp:18
)");
}

TEST(TextTest, OfMisuseShowsTheRunningTask) {
  EXPECT_EQ(report_on(mistake), R"(
misuse at 0 ns (virtual), step 2: unlock() of mutex "tx" by task "main"; it is held by nobody
  main  running      mistake.cpp:11
        called from  mistake.cpp:16
)");
}

TEST(TextTest, WithoutTasksIsItsHeadline) {
  verdict found;
  found.kind = verdict_kind::unreached_point;
  found.message = "the point \"writer:start\" was never reached";
  found.at = time_point{3h};
  found.step = 12;
  EXPECT_EQ(to_text(found),
            "unreached point at 3 h (virtual), step 12: the point \"writer:start\" was never reached\n");
  EXPECT_EQ(tree_of({}), "");
}

TEST(TextTest, ATreeWithSeveralRootsKeepsTheOrderOfTheTasks) {
  std::vector<task_snapshot> tasks(4);
  tasks[0].name = "a";
  tasks[1].name = "b";
  tasks[2].name = "child of a";
  tasks[2].parent = 0;
  tasks[2].state = task_snapshot::condition::running;
  tasks[3].name = "child of b";
  tasks[3].parent = 1;
  tasks[3].state = task_snapshot::condition::waiting;
  tasks[3].waits_for = "event \"x\"";
  tasks[3].held_by = "a";
  EXPECT_EQ("\n" + tree_of(tasks), R"(
  a             ready
  └ child of a  running
  b             ready
  └ child of b  event "x"    held by a
)");
}

// The table stays one line for each row, whatever the names are.
TEST(TextTest, EscapesLineBreaksInNames) {
  std::vector<task_snapshot> tasks(2);
  tasks[0].name = "GET /\r\nHost: a";
  tasks[0].state = task_snapshot::condition::waiting;
  tasks[0].waits_for = "mutex \"a\nb\"";
  tasks[0].held_by = "c\td";
  tasks[1].name = "b";
  tasks[1].parent = 0;
  tasks[1].notes = {"conn.cpp:7: first\nsecond\x7F"};
  EXPECT_EQ("\n" + tree_of(tasks), R"(
  GET /\x0d\nHost: a  mutex "a\nb"                                 held by c\x09d
  └ b                 ready
                      note          conn.cpp:7: first\nsecond\x7f
)");
}

// What reads the reports may take nothing else: an XML file with such a byte is none.
TEST(TextTest, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(in_utf8("größe \n€ \xF0\x9F\x98\x80"), "größe \n€ \xF0\x9F\x98\x80");
  EXPECT_EQ(in_utf8("a\xFF\x80z"), "a\\xff\\x80z");
  EXPECT_EQ(in_utf8("\xE2\x82"), "\\xe2\\x82") << "cut off";
  EXPECT_EQ(in_utf8("\xC0\x80 \xE0\x9F\xBF \xF0\x8F\xBF\xBF"), "\\xc0\\x80 \\xe0\\x9f\\xbf \\xf0\\x8f\\xbf\\xbf")
      << "written too long";
  EXPECT_EQ(in_utf8("\xED\xA0\x80 \xF4\x90\x80\x80"), "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80")
      << "a surrogate, and what is beyond the last";
  verdict found;
  found.message = "task \"\xFF\"";
  found.tasks.resize(1);
  found.tasks[0].name = "\xFF";
  EXPECT_EQ(to_text(found), "misuse at 0 ns (virtual), step 0: task \"\\xff\"\n  \\xff  ready\n");
}

TEST(TextTest, ShowsWhatEachOfSeveralExceptionsSays) {
  std::vector<task_snapshot> tasks(2);
  tasks[0].name = "main";
  tasks[0].state = task_snapshot::condition::failed;
  tasks[1].name = "log";
  tasks[1].parent = 0;
  tasks[1].state = task_snapshot::condition::cancelled;
  tasks[1].threw = "disk full\n";
  EXPECT_EQ("\n" + tree_of(tasks), R"(
  main   failed
  └ log  cancelled
         threw      disk full\n
)");
}

// The columns are counted in characters, not in bytes.
TEST(TextTest, AlignsNamesThatAreNotAscii) {
  std::vector<task_snapshot> tasks(2);
  tasks[0].name = "größe";
  tasks[1].name = "other";
  EXPECT_EQ(tree_of(tasks), "  größe  ready\n  other  ready\n");
}

std::vector<task_snapshot> numbered_tasks(std::size_t count) {
  std::vector<task_snapshot> tasks(count);
  for (std::size_t i = 0; i < count; ++i) {
    tasks[i].name = "t" + std::to_string(i);
    if (i > 0) tasks[i].parent = i - 1;
  }
  return tasks;
}

std::size_t number_of_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(TextTest, ShowsSoManyTasksAndCountsTheRest) {
  EXPECT_EQ(number_of_lines(tree_of(numbered_tasks(64))), 64u);
  const std::string text = tree_of(numbered_tasks(1000));
  EXPECT_EQ(number_of_lines(text), 65u);
  EXPECT_THAT(text, testing::HasSubstr("└ t63 "));
  EXPECT_THAT(text, testing::EndsWith("\n  ... and 936 more tasks\n"));
}

TEST(TextTest, OfManyTasksShowsThoseOfTheCycleBelowWhoIsLeftOfTheirAncestors) {
  std::vector<task_snapshot> tasks = numbered_tasks(1000);
  for (std::size_t i = 1; i < tasks.size(); ++i) tasks[i].parent = i < 900 ? 0 : i - 1;
  const std::string text = tree_of(tasks, {"t998", "t997"});
  EXPECT_EQ(number_of_lines(text), 65u);
  EXPECT_THAT(text, testing::HasSubstr("\n  └ t61"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("t62")));
  EXPECT_THAT(text, testing::ContainsRegex("\n  └ t997 +ready\n    └ t998 +ready\n  ... and 936 more tasks"));
}

TEST(TextTest, OfALongStackShowsBothEnds) {
  std::vector<task_snapshot> tasks = numbered_tasks(1);
  tasks[0].stack.assign(3000, source::current());
  const std::string text = tree_of(tasks);
  EXPECT_EQ(number_of_lines(text), 33u);
  EXPECT_EQ(number_of_lines(text.substr(0, text.find("... 2968 more"))), 16u);
}

TEST(TextTest, OfALongCycleShowsItsBeginning) {
  verdict found;
  for (int i = 0; i < 32; ++i) found.cycle.push_back(std::to_string(i));
  EXPECT_THAT(to_text(found), testing::EndsWith(" -> 30 -> 31 -> 0\n"));
  found.cycle.push_back("32");
  EXPECT_THAT(to_text(found), testing::EndsWith(" -> 30 -> 31 -> ... 1 more -> 0\n"));
  for (int i = 33; i < 100; ++i) found.cycle.push_back(std::to_string(i));
  EXPECT_THAT(to_text(found), testing::EndsWith(" -> 30 -> 31 -> ... 68 more -> 0\n"));
}

TEST(TextTest, ALongCellDoesNotWidenTheOthers) {
  std::vector<task_snapshot> tasks = numbered_tasks(2);
  tasks[0].name = std::string(61, 'x');
  tasks[1].parent.reset();
  EXPECT_EQ(tree_of(tasks), "  " + tasks[0].name + "  ready\n  t1  ready\n");
}

TEST(TextTest, OfAWaitForManyNamesTheFirst) {
  const std::string text = report_on(wait_for_many);
  EXPECT_EQ(number_of_lines(text), 2 + 1 + 2 * 63 + 2u);
  EXPECT_THAT(text,
              testing::HasSubstr("  join(wait 1, wait 2, wait 3, wait 4, wait 5, wait 6, wait 7, wait 8 and 92 more)"
                                 "  many.cpp:16"));
  EXPECT_THAT(text, testing::ContainsRegex("\n  └ wait 63 +mutex \"gate\" +many.cpp:10 +held by main\n"));
}

// -- the programs -----------------------------------------------------------------------------------------------------

// clang-format off
#line 100 "/src/conn.cpp"
task<void> transmit(mutex& tx, event& ack) {
  const mutex_guard held = co_await tx.lock();
  co_await sleep_for(1500ms);
  co_await ack.wait();
}
task<void> read_frames(mutex& tx, event& ack) {
  co_await yield();
  const mutex_guard held = co_await tx.lock();
  ack.set();
}
task<void> use_connection() {
  mutex tx("tx");
  event ack("ack");
  auto writer = spawn(transmit(tx, ack), "writer");
  auto reader = spawn(read_frames(tx, ack), "reader");
  co_await reader.join();
}

#line 10 "/src/crawler.cpp"
task<void> get(mutex& first, mutex& second) {
  const mutex_guard one = co_await first.lock();
  co_await yield();
  const mutex_guard two = co_await second.lock();
}
task<void> retry(mutex& first, mutex& second) {
  const scoped_annotation note("attempt 1");
  co_await with_timeout(duration::max(), get(first, second));
}
task<void> fetch(mutex& first, mutex& second, std::string page) {
  const scoped_annotation note(page);
  co_await retry(first, second);
}
task<void> site(mutex& first, mutex& second) {
  auto left = spawn(fetch(first, second, "index.html"));
  auto right = spawn(fetch(second, first, "about.html"));
  co_await left.join();
  co_await right.join();
}
task<void> fetch_pages() {
  mutex cache("cache");
  mutex log("log");
  task_group sites("sites");
  sites.spawn(site(cache, log), "site");
  co_await sites.join();
}

#line 10 "/src/drop.cpp"
task<void> read_for_ever() {
  co_await sleep_for(1h);
}
task<void> drop_a_handle() {
  const auto handle = spawn(read_for_ever(), "reader");
  co_await yield();
}

#line 10 "/src/lost.cpp"
task<void> write() {
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}
task<void> save() {
  co_await write();
}
task<void> lose_an_exception() {
  const auto handle = spawn(save(), "writer");
  co_await sleep_for(2s);
}

#line 10 "/src/mistake.cpp"
task<void> release(mutex& lock) {
  co_await yield();
  lock.unlock();
}
task<void> mistake() {
  mutex lock("tx");
  co_await release(lock);
}

#line 10 "/src/many.cpp"
task<void> wait(mutex& gate) { const mutex_guard entry = co_await gate.lock(); }
task<void> wait_for_many() {
  mutex gate("gate");
  const mutex_guard entry = co_await gate.lock();
  std::vector<task<void>> works;
  for (int i = 0; i < 100; ++i) works.push_back(wait(gate));
  co_await when_all(std::move(works));
}

}  // namespace
}  // namespace lockstep
