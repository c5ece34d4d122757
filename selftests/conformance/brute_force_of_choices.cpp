#include "brute_force.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::brute_force {

namespace {

// -- select -----------------------------------------------------------------------------------------------------------

task<void> of_select_get(outliving&) {
  queue<std::string> letters(queue<std::string>::unbounded, "letters");
  event stopped("stopped");
  std::string got;
  const auto read = [&]() -> task<void> {
    const local mine;
    for (;;) {
      const auto first = co_await select(letters.get(), stopped.wait());
      if (first.index == 1) co_return;
      const local read_here;
      got += std::get<0>(first.value);
    }
  };
  works all(read(), read(), read());
  for (const char* const each : {"a", "b", "c", "d", "e", "f"}) {
    co_await letters.put(each);
    if (each[0] == 'c') co_await sleep_for(1s);
  }
  co_await settle();
  stopped.set();
  const bool survived = co_await all.have_ended();
  while (auto left = letters.try_get()) got += *left;
  std::sort(got.begin(), got.end());
  // The last one may have been in the victim's hands, beyond the select(), when its own memory ran out.
  EXPECT_TRUE(got == "abcdef" || (!survived && got.size() == 5)) << got;
}

task<void> of_select_put(outliving& shared) {
  auto& of = shared.make<boxes_of_one>();
  const auto put_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      const auto first = co_await select(of.boxes.put(i), sleep_for(1500ms));
      if (first.index == 0) ++of.put;
      const local between;
    }
  };
  co_await of.disturbed(put_two);
}

// Each takes what it gets first: the lock, a permit, or nothing in time.
task<void> of_select_locks(outliving& shared) {
  auto& inside = shared.make<int>();
  auto& used = shared.make<int>();
  mutex& door = make_door(shared, inside);
  semaphore& slots = make_slots(shared, 1, used);
  const auto take = [&](duration patience) -> task<void> {
    const local mine;
    auto first = co_await select(door.lock(), slots.acquire_permit(), sleep_for(patience));
    if (first.index == 2) co_return;
    const held here(first.index == 0 ? inside : used, 1);
    co_await sleep_for(1s);
  };
  works all(take(1h), take(1h), take(1h));
  auto impatient = spawn(take(1500ms), "impatient");
  auto another = spawn(take(1h), "another");
  co_await all.have_ended();
  co_await impatient.join();
  co_await another.join();
  EXPECT_FALSE(door.locked());
  EXPECT_EQ(slots.available(), 1u);
}

task<void> of_select_shared_locks(outliving& shared) {
  auto& readers = shared.make<int>();
  auto& writers = shared.make<int>();
  shared_mutex& door = make_door_for_readers(shared, readers, writers);
  const auto write_or_leave = [&]() -> task<void> {
    const local mine;
    auto first = co_await select(door.lock(), sleep_for(1500ms));
    if (first.index == 1) co_return;
    const held here(writers, 1);
    EXPECT_EQ(readers, 0);
    co_await sleep_for(1s);
  };
  const auto read = [&]() -> task<void> {
    auto first = co_await select(door.lock_shared(), sleep_for(1h));
    EXPECT_EQ(first.index, 0u);
    const held here(readers, 2);
    EXPECT_EQ(writers, 0);
    co_await sleep_for(1s);
  };
  works all(read(), write_or_leave(), read());
  co_await all.have_ended();
  EXPECT_FALSE(door.locked());
  EXPECT_EQ(door.readers(), 0u);
}

task<void> of_select_join(outliving& shared) {
  auto& of = shared.make<slots_of_two>();
  auto child = spawn(of.use_and_return(7), "child");
  const auto work = [&]() -> task<void> {
    const local mine;
    std::size_t index = 1;
    while (index == 1) {
      const auto first = co_await select(child.join(), sleep_for(300ms));
      index = first.index;
      if (index == 0) {
        EXPECT_EQ(std::get<0>(first.value), 7);
      }
      const local in_between;
    }
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  co_await child.join();
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_select_among(outliving& shared) {
  auto& inboxes = shared.make<std::array<queue<std::string>, 3>>();
  auto& put = shared.make<std::size_t>();
  auto& got = shared.make<std::size_t>();
  shared.check([&] {
    std::size_t left = 0;
    for (const auto& each : inboxes) left += each.size();
    EXPECT_EQ(left + got, put);
  });
  const auto read = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await select_among(inboxes, [](auto& each) { return each.get(); });
      ++got;
    }
  };
  works all(read(), read(), read());
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_TRUE(inboxes[i % 3].try_put("a letter"));
    ++put;
    if (i == 2) co_await sleep_for(1s);
  }
  co_await all.have_ended();
  for (auto& each : inboxes) {
    while (each.try_get()) ++got;
  }
  EXPECT_EQ(got, 6u);
}

