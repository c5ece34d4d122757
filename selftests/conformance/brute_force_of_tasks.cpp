#include "brute_force.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lockstep::brute_force {

namespace {

// -- tasks and combinators --------------------------------------------------------------------------------------------

task<void> of_join(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    auto child = spawn(of.use_and_return(7), "child");
    EXPECT_EQ(co_await child.join(), 7);
  };
  co_await of.disturbed(work());
}

task<void> of_join_shielded(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  auto child = spawn(of.use(), "child");
  const auto work = [&]() -> task<void> {
    const local mine;
    co_await child.join_shielded();
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  co_await child.join();
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_when_all(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto [one, two] = co_await when_all(of.use_and_return(1), of.use_and_return(2));
    EXPECT_EQ(one + two, 3);
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_that_fails(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    try {
      co_await when_all(of.use_and_fail(), of.use(), of.use());
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "disk full");
    }
    co_await yield();
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_of_many(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    std::vector<task<int>> parts;
    for (int i = 0; i < 4; ++i) parts.push_back(of.use_and_return(i));
    EXPECT_EQ((co_await when_all(std::move(parts))).size(), 4u);
  };
  co_await of.disturbed(work());
}

task<void> of_when_any(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto first = co_await when_any(of.use_and_return(1), of.use_and_return(2));
    EXPECT_LT(first.index, 2u);
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_settled(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto [one, two] = co_await when_all_settled(of.use_and_return(1), of.use_and_return(2));
    EXPECT_TRUE(one.has_value() || two.has_value()) << "one allocation fails at most";
  };
  co_await of.disturbed(work());
}

task<void> of_wait(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  auto one = spawn(of.use(), "one");
  auto other = spawn(of.use(), "other");
  const auto work = [&]() -> task<void> {
    const local mine;
    co_await wait(wait_until::first_completed, 500ms, one, other);
    EXPECT_EQ((co_await wait(wait_until::all_completed, one, other)).done.size(), 2u);
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  co_await one.join();
  co_await other.join();
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_as_completed(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(spawn(of.use_and_return(i)));
  as_completed<int> each(handles);
  std::size_t yielded = 0;
  const auto work = [&]() -> task<void> {
    const local mine;
    while (co_await each.next() != nullptr) ++yielded;
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  while (co_await each.next() != nullptr) ++yielded;
  EXPECT_EQ(yielded, 3u) << "what the victim was not given, the next one is";
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_shared_task(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const shared_task<int> once(of.use_and_return(7));
  once.start();  // here, so that it is no part of the victim
  int got = 0;
  const auto read = [&]() -> task<void> {
    const local mine;
    got += co_await once.get();
  };
  works all(read(), read(), read());
  co_await all.have_ended();
  EXPECT_GE(got, 14);
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_timeout(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> { co_await with_timeout(1h, of.use()); };
  co_await of.disturbed(work());
}

task<void> of_timeout_that_expires(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    co_await expires(with_timeout(500ms, of.use()));
    co_await of.use();
  };
  co_await of.disturbed(work());
}

task<void> of_shield(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  int begun = 0;
  int done = 0;
  const auto work = [&]() -> task<void> {
    const auto commit = [&]() -> task<void> {
      ++begun;
      co_await sleep_for(1s);
      ++done;
      co_await yield();
    };
    co_await shield(commit());
    co_await of.use();
  };
  co_await of.disturbed(work());
  EXPECT_EQ(begun, done);
}

task<void> of_task_group(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(of.use(), "child");
      group.spawn(of.use(), "another child");
      co_await of.use();
    };
    co_await with_task_group(body);
  };
  co_await of.disturbed(work());
}

task<void> of_task_group_that_fails(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(of.use_and_fail());
      group.spawn(of.use());
      co_await sleep_for(1h);
    };
    bool failed = false;
    try {
      co_await with_task_group(body);
    } catch (const exception_group& several) {
      const auto& all = several.exceptions();
      failed = true;
      EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const std::exception_ptr& each) {
        return holds<std::runtime_error>(each) || is_disturbance(each);
      }));
    }
    EXPECT_TRUE(failed);
    co_await yield();
  };
  co_await of.disturbed(work());
}

task<void> of_group_without_body(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  const auto work = [&]() -> task<void> {
    task_group group("group");
    group.spawn(of.use());
    group.spawn(of.use());
    co_await group.join();
  };
  co_await of.disturbed(work());
}

#ifdef __cpp_lib_jthread
task<void> of_stop_token(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  std::stop_source stop;
  co_await of.disturbed(with_stop_token(stop.get_token(), of.use()));
}
#endif

// -- several together -------------------------------------------------------------------------------------------------

task<void> of_all_together(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  auto& inside = shared.make<int>();
  mutex& door = make_door(shared, inside);
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(with_timeout(1h, lock_and_rest(door, inside)));
      const mutex_guard entry = co_await door.lock();
      const held here(inside, 1);
      co_await when_all(of.use(), with_timeout(1h, of.use()));
    };
    co_await with_timeout(1h, with_task_group(body));
  };
  co_await of.disturbed(work());
  EXPECT_FALSE(door.locked());
}

task<void> of_nothing_but_a_spawn(outliving&) {
  const auto rest = []() -> task<void> {
    const local mine;
    co_await yield();
  };
  const auto work = [&]() -> task<void> {
    auto child = spawn(rest(), "child");
    co_await child.join();
  };
  auto victim = spawn(work(), "victim");
  put_under_test(victim);
  co_await has_survived(victim);
}

}  // namespace

std::vector<program> programs_of_tasks() {
  return {
      {"spawn", of_nothing_but_a_spawn},
      {"join", of_join},
      {"join_shielded", of_join_shielded},
      {"when_all", of_when_all},
      {"when_all_that_fails", of_when_all_that_fails},
      {"when_all_of_many", of_when_all_of_many},
      {"when_any", of_when_any},
      {"when_all_settled", of_when_all_settled},
      {"wait", of_wait},
      {"as_completed", of_as_completed},
      {"shared_task", of_shared_task},
      {"timeout", of_timeout},
      {"timeout_that_expires", of_timeout_that_expires},
      {"shield", of_shield},
      {"task_group", of_task_group},
      {"task_group_that_fails", of_task_group_that_fails},
      {"group_without_body", of_group_without_body},
      {"all_together", of_all_together},
#ifdef __cpp_lib_jthread
      {"stop_token", of_stop_token},
#endif
  };
}

}  // namespace lockstep::brute_force
