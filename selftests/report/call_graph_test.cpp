#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"

#include <lockstep/report/call_graph.hpp>
#include <lockstep/testing/testing.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// The texts are approved by being read. The programs are at the end of the file, where #line gives them files and lines
// of their own.
task<void> serve_pages(std::string& seen);
task<void> join_in_a_circle(std::string& seen);
task<void> start_at_once(std::string& seen);
task<void> wait_in_every_way(std::string& seen);

template <class F>
std::string seen_in(F make) {
  std::string seen;
  static_cast<void>(judge([&] { return make(seen); }));
  return "\n" + seen;
}

TEST(CallGraphTextTest, WhatIsAwaitedStandsBelowItsAwaiter) {
  EXPECT_EQ(seen_in(serve_pages), R"(
call graph at 0 ns, step 10: 8 tasks
  main            join(follow 4, follow 5)              pages.cpp:35
  └ follow 4      join(index)                           pages.cpp:18  held by index
                  spawned at                            pages.cpp:35
    └ index       sleep until 1 s                       pages.cpp:12
                  called from                           pages.cpp:15
                  spawned at                            pages.cpp:33
  └ follow 5      join(site)                            pages.cpp:18  held by site
                  spawned at                            pages.cpp:35
    └ site        children of "pages"(about, follower)  pages.cpp:28
                  spawned at                            pages.cpp:34
      └ about     mutex "cache"                         pages.cpp:11  held by index
                  called from                           pages.cpp:15
                  spawned at                            pages.cpp:26
      └ follower  join(index)                           pages.cpp:18  held by index
                  spawned at                            pages.cpp:27
        └ index   see above
  onlooker        running                               pages.cpp:21
                  spawned at                            pages.cpp:32
)");
}

TEST(CallGraphTextTest, ACycleIsShownOnceAndMarked) {
  EXPECT_EQ(seen_in(join_in_a_circle), R"(
call graph at 0 ns, step 5: 4 tasks
  main            running             circle.cpp:13
  follow 1        join(follow 2)      pages.cpp:18   held by follow 2
                  spawned at          circle.cpp:12
  └ follow 2      join(follow 3)      pages.cpp:18   held by follow 3
                  spawned at          circle.cpp:12
    └ follow 3    join(follow 1)      pages.cpp:18   held by follow 1
                  spawned at          circle.cpp:12
      └ follow 1  a cycle, see above
)");
}

TEST(CallGraphTextTest, ShowsATaskAndItsSpawnerInTheMiddleOfTheirSteps) {
  EXPECT_EQ(seen_in(start_at_once), R"(
call graph at 0 ns, step 4: 3 tasks
  main       join(starter)  eager.cpp:20         held by starter
  └ starter  running        eager.cpp:15
             spawned at     eager.cpp:19
  eager      running        eager.cpp in look()
             spawned at     eager.cpp:16
)");
}

TEST(CallGraphTextTest, ShowsEveryKindOfWait) {
  EXPECT_EQ(seen_in(wait_in_every_way), R"(
call graph at 500 ms, step 15: 13 tasks
  main                  running                         ways.cpp:81
  gatherer              wait(driver, leaver, reader, writer, computer, server, hearer, picker and 1 more)  ways.cpp:62
                        spawned at                      ways.cpp:80
  └ driver              sleep until 1 s                 ways.cpp:11
                        called from                     ways.cpp:14
                                                        ways.cpp:22
                                                        ways.cpp:28
                        spawned at                      ways.cpp:70
  └ leaver              sleep until 1 s                 ways.cpp:11
                        called from                     ways.cpp:33
                        spawned at                      ways.cpp:71
  └ reader              join(work 3.1)                  ways.cpp:36  held by work 3.1
                        spawned at                      ways.cpp:72
    └ work 3.1          sleep until 1 s                 ways.cpp:11
                        spawned at                      ways.cpp:36
  └ writer              join(work 3.1)                  ways.cpp:36  held by work 3.1
                        spawned at                      ways.cpp:73
    └ work 3.1          see above
  └ computer            blocking job "default"          ways.cpp:42  held by blocking_job 5.1
                        spawned at                      ways.cpp:74
    └ blocking_job 5.1  sleep until 3 s
                        spawned at                      ways.cpp:42
  └ server              sleep until 3 s                 ways.cpp:46
                        spawned at                      ways.cpp:75
  └ hearer              future "answer" made by server  ways.cpp:50
                        spawned at                      ways.cpp:76
  └ picker              select(join(driver), get from queue "inbox", future "answer" made by server, join(computer), sleep until 3 s)  ways.cpp:55
                        spawned at                      ways.cpp:77
    └ driver            see above
    └ computer          see above
  └ onlooker            wait(driver, leaver)            ways.cpp:58
                        spawned at                      ways.cpp:78
    └ driver            see above
    └ leaver            see above
)");
}