// -- channels ---------------------------------------------------------------------------------------------------------

task<void> of_channel_receive(outliving&) {
  channel<std::string> line("line");
  int sent = 0;
  int received = 0;
  const auto send_all = [&]() -> task<void> {
    const local mine;
    try {
      for (;; ++sent) co_await line.send("a letter that is sent from here to there");
    } catch (const channel_closed&) {
    }
  };
  const auto receive_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await line.receive();
      ++received;
      const local in_between;
    }
  };
  works all(receive_two(), receive_two(), receive_two());
  auto sender = spawn(send_all(), "sender");
  co_await all.have_ended();
  line.close();
  co_await sender.join();
  EXPECT_EQ(sent, received) << "an item has exactly one receiver if send() returns";
  EXPECT_GE(received, 4);
}

// Returns how many items were received or missed.
task<std::uint64_t> receive_to_the_end(broadcast<std::string>& from, int& subscribed, duration pace) {
  subscription<std::string> seen = from.subscribe();
  const held here(subscribed, 3);
  std::uint64_t items = 0;
  for (;;) {
    try {
      const std::string item = co_await seen.receive();
      ++items;
    } catch (const lagged& behind) {
      items += behind.missed();
    } catch (const channel_closed&) {
      co_return items;
    }
    co_await sleep_for(pace);
  }
}

broadcast<std::string>& make_news(outliving& shared, std::size_t capacity, overflow when_full, const int& subscribed) {
  auto& news = shared.make<broadcast<std::string>>(capacity, when_full, label("news"));
  shared.check([&] {
    EXPECT_EQ(news.subscribers(), static_cast<std::size_t>(subscribed));
    EXPECT_TRUE(subscribed != 0 || news.size() == 0) << "nobody is left who wants them";
  });
  return news;
}

template <overflow WhenFull>
task<void> of_broadcast_receive(outliving& shared) {
  auto& subscribed = shared.make<int>();
  auto& news = make_news(shared, 2, WhenFull, subscribed);
  const auto victims_work = [&]() -> task<void> {
    const std::uint64_t seen = co_await receive_to_the_end(news, subscribed, 2s);
    EXPECT_EQ(seen, 5u);
  };
  auto first = spawn(receive_to_the_end(news, subscribed, 1s), "first");
  auto victim = spawn(victims_work(), "victim");
  put_under_test(victim);
  auto last = spawn(receive_to_the_end(news, subscribed, 0s), "last");
  co_await settle();
  for (int i = 0; i < 5; ++i) co_await news.send("news that everybody wants to know");
  news.close();
  co_await has_survived(victim);
  const std::uint64_t seen_by_first = co_await first.join();
  const std::uint64_t seen_by_last = co_await last.join();
  EXPECT_EQ(seen_by_first, 5u);
  EXPECT_EQ(seen_by_last, 5u);
  EXPECT_EQ(news.subscribers(), 0u);
  EXPECT_EQ(news.size(), 0u) << "nobody is left who wants them";
}

template <overflow WhenFull>
task<void> of_broadcast_send(outliving& shared) {
  auto& subscribed = shared.make<int>();
  auto& news = make_news(shared, 1, WhenFull, subscribed);
  std::uint64_t sent = 0;
  const auto send_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await news.send("news that everybody wants to know");
      ++sent;
      const local in_between;
    }
  };
  auto reader = spawn(receive_to_the_end(news, subscribed, 1s), "reader");
  co_await settle();
  works all(send_two(), send_two(), send_two());
  co_await all.have_ended();
  news.close();
  const std::uint64_t seen = co_await reader.join();
  EXPECT_EQ(seen, sent) << "it is sent exactly if send() returns";
  EXPECT_GE(sent, 4u);
}

// -- generators -------------------------------------------------------------------------------------------------------

// What generators opened, and their clean-ups have closed.
struct ledger {
  explicit ledger(semaphore& of_all, int& in_use) : slots(of_all), used(in_use) {}

  semaphore& slots;
  int& used;
  int opened = 0;
  int closed = 0;
};

ledger& make_ledger(outliving& shared) {
  auto& used = shared.make<int>();
  return shared.make<ledger>(make_slots(shared, 2, used), used);
}

task<void> close_in(ledger& book) {
  co_await sleep_for(1s);
  ++book.closed;
}

