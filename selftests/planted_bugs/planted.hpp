// Planted bugs: a program with a mistake that must be caught, and its correct twin that must be left alone.
//
//   EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"reader\" died"}, forgets_to_join));
//   EXPECT_TRUE(silent(joins));
//
// Each program runs in one world, again and again: plain, round-robin and under 200 seeds, then in fifo order. After
// each run every frame must be gone, the children's before their parent's.
#pragma once

#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::planted {

// A local of a frame, which the locals of its children may point to. Counts those that live.
class local {
 public:
  local() noexcept { ++alive; }
  explicit local(local& parent) noexcept : parent_(&parent) {
    ++alive;
    ++parent.children_;
  }
  local(const local&) = delete;
  local& operator=(const local&) = delete;
  ~local() {
    --alive;
    if (children_ != 0) ++outlived;
    if (parent_ != nullptr) --parent_->children_;
  }

  static inline int alive = 0;
  static inline int outlived = 0;  // how many died before a child of theirs

 private:
  local* parent_ = nullptr;
  int children_ = 0;
};

// The line that a report must name: the one below the call.
inline unsigned wrong_line = 0;
inline void next_line_is_wrong(source here = source::current()) { wrong_line = here.line() + 1; }

// Which schedules must find a bug that shows only in some orders.
enum class finds { in_every_run, in_some_order, random, round_robin_and_random };

struct bug {
  verdict_kind kind;
  std::string message;                    // a part of it
  std::vector<verdict_kind> also = {};    // what else may be reported of the same mistake
  std::vector<std::string> waiting = {};  // "main: join(reader)", "reader: mutex "m" held by main"
  finds how = finds::in_every_run;
};

struct way {
  schedule strategy;
  std::uint64_t seed;
  ordering order;
  std::string text() const {
    return fmt::format("{} {}{}", name_of(strategy), seed, order == ordering::fifo ? " fifo" : "");
  }
};

inline std::vector<way> all_ways() {
  std::vector<way> ways{{schedule::plain, 0, ordering::any_order}, {schedule::round_robin, 0, ordering::any_order}};
  for (std::uint64_t seed = 1; seed <= 200; ++seed) ways.push_back({schedule::random, seed, ordering::any_order});
  for (std::uint64_t seed = 1; seed <= 10; ++seed) ways.push_back({schedule::random, seed, ordering::fifo});
  return ways;
}

inline sim::world& shared_world() {
  static sim::world world;
  return world;
}

// One run; all verdicts, with what left the main task as the last, unless it had been reported before.
template <class F>
std::vector<verdict> run_once(F make, const way& how, sim::world_options options) {
  sim::world& world = shared_world();
  const std::unique_ptr<oracle> choices = make_oracle(how.strategy, how.seed);
  options.choices = choices.get();
  options.order = how.order;
  wrong_line = 0;
  world.start(options);
  world.drive(make());
  world.finish();
  std::vector<verdict> found = world.verdicts();
  if (const auto& failure = world.failure_report(); failure.has_value()) {
    const auto told = [&](const verdict& each) { return each.message == failure->message; };
    if (std::none_of(found.begin(), found.end(), told)) found.push_back(*failure);
  }
  return found;
}

inline std::string text_of(const std::vector<verdict>& found) {
  std::string text;
  for (const verdict& each : found) {
    text += fmt::format("  {}: {} ({})\n", name_of(each.kind), each.message, file_and_line(each.where));
    for (const task_snapshot& who : each.tasks) {
      text +=
          fmt::format("    {}: {}{}{}\n", who.name, who.waits_for, who.held_by.empty() ? "" : " held by ", who.held_by);
    }
  }
  return text.empty() ? "  no verdict\n" : text;
}

inline bool names_line(const verdict& found, unsigned line) {
  const auto is_it = [line](const source& at) { return at.line() == line; };
  return line == 0 || is_it(found.where) ||
         std::any_of(found.tasks.begin(), found.tasks.end(), [&](const task_snapshot& who) {
           return is_it(who.spawned_at) || std::any_of(who.stack.begin(), who.stack.end(), is_it);
         });
}

inline bool shows(const verdict& found, const std::string& waiting) {
  return std::any_of(found.tasks.begin(), found.tasks.end(), [&](const task_snapshot& who) {
    const std::string held = who.held_by.empty() ? "" : " held by " + who.held_by;
    return fmt::format("{}: {}{}", who.name, who.waits_for, held) == waiting;
  });
}