TEST(CallGraphTextTest, OutsideOfEveryLoopItSaysSo) {
  EXPECT_EQ(format_call_graph(), "no lockstep loop runs on this thread\n");
}

CO_TEST(CallGraphTextTest, OfOneTaskSaysSo) {
  EXPECT_THAT(format_call_graph(), testing::StartsWith("call graph at 0 ns, step 1: 1 task\n  main  running"));
  co_return;
}

CO_TEST(CallGraphTextTest, OfManyTasksShowsSoManyAndCountsTheRest) {
  std::vector<join_handle<void>> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(spawn(pass(1s)));
  const auto lines_of = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_THAT(format_call_graph(), testing::HasSubstr("  ... and 37 more tasks\n"));
  EXPECT_EQ(lines_of(format_call_graph(capture_call_graph(), 3)), 1 + 1 + 2 * 2 + 1);
  EXPECT_THAT(format_call_graph(capture_call_graph(), 3), testing::HasSubstr("  ... and 98 more tasks\n"));
  EXPECT_THAT(format_call_graph(capture_call_graph(), 1000), testing::Not(testing::HasSubstr("more")));
  for (join_handle<void>& each : handles) co_await each.join();
}

// A chain is walked, not called down.
CO_TEST(CallGraphTextTest, OfAVeryLongChainOfJoinsShowsAll) {
  constexpr int length = 500;
  event done;
  const auto last = [&]() -> task<void> { co_await done.wait(); };
  const auto join = [](join_handle<void>& next) -> task<void> { co_await next.join(); };
  std::vector<join_handle<void>> handles;
  handles.reserve(length);
  handles.push_back(spawn(last()));
  for (int i = 1; i < length; ++i) handles.push_back(spawn(join(handles.back())));
  co_await settle();
  EXPECT_THAT(format_call_graph(capture_call_graph(), length + 1), testing::Not(testing::HasSubstr("more")));
  done.set();
  for (join_handle<void>& each : handles) co_await each.join();
}

CO_TEST(CallGraphTextTest, OfOneTaskShowsItsStack) {
  auto reader = spawn(pass(1s), "reader");
  co_await settle();
  EXPECT_EQ(format_stack(reader.get()).find("  reader  sleep until 1 s  tasks.hpp:"), 0u);
  EXPECT_THAT(format_stack(reader.get()), testing::HasSubstr("spawned at       call_graph_test.cpp:"));
  co_await reader.join();
}

CO_TEST(CallGraphTextTest, IsPrintedToAFile) {
  std::FILE* const file = std::tmpfile();
  print_call_graph(file);
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  EXPECT_EQ(text, format_call_graph());
  co_return;
}

CO_TEST(CallGraphTextTest, ADebuggerMayCallIt) {
  testing::internal::CaptureStderr();
  detail::for_debuggers();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), format_call_graph());
  co_return;
}

// -- the programs -----------------------------------------------------------------------------------------------------