async_generator<std::string> lines(ledger& book) {
  on_close([&book] {
    const sparing_allocations of_the_clean_up;  // which could not begin without
    return close_in(book);
  });
  ++book.opened;
  for (int i = 0; i < 3; ++i) {
    const permit slot = co_await book.slots.acquire_permit();
    const held here(book.used, 2);
    co_await sleep_for(1s);
    co_yield "a line that is too long to be kept without memory";
  }
}

task<void> judge(ledger& book, task<void> before, task<void> work, task<void> after) {
  works all(std::move(before), std::move(work), std::move(after));
  co_await all.have_ended();
  co_await sleep_for(1h);  // clean-ups of those that were dropped are daemons
  EXPECT_EQ(book.opened, book.closed);
  EXPECT_EQ(book.slots.available(), 2u);
}

task<void> of_generator_next(outliving& shared) {
  ledger& book = make_ledger(shared);
  const auto read_all = [&]() -> task<void> {
    const local mine;
    auto all = lines(book);
    int read = 0;
    while (const std::string* line = co_await all.next()) {
      EXPECT_FALSE(line->empty());
      ++read;
    }
    EXPECT_EQ(read, 3);
    EXPECT_TRUE(all.ended());
  };
  co_await judge(book, read_all(), read_all(), read_all());
}

task<void> of_generator_for_each(outliving& shared) {
  ledger& book = make_ledger(shared);
  const auto read_all = [&]() -> task<void> {
    const local mine;
    int read = 0;
    const auto use = [&read](std::string&&) -> task<void> {
      ++read;
      co_await yield();
    };
    co_await for_each(lines(book), use);
    EXPECT_EQ(read, 3);
  };
  co_await judge(book, read_all(), read_all(), read_all());
}

task<void> of_generator_close(outliving& shared) {
  ledger& book = make_ledger(shared);
  const auto read_one = [&]() -> task<void> {
    const local mine;
    auto all = lines(book);
    co_await all.next();
    co_await all.close();
    co_await yield();
  };
  co_await judge(book, read_one(), read_one(), read_one());
}

task<void> of_generator_abandoned(outliving& shared) {
  ledger& book = make_ledger(shared);
  const auto read_one = [&]() -> task<void> {
    const local mine;
    std::optional<async_generator<std::string>> all(lines(book));
    co_await all->next();
    {
      const sparing_allocations of_the_clean_up;
      all.reset();
    }
    co_await yield();
  };
  co_await judge(book, read_one(), read_one(), read_one());
}

// -- locks ------------------------------------------------------------------------------------------------------------

task<void> of_permit(outliving& shared) {
  auto& used = shared.make<int>();
  semaphore& slots = make_slots(shared, 1, used);
  const auto use = [&]() -> task<void> {
    permit slot = co_await slots.acquire_permit();
    const permit mine(std::move(slot));
    const held here(used, 1);
    co_await sleep_for(1s);
  };
  works all(use(), use(), use());
  co_await all.have_ended();
  EXPECT_EQ(slots.available(), 1u);
}

task<void> of_latch_arrival(outliving&) {
  latch ready(3, "ready");
  int met = 0;
  const auto meet = [&]() -> task<void> {
    const local mine;
    co_await ready.arrive_and_wait();
    ++met;
  };
  works all(meet(), meet(), meet());
  co_await settle();
  if (!ready.try_wait()) ready.count_down();  // in the victim's place
  co_await all.have_ended();
  EXPECT_GE(met, 2);
}

}  // namespace

std::vector<program> programs_of_choices() {
  return {
      {"select_get", of_select_get},
      {"select_put", of_select_put},
      {"select_locks", of_select_locks},
      {"select_shared_locks", of_select_shared_locks},
      {"select_join", of_select_join},
      {"select_among", of_select_among},
      {"channel_receive", of_channel_receive},
      {"broadcast_receive", of_broadcast_receive<overflow::wait>},
      {"broadcast_receive_and_drop", of_broadcast_receive<overflow::drop_oldest>},
      {"broadcast_send", of_broadcast_send<overflow::wait>},
      {"broadcast_send_and_drop", of_broadcast_send<overflow::drop_oldest>},
      {"generator_next", of_generator_next},
      {"generator_for_each", of_generator_for_each},
      {"generator_close", of_generator_close},
      {"generator_abandoned", of_generator_abandoned},
      {"permit", of_permit},
      {"latch_arrival", of_latch_arrival},
  };
}

}  // namespace lockstep::brute_force
