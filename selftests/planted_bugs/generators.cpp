// Asynchronous generators that are not awaited, left without their clean-up, or used by two.
#include "planted.hpp"

#include <memory>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// What is open while a generator is.
struct connection {
  bool open = false;
};

task<void> say_goodbye(std::shared_ptr<connection> to, bool fails) {
  const local mine;
  co_await sleep_for(1s);
  to->open = false;
  if (fails) throw std::runtime_error("no goodbye");
}

async_generator<int> readings(std::shared_ptr<connection> from, bool fails = false) {
  const local mine;
  from->open = true;
  on_close([from, fails] { return say_goodbye(from, fails); });
  for (int i = 0; i < 3; ++i) {
    co_await sleep_for(1s);
    co_yield i;
  }
}

// -- not awaited ------------------------------------------------------------------------------------------------------

task<void> asks_and_does_not_await(bool awaits) {
  const local mine;
  auto items = readings(std::make_shared<connection>());
  auto first = items.next();
  co_await sleep_for(1s);
  if (awaits) co_await std::move(first);
  co_await items.close();
}

TEST(GeneratorBugs, ANextThatIsNeverAwaited) {
  EXPECT_TRUE(caught({verdict_kind::unawaited_task, "was made and never awaited"},
                     [] { return asks_and_does_not_await(false); }));
  EXPECT_TRUE(silent([] { return asks_and_does_not_await(true); }));
}

// -- left half-way ----------------------------------------------------------------------------------------------------

task<void> leaves_half_way(bool closes) {
  const local mine;
  const auto sensor = std::make_shared<connection>();
  {
    auto items = readings(sensor);
    while (const int* item = co_await items.next()) {
      if (*item == 1) break;
    }
    if (closes) co_await items.close();
  }
  require(!sensor->open, "it is still open");
}

TEST(GeneratorBugs, OneThatIsDroppedBeforeItsCleanUpIsAwaited) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "it is still open"}, [] { return leaves_half_way(false); }));
  EXPECT_TRUE(silent([] { return leaves_half_way(true); }));
}

task<void> leaves_one_that_fails(bool closes) {
  const local mine;
  auto items = readings(std::make_shared<connection>(), true);
  co_await items.next();
  if (!closes) co_return;
  try {
    co_await items.close();
  } catch (const std::runtime_error&) {
  }
}

TEST(GeneratorBugs, ACleanUpThatFailsAndNobodyReadsIt) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "daemon \"clean-up of readings\" failed: no goodbye"},
                     [] { return leaves_one_that_fails(false); }));
  EXPECT_TRUE(silent([] { return leaves_one_that_fails(true); }));
}

async_generator<int> subscribe(std::shared_ptr<event> goodbye) {
  const local mine;
  on_close([goodbye]() -> task<void> {
    const auto wait = [](std::shared_ptr<event> of) -> task<void> { co_await of->wait(); };
    return wait(goodbye);
  });
  co_yield 1;
}

task<void> leaves_one_that_never_ends(bool answers) {
  const local mine;
  const auto goodbye = std::make_shared<event>(label("goodbye"));
  {
    auto items = subscribe(goodbye);
    co_await items.next();
  }
  co_await sleep_for(1s);
  if (answers) goodbye->set();
}

TEST(GeneratorBugs, ACleanUpThatNeverEnds) {
  EXPECT_TRUE(caught({verdict_kind::leaked_task, "daemon \"clean-up of subscribe\" did not end"},
                     [] { return leaves_one_that_never_ends(false); }));
  EXPECT_TRUE(silent([] { return leaves_one_that_never_ends(true); }));
}

// -- registered elsewhere ---------------------------------------------------------------------------------------------

task<void> connect(std::shared_ptr<connection> to, bool registers) {
  const local mine;
  co_await sleep_for(1s);
  to->open = true;
  if (registers) {
    next_line_is_wrong();
    on_close([to] { return say_goodbye(to, false); });
  }
}

async_generator<int> opened(std::shared_ptr<connection> to, bool helper_registers) {
  co_await connect(to, helper_registers);
  if (!helper_registers) on_close([to] { return say_goodbye(to, false); });
  co_yield 1;
}

task<void> opens(bool helper_registers) {
  auto items = opened(std::make_shared<connection>(), helper_registers);
  try {
    co_await items.next();
  } catch (const misuse&) {
  }
  co_await items.close();
}

TEST(GeneratorBugs, AnOnCloseInATaskThatTheBodyAwaits) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "on_close() outside of the body of an async_generator"},
                     [] { return opens(true); }));
  EXPECT_TRUE(silent([] { return opens(false); }));
}

// -- used by two ------------------------------------------------------------------------------------------------------

task<void> ask(async_generator<int>& of, mutex* turn) {
  const local mine;
  if (turn == nullptr) {
    co_await of.next();
  } else {
    const mutex_guard mine_now = co_await turn->lock();
    co_await of.next();
  }
}

task<void> shares(bool in_turn) {
  auto items = readings(std::make_shared<connection>());
  mutex turn("turn");
  auto one = spawn(ask(items, in_turn ? &turn : nullptr), "one");
  auto two = spawn(ask(items, in_turn ? &turn : nullptr), "two");
  try {
    co_await one.join();
  } catch (const misuse&) {
  }
  try {
    co_await two.join();
  } catch (const misuse&) {
  }
  co_await items.close();
}

TEST(GeneratorBugs, TwoTasksThatAskAtTheSameTime) {
  EXPECT_TRUE(caught(
      {verdict_kind::misuse, "next() or close() of an async_generator, readings(), while a next() of it is under way"},
      [] { return shares(false); }));
  EXPECT_TRUE(silent([] { return shares(true); }));
}

task<void> drops_what_another_asks(bool joins_first) {
  const local mine;
  auto items = std::make_unique<async_generator<int>>(readings(std::make_shared<connection>()));
  auto reader = spawn(ask(*items, nullptr), "reader");
  co_await sleep_for(500ms);
  if (joins_first) co_await reader.join();
  items.reset();
  try {
    if (!joins_first) co_await reader.join();
  } catch (const misuse&) {
  }
}

TEST(GeneratorBugs, OneThatDiesWhileATaskIsInIt) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "an async_generator, readings(), died while a next() of it is under way"},
                     [] { return drops_what_another_asks(false); }));
  EXPECT_TRUE(silent([] { return drops_what_another_asks(true); }));
}

// -- cancelled --------------------------------------------------------------------------------------------------------

async_generator<int> retries(bool swallows) {
  const local mine;
  for (int i = 0;; ++i) {
    bool stopped = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      if (!swallows) throw;
      stopped = true;
    }
    if (stopped) {
      next_line_is_wrong();
      co_await sleep_for(1s);  // as if nothing had been
    }
    co_yield i;
  }
}

task<void> read_once(bool swallows) {
  const local mine;
  auto items = retries(swallows);
  co_await items.next();
}

task<void> cancels_a_reader(bool swallows) {
  const local mine;
  auto reader = spawn(read_once(swallows), "reader");
  co_await sleep_for(1s);
  reader.cancel();
  try {
    co_await reader.join();
  } catch (const cancelled&) {
  }
}

TEST(GeneratorBugs, ABodyThatSwallowsACancellation) {
  EXPECT_TRUE(caught({verdict_kind::swallowed_cancellation, "task \"reader\" caught `cancelled` and awaits again"},
                     [] { return cancels_a_reader(true); }));
  EXPECT_TRUE(silent([] { return cancels_a_reader(false); }));
}

}  // namespace
}  // namespace lockstep::planted