// What is wrong with a report of the bug; empty if nothing is.
inline std::string complaint(const bug& wanted, const std::vector<verdict>& found) {
  const auto is_it = [&](const verdict& each) {
    return each.kind == wanted.kind && each.message.find(wanted.message) != std::string::npos;
  };
  const auto at = std::find_if(found.begin(), found.end(), is_it);
  if (at == found.end()) return "not caught";
  for (const verdict& each : found) {
    if (&each == &*at) continue;
    if (std::find(wanted.also.begin(), wanted.also.end(), each.kind) == wanted.also.end()) return "more than expected";
  }
  if (!names_line(*at, wrong_line)) return fmt::format("does not name line {}", wrong_line);
  for (const std::string& each : wanted.waiting) {
    if (!shows(*at, each)) return fmt::format("does not show '{}'", each);
  }
  return {};
}

inline std::string leftovers() {
  const int alive = std::exchange(local::alive, 0);
  const int outlived = std::exchange(local::outlived, 0);
  if (alive != 0) return fmt::format("{} locals were not destroyed", alive);
  if (outlived != 0) return fmt::format("{} locals died before those of their children", outlived);
  return {};
}

// Whether the program that `make()` starts is caught as `wanted` says.
template <class F>
testing::AssertionResult caught(const bug& wanted, F make, const sim::world_options& options = {}) {
  bool by_plain = false;
  bool by_round_robin = false;
  bool by_random = false;
  for (const way& how : all_ways()) {
    const std::vector<verdict> found = run_once(make, how, options);
    if (const std::string left = leftovers(); !left.empty()) {
      return testing::AssertionFailure() << how.text() << ": " << left << '\n' << text_of(found);
    }
    const bool may_miss = wanted.how != finds::in_every_run;
    if (may_miss && found.empty()) continue;
    if (const std::string problem = complaint(wanted, found); !problem.empty()) {
      return testing::AssertionFailure() << how.text() << ": " << problem << '\n' << text_of(found);
    }
    by_plain |= how.strategy == schedule::plain;
    by_round_robin |= how.strategy == schedule::round_robin;
    by_random |= how.strategy == schedule::random;
  }
  const finds how = wanted.how;
  if (how == finds::in_every_run || (how == finds::in_some_order && by_random)) return testing::AssertionSuccess();
  if (by_plain || by_round_robin != (how == finds::round_robin_and_random) || !by_random) {
    return testing::AssertionFailure() << fmt::format("found by plain: {}, by round_robin: {}, by random: {}", by_plain,
                                                      by_round_robin, by_random);
  }
  return testing::AssertionSuccess();
}

// Whether nothing is found wrong with the program, however it runs.
template <class F>
testing::AssertionResult silent(F make, const sim::world_options& options = {}) {
  for (const way& how : all_ways()) {
    const std::vector<verdict> found = run_once(make, how, options);
    if (!found.empty()) return testing::AssertionFailure() << how.text() << ":\n" << text_of(found);
    if (const std::string left = leftovers(); !left.empty()) {
      return testing::AssertionFailure() << how.text() << ": " << left;
    }
  }
  return testing::AssertionSuccess();
}

// -- parts of the programs --------------------------------------------------------------------------------------------

inline task<void> sleep_beside(local& parent, duration length) {
  const local mine(parent);
  co_await sleep_for(length);
}

inline task<void> sleep_long() {
  const local mine;
  co_await sleep_for(std::chrono::hours{100});
}

inline task<void> sleep_for_ever() {
  const local mine;
  co_await sleep_until(time_point::max());
}

inline task<void> fail_beside(local& parent, duration after, std::string what) {
  const local mine(parent);
  co_await sleep_for(after);
  throw std::runtime_error(what);
}

// A bug that shows only in some orders.
inline bug race(std::string message, finds how, verdict_kind kind = verdict_kind::unhandled_exception) {
  return {kind, std::move(message), {}, {}, how};
}

// What a program finds out about itself.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

inline task<void> both(task<void> first, task<void> second) {
  auto one = spawn(std::move(first), "first");
  auto two = spawn(std::move(second), "second");
  co_await one.join();
  co_await two.join();
}

}  // namespace lockstep::planted
