#include "brute_force.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep::brute_force {

namespace {

// Too long to be kept without an allocation.
constexpr const char* long_answer = "forty-two, which is the answer to everything else as well";

// -- futures ----------------------------------------------------------------------------------------------------------

task<void> of_future(outliving&) {
  promise<std::string> answer("answer");
  int asked = 0;
  int told = 0;
  int read = 0;
  const auto ask = [&](future<std::string> from) -> task<void> {
    const local mine;
    from.on_done([&told] { ++told; });
    ++asked;
    const std::string copy = co_await from.get();
    EXPECT_EQ(copy, long_answer);
    ++read;
  };
  works all(ask(answer.get_future()), ask(answer.get_future()), ask(answer.get_future()));
  co_await sleep_for(1s);
  answer.set_value(long_answer);
  co_await all.have_ended();
  co_await sleep_for(1s);
  EXPECT_GE(read, 2);
  EXPECT_EQ(told, asked) << "what is called does not depend on who has asked for it";
}

task<void> of_promise(outliving&) {
  promise<std::string> answer("answer");
  int answered = 0;
  int broken = 0;
  const auto ask = [&](future<std::string> from) -> task<void> {
    const local mine;
    try {
      co_await from.get();
      ++answered;
    } catch (const broken_promise&) {
      ++broken;
    }
  };
  auto first = spawn(ask(answer.get_future()), "first");
  const auto give = [](promise<std::string> to) -> task<void> {
    const local mine;
    co_await sleep_for(1s);
    to.set_value(long_answer);
    co_await yield();
  };
  future<std::string> asked_later = answer.get_future();
  auto victim = spawn(give(std::move(answer)), "victim");
  put_under_test(victim);
  auto last = spawn(ask(asked_later), "last");
  const bool survived = co_await has_survived(victim);
  victim = join_handle<void>();  // what it was given goes with it, if it never began
  co_await first.join();
  co_await last.join();
  EXPECT_EQ(answered + broken, 2) << "nobody waits for ever";
  EXPECT_TRUE(answered == 2 || (answered == 0 && !survived));
}

// -- calls ------------------------------------------------------------------------------------------------------------

task<void> of_calls(outliving&) {
  int given = 0;
  int made = 0;
  const auto call = [&]() -> task<void> {
    const local mine;
    call_soon([&made] { ++made; });
    ++given;
    co_await yield();
    call_later(1s, [&made] { ++made; });
    ++given;
    callback_handle too_early = call_later(1s, [] { ADD_FAILURE() << "it was taken back"; });
    too_early.cancel();
    co_await sleep_for(2s);
    call_soon([&made] { ++made; });
    ++given;
  };
  works all(call(), call(), call());
  co_await all.have_ended();
  co_await sleep_for(3s);
  EXPECT_EQ(made, given);
  EXPECT_GE(given, 6);
}

task<void> of_loop_remote(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const loop_remote home;
  int given = 0;
  int made = 0;
  const auto leave = [&]() -> task<void> {
    const local mine;
    EXPECT_TRUE(home.call_soon_threadsafe([&made] { ++made; }));
    ++given;
    auto done = home.spawn_threadsafe([&of] { return of.use(); }, "left to the loop");
    co_await sleep_for(1h);
    EXPECT_EQ(done.result().wait_for(0s), std::future_status::ready);
    done.get();
  };
  works all(leave(), leave(), leave());
  co_await all.have_ended();
  co_await sleep_for(1h);
  EXPECT_EQ(made, given);
  EXPECT_EQ(of.slots.available(), 2u);
}

// -- blocking work ----------------------------------------------------------------------------------------------------

task<void> of_run_blocking(outliving&) {
  int begun = 0;
  int done = 0;
  const auto compute = [&]() -> task<void> {
    const local mine;
    const std::string got = co_await run_blocking([&] {
      ++begun;
      consume(1s);
      return std::string(long_answer);
    });
    EXPECT_EQ(got, long_answer);
    ++done;
    co_await yield();
  };
  works all(compute(), compute(), compute());
  co_await all.have_ended();
  EXPECT_GE(done, 2);
  EXPECT_GE(begun, done);
}

thread_pool& make_pool(outliving& shared, const int& waiting) {
  auto& one = shared.make<thread_pool>(1u, label("one"));
  shared.check([&] { EXPECT_EQ(one.unfinished(), static_cast<std::size_t>(waiting)) << "no job is left behind"; });
  return one;
}

task<void> of_thread_pool(outliving& shared) {
  auto& waiting = shared.make<int>();
  thread_pool& one = make_pool(shared, waiting);
  int done = 0;
  const auto compute = [&]() -> task<void> {
    {
      const held here(waiting, 3);
      co_await run_blocking(one, [&] {
        consume(1s);
        ++done;
      });
    }
    co_await yield();
  };
  works all(compute(), compute(), compute());
  co_await all.have_ended();
  EXPECT_EQ(one.unfinished(), 0u) << "no job is left behind";
  EXPECT_GE(done, 2);
  EXPECT_EQ(co_await one.shut_down(), 0u);
}

task<void> of_thread_pool_shut_down(outliving& shared) {
  auto& waiting = shared.make<int>();
  thread_pool& one = make_pool(shared, waiting);
  int done = 0;
  const auto compute = [&]() -> task<void> {
    const held here(waiting, 2);
    co_await run_blocking(one, [&] {
      consume(1s);
      ++done;
    });
  };
  auto first = spawn(compute(), "first");
  auto other = spawn(compute(), "other");
  co_await sleep_for(500ms);
  const auto close = [&]() -> task<void> {
    const local mine;
    const std::size_t after_a_moment = co_await one.shut_down(100ms);
    EXPECT_EQ(after_a_moment, 2u);
    const std::size_t at_last = co_await one.shut_down();
    EXPECT_EQ(at_last, 0u);
  };
  auto victim = spawn(close(), "victim");
  put_under_test(victim);
  co_await has_survived(victim);
  co_await first.join();
  co_await other.join();
  EXPECT_EQ(done, 2) << "what was taken is done";
}

// -- tasks ------------------------------------------------------------------------------------------------------------

task<void> of_spawn_eager(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    auto child = spawn_eager(of.use_and_return(7), "child");
    const int got = co_await child.join();
    EXPECT_EQ(got, 7);
  };
  co_await of.disturbed(work());
}