// clang-format off
#line 10 "pages.cpp"
task<void> read_page(mutex& cache) {
  const mutex_guard held = co_await cache.lock();
  co_await sleep_for(1s);
}
task<void> fetch(mutex& cache) {
  co_await read_page(cache);
}
task<void> follow(join_handle<void>& other) {
  co_await other.join();
}
task<void> see(std::string& seen) {
  co_await settle();
  seen = format_call_graph();
}
task<void> visit(mutex& cache, join_handle<void>& shared) {
  task_group pages("pages");
  pages.spawn(fetch(cache), "about");
  pages.spawn(follow(shared), "follower");
  co_await pages.join();
}
task<void> serve_pages(std::string& seen) {
  mutex cache("cache");
  auto onlooker = spawn(see(seen), "onlooker");
  auto shared = spawn(fetch(cache), "index");
  auto site = spawn(visit(cache, shared), "site");
  co_await when_all(follow(shared), follow(site));
  co_await onlooker.join();
}

#line 10 "circle.cpp"
task<void> join_in_a_circle(std::string& seen) {
  std::vector<join_handle<void>> handles(3);
  for (std::size_t i = 0; i < 3; ++i) handles[i] = spawn(follow(handles[(i + 1) % 3]));
  co_await settle();
  seen = format_call_graph();
}

#line 10 "eager.cpp"
task<void> look(std::string& seen) {
  seen = format_call_graph();
  co_return;
}
task<void> start(std::string& seen) {
  co_await yield();
  auto eager = spawn_eager(look(seen), "eager");
}
task<void> start_at_once(std::string& seen) {
  auto starter = spawn(start(seen), "starter");
  co_await starter.join();
}

#line 10 "ways.cpp"
task<void> work() {
  co_await sleep_for(1s);
}
async_generator<int> readings() {
  co_await work();
  co_yield 1;
}
async_generator<int> letters() {
  on_close(work);
  co_yield 1;
}
async_generator<int> averages(async_generator<int> of) {
  while (const int* item = co_await of.next()) {
    co_yield int{*item};
  }
}
task<void> drive() {
  auto all = averages(readings());
  co_await all.next();
}
task<void> leave() {
  auto all = letters();
  co_await all.next();
  co_await all.close();
}
task<void> ask(const shared_task<>& page) {
  co_await page.get();
}
void add_up() {
  consume(3s);
}
task<void> compute() {
  co_await run_blocking(add_up);
}
task<void> serve(promise<int>& answer) {
  answer = promise<int>("answer");
  co_await sleep_for(3s);
  answer.set_value(1);
}
task<void> hear(promise<int>& answer) {
  co_await answer.get_future().get();
}
task<void> pick(join_handle<void>& one, join_handle<void>& other, promise<int>& answer) {
  queue<int> inbox(1, "inbox");
  const future<int> asked = answer.get_future();
  co_await select(one.join_shielded(), inbox.get(), asked.get(), other.join_shielded(), sleep_for(3s));
}
task<void> look_on(join_handle<void>& one, join_handle<void>& other) {
  co_await wait(wait_until::first_completed, 1h, one, other);
}
task<void> gather(std::vector<join_handle<void>>& all) {
  as_completed each(all);
  while (co_await each.next() != nullptr) {
  }
}
task<void> wait_in_every_way(std::string& seen) {
  const shared_task<> page(work());
  promise<int> answer;
  std::vector<join_handle<void>> all;
  all.reserve(9);
  all.push_back(spawn(drive(), "driver"));
  all.push_back(spawn(leave(), "leaver"));
  all.push_back(spawn(ask(page), "reader"));
  all.push_back(spawn(ask(page), "writer"));
  all.push_back(spawn(compute(), "computer"));
  all.push_back(spawn_eager(serve(answer), "server"));
  all.push_back(spawn(hear(answer), "hearer"));
  all.push_back(spawn(pick(all[0], all[4], answer), "picker"));
  all.push_back(spawn(look_on(all[0], all[1]), "onlooker"));
  all[0].on_done([] {});
  auto gatherer = spawn(gather(all), "gatherer");
  co_await sleep_for(500ms);
  seen = format_call_graph();
  co_await gatherer.join();
}
// clang-format on

}  // namespace
}  // namespace lockstep