constinit task_local<const char*> served{""};

task<void> of_task_local(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto part = [&]() -> task<void> {
      EXPECT_STREQ(served.get(), "request");
      served.set("part");
      co_await of.use();
      EXPECT_STREQ(served.get(), "part");
    };
    served.set("request");
    {
      const scoped_value bound = served.bind("other request");
      EXPECT_STREQ(served.get(), "other request");
      co_await yield();
    }
    EXPECT_STREQ(served.get(), "request");
    auto child = spawn(part(), "part");
    co_await child.join();
    EXPECT_STREQ(served.get(), "request");
  };
  co_await of.disturbed(work());
  EXPECT_STREQ(served.get(), "");
}

task<void> of_as_result(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const result<void> failed = co_await as_result(of.use_and_fail());
    EXPECT_FALSE(failed.has_value());
    EXPECT_TRUE(holds<std::runtime_error>(failed.error()) || holds<std::bad_alloc>(failed.error()));
    const result<int> got = co_await as_result(of.use_and_return(7));
    EXPECT_TRUE(got.has_value() || holds<std::bad_alloc>(got.error()));
    co_await yield();
  };
  co_await of.disturbed(work());
}

// -- timeouts ---------------------------------------------------------------------------------------------------------

task<void> of_timeout_at(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    co_await expires(with_timeout_at(now() + 500ms, of.use()));
    co_await with_timeout_at(now() + 1h, of.use());
  };
  co_await of.disturbed(work());
}

task<void> of_timeout_of_body(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto in_time = [&](timeout_scope& limit) -> task<void> {
      limit.reschedule(now() + 1h);
      co_await of.use();
      limit.reschedule(now() + 500ms);
      co_await of.use();
    };
    co_await expires(with_timeout(100ms, in_time));
    co_await of.use();
  };
  co_await of.disturbed(work());
}

// -- groups -----------------------------------------------------------------------------------------------------------

task<void> of_group_that_is_cancelled(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(of.use(), "child");
      group.spawn(of.use(), "late child");
      group.spawn_eager(of.use(), "eager child");  // the last: if it fails at once, the group takes no more
      co_await sleep_for(500ms);
      group.cancel();
      co_await sleep_for(1h);
      ADD_FAILURE() << "the body is cancelled with its group";
    };
    co_await with_task_group(body);
    co_await of.use();
  };
  co_await of.disturbed(work());
  EXPECT_LT(now(), time_point(1h));
}

task<void> of_nested_groups(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto inner = [&](task_group& group) -> task<void> {
      group.spawn(of.use_and_fail(), "failing child");
      group.spawn(of.use(), "inner child");
      co_await sleep_for(1h);
    };
    const auto outer = [&](task_group& group) -> task<void> {
      group.spawn(of.use(), "outer child");
      group.spawn(with_task_group(inner), "inner group");
      co_await of.use();
    };
    bool failed = false;
    try {
      co_await with_task_group(outer);
    } catch (const exception_group&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    co_await of.use();
  };
  co_await of.disturbed(work());
}

}  // namespace

std::vector<program> programs_of_calls() {
  return {
      {"future", of_future},
      {"promise", of_promise},
      {"calls", of_calls},
      {"loop_remote", of_loop_remote},
      {"run_blocking", of_run_blocking},
      {"thread_pool", of_thread_pool},
      {"thread_pool_shut_down", of_thread_pool_shut_down},
      {"spawn_eager", of_spawn_eager},
      {"task_local", of_task_local},
      {"as_result", of_as_result},
      {"timeout_at", of_timeout_at},
      {"timeout_of_body", of_timeout_of_body},
      {"group_that_is_cancelled", of_group_that_is_cancelled},
      {"nested_groups", of_nested_groups},
  };
}

}  // namespace lockstep::brute_force
