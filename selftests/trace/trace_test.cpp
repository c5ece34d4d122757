#include <lockstep/trace/trace.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace lockstep {
namespace {

constexpr identity reader = task_identity(main_identity, 1);
constexpr identity mutex_id = object_identity(main_identity, 1);

void step(trace& history, std::uint32_t task, operation_kind kind = operation_kind::yield, std::uint32_t object = 0,
          source where = source::current()) {
  history.step(task, trace::label(kind, object), where);
}

TEST(TraceTest, BeginsEmpty) {
  trace history;
  EXPECT_EQ(history.count(), 0u);
  EXPECT_TRUE(history.recent().empty());
}

TEST(TraceTest, RecordsWhatAStepWas) {
  trace history;
  const source where = source::current();
  step(history, 3, operation_kind::lock, 7, where);
  ASSERT_EQ(history.recent().size(), 1u);
  const trace_record record = history.recent().front();
  EXPECT_EQ(record.task, 3u);
  EXPECT_EQ(record.operation(), operation_kind::lock);
  EXPECT_EQ(record.object(), 7u);
  EXPECT_EQ(record.where().line(), where.line());
}

TEST(TraceTest, RecordsTimeAndValues) {
  trace history;
  history.time_moved(1'000);
  history.value_picked(2, domain_identity("jitter"), 5);
  const std::vector<trace_record> records = history.recent();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].operation(), operation_kind::time_moved);
  EXPECT_EQ(records[0].payload, 1'000u);
  EXPECT_EQ(records[1].operation(), operation_kind::value_picked);
  EXPECT_EQ(records[1].payload, 5u);
  EXPECT_EQ(records[1].task, 2u);
}

TEST(TraceTest, KeepsAnObjectsNumberOutOfTheOperationsBits) {
  trace history;
  step(history, 1, operation_kind::drain, 0xFFFFFFFF);
  EXPECT_EQ(history.recent().front().operation(), operation_kind::drain);
  EXPECT_EQ(history.recent().front().object(), 0xFFFFFFu);
}

TEST(TraceTest, TheHashDependsOnWhoWhatAndWhichOperation) {
  const auto hash_after = [](std::uint32_t task, operation_kind kind, std::uint32_t object) {
    trace history;
    step(history, task, kind, object);
    return history.hash();
  };
  const std::uint64_t base = hash_after(1, operation_kind::lock, 2);
  EXPECT_EQ(hash_after(1, operation_kind::lock, 2), base);
  EXPECT_NE(hash_after(2, operation_kind::lock, 2), base);
  EXPECT_NE(hash_after(1, operation_kind::acquire, 2), base);
  EXPECT_NE(hash_after(1, operation_kind::lock, 0), base);
  EXPECT_NE(hash_after(2, operation_kind::lock, 1), base);
}

TEST(TraceTest, TheHashDependsOnTheIdentitiesBehindTheNumbers) {
  trace task, other_task, object, other_object;
  EXPECT_FALSE(task.task_made(reader));
  EXPECT_FALSE(other_task.task_made(mutex_id));
  object.object_made(1, 1, mutex_id);
  other_object.object_made(1, 1, reader);
  EXPECT_NE(task.hash(), other_task.hash());
  EXPECT_NE(object.hash(), other_object.hash());
  EXPECT_NE(task.hash(), object.hash());
}

TEST(TraceTest, TheHashLeavesOutLines) {
  trace one, two;
  step(one, 1, operation_kind::lock, 1);
  step(two, 1, operation_kind::lock, 1, source());
  EXPECT_EQ(one.hash(), two.hash());
}

TEST(TraceTest, TheHashDependsOnTheOrderOfSteps) {
  trace one, two;
  step(one, 1), step(one, 2);
  step(two, 2), step(two, 1);
  EXPECT_NE(one.hash(), two.hash());
}

// However far apart two records are, as the hash is rolled in several chains.
TEST(TraceTest, TheHashDependsOnEveryRecordAndItsPlace) {
  const auto hash_with = [](std::uint32_t marked, std::uint32_t also_marked) {
    trace history;
    for (std::uint32_t i = 0; i < 16; ++i) step(history, i == marked || i == also_marked ? 1 : 0);
    return history.hash();
  };
  std::set<std::uint64_t> seen;
  for (std::uint32_t first = 0; first < 16; ++first) {
    for (std::uint32_t second = first; second < 16; ++second) seen.insert(hash_with(first, second));
  }
  EXPECT_EQ(seen.size(), 16u * 17 / 2);
}

TEST(TraceTest, TheHashIsTheSameHoweverOftenItIsAskedFor) {
  trace asked, left_alone;
  for (std::uint32_t i = 0; i < 3 * trace::capacity + 7; ++i) {
    step(asked, i), step(left_alone, i);
    if (i % 5 == 0) asked.hash();
  }
  EXPECT_EQ(asked.hash(), left_alone.hash());
}

TEST(TraceTest, TheHashTellsValuesFromTimeAndFromEachOther) {
  trace time, value, other_value, other_domain;
  time.time_moved(5);
  value.value_picked(0, 1, 5);
  other_value.value_picked(0, 1, 6);
  other_domain.value_picked(0, 2, 5);
  EXPECT_NE(time.hash(), value.hash());
  EXPECT_NE(value.hash(), other_value.hash());
  EXPECT_NE(value.hash(), other_domain.hash());
}

TEST(TraceTest, HoldsTheLastRecordsInOrder) {
  trace history;
  const std::uint32_t many = static_cast<std::uint32_t>(2 * trace::capacity + 100);
  for (std::uint32_t i = 0; i < many; ++i) step(history, i);
  EXPECT_EQ(history.count(), many);
  const std::vector<trace_record> records = history.recent();
  ASSERT_EQ(records.size(), trace::capacity);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].task, many - trace::capacity + i);
  }
}

TEST(TraceTest, IsCompleteAtExactlyItsCapacity) {
  trace history;
  for (std::uint32_t i = 0; i < trace::capacity; ++i) step(history, i);
  EXPECT_EQ(history.count(), trace::capacity);
  ASSERT_EQ(history.recent().size(), trace::capacity);
  EXPECT_EQ(history.recent().front().task, 0u);
  EXPECT_EQ(history.recent().back().task, trace::capacity - 1);
}

TEST(TraceTest, KeepsEverythingIfAsked) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  const std::uint32_t many = static_cast<std::uint32_t>(trace::capacity + 10);
  for (std::uint32_t i = 0; i < many; ++i) step(history, i);
  EXPECT_EQ(history.count(), many);
  ASSERT_EQ(history.recent().size(), many);
  EXPECT_EQ(history.recent()[0].task, 0u);
  const std::vector<std::uint64_t> hashes = history.hashes();
  ASSERT_EQ(hashes.size(), many);
  EXPECT_EQ(hashes.back(), history.hash());
  EXPECT_NE(hashes[0], hashes[1]);
}

TEST(TraceTest, KeepsTheNamesOfTasksOnlyIfItKeepsEverything) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  const std::uint64_t nameless = history.hash();
  history.task_named(7, "reader");
  history.task_named(7, "writer");
  EXPECT_EQ(history.names().at(7), "writer");
  EXPECT_EQ(history.hash(), nameless);
  history.start();
  EXPECT_TRUE(history.names().empty());
  history.task_named(7, "reader");
  EXPECT_TRUE(history.names().empty());
}

TEST(TraceTest, TheHashIsTheSameWhetherEverythingIsKept) {
  trace recent, all;
  all.start(~std::uint64_t{0}, true);
  for (std::uint32_t i = 0; i < 5'000; ++i) step(recent, i), step(all, i);
  EXPECT_EQ(recent.hash(), all.hash());
}

TEST(TraceTest, TellsOfTheFirstStepThatIsTooMany) {
  for (const std::uint64_t steps_max :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{trace::capacity - 1},
        std::uint64_t{trace::capacity}, std::uint64_t{trace::capacity + 1}, std::uint64_t{2 * trace::capacity}}) {
    trace history;
    history.start(steps_max);
    const auto one = [&] { return history.step(1, 0, source()); };
    for (std::uint64_t i = 0; i < steps_max; ++i) ASSERT_FALSE(one()) << i << " of " << steps_max;
    EXPECT_TRUE(one()) << steps_max;
    EXPECT_EQ(history.steps(), steps_max + 1);
  }
}

std::string text_of(const std::vector<trace_note>& notes) {
  std::string text;
  for (const trace_note& each : notes)
    text += std::to_string(each.record) + ' ' + each.subject + ' ' + each.text + '\n';
  return text;
}

TEST(TraceTest, KeepsNotesWithTheLastStepOfTheirTask) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  history.note(1, "early", "");  // it has made none
  step(history, 1);
  step(history, 2);
  history.time_moved(5);
  history.note(2, "balance", "20");
  history.note(1, "balance", "100");
  history.note(1, "balance", "100");
  EXPECT_EQ(text_of(history.notes()), "0 balance 100\n1 balance 20\n");
}

TEST(TraceTest, KeepsANoteThatIsNewsOnly) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  step(history, 1);
  history.note(1, "balance", "100");
  history.note(1, "limit", "5");
  history.note(1, "balance", "100");
  history.note(1, "balance", "= 20");
  history.note(1, "balance", "20");
  history.note(1, "balance", "= 100");
  step(history, 1);
  history.note(1, "balance", "100");
  EXPECT_EQ(text_of(history.notes()), "0 balance 100\n0 limit 5\n0 balance = 20\n0 balance = 100\n1 balance 100\n");
}

TEST(TraceTest, KeepsWhatAStepDrewInARowTogether) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  history.note_drawn(1, "early", "1");  // it has made no step
  step(history, 1);
  history.note_drawn(1, "die", "6");
  history.note_drawn(1, "die", "6");
  history.note_drawn(1, "coin", "true");
  history.note_drawn(1, "die", "2");
  history.note_drawn(1, "", "0");
  history.note_drawn(1, "", "0");
  history.note(1, "speed", "5");
  history.note_drawn(1, "speed", "9");
  step(history, 1);
  history.note_drawn(1, "speed", "9");
  EXPECT_EQ(
      text_of(history.notes()),
      "0 die drew 6, 6\n0 coin drew true\n0 die drew 2\n0 drew 0, 0\n0 speed 5\n0 speed drew 9\n1 speed drew 9\n");
}

TEST(TraceTest, KeepsTheFirstOfManyValuesThatAStepDrew) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  step(history, 1);
  for (int i = 0; i < 1'000; ++i) history.note_drawn(1, "", std::to_string(i));
  ASSERT_EQ(history.notes().size(), 1u);
  const std::string& text = history.notes().front().text;
  EXPECT_EQ(text.substr(0, 10), "0, 1, 2, 3");
  EXPECT_EQ(text.substr(text.size() - 9), ", 42, …") << text;
}

TEST(TraceTest, KeepsNothingBesideRecordsUnlessAllAreKept) {
  trace history;
  const auto tell = [&history] {
    step(history, 1);
    history.object_named(1, "audit");
    history.object_named(2, "");
    history.note(1, "balance", "100");
    history.note_drawn(1, "die", "6");
  };
  tell();
  const std::uint64_t without = history.hash();
  EXPECT_TRUE(history.objects().empty());
  EXPECT_TRUE(history.notes().empty());
  history.start(~std::uint64_t{0}, true);
  tell();
  EXPECT_EQ(history.hash(), without);
  EXPECT_EQ(history.objects().size(), 1u);
  EXPECT_EQ(history.objects().at(1), "audit");
  EXPECT_EQ(history.notes().size(), 2u);
  history.start(~std::uint64_t{0}, true);
  EXPECT_TRUE(history.objects().empty());
  EXPECT_TRUE(history.notes().empty());
}

TEST(TraceTest, AStepMayGetABetterPlace) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  const source better = source::current();
  step(history, 1);
  const std::uint64_t before = history.hash();
  history.last_step_is_at(better);
  EXPECT_EQ(history.recent().back().where().line(), better.line());
  EXPECT_EQ(history.hash(), before);
}

TEST(TraceTest, AStepIsSeenToWhereAllIsKept) {
  trace history;
  history.start(~std::uint64_t{0}, true);
  EXPECT_TRUE(history.step(1, 0, source()));
  EXPECT_FALSE(history.limit_passed());
  history.start(1, true);
  EXPECT_TRUE(history.step(1, 0, source()));
  EXPECT_FALSE(history.limit_passed());
  EXPECT_TRUE(history.step(1, 0, source()));
  EXPECT_TRUE(history.limit_passed());
}

TEST(TraceTest, OnlyStepsCountTowardsTheLimit) {
  trace history;
  history.start(2);
  for (std::uint64_t i = 0; i < 10; ++i) history.time_moved(i);
  EXPECT_FALSE(history.step(1, 0, source()));
  history.value_picked(1, 1, 1);
  EXPECT_FALSE(history.step(1, 0, source()));
  EXPECT_TRUE(history.step(1, 0, source()));
  EXPECT_EQ(history.steps(), 3u);
  EXPECT_EQ(history.count(), 14u);
}

TEST(TraceTest, StartsAgainAsNew) {
  trace history;
  const std::uint64_t fresh = history.hash();
  history.start(~std::uint64_t{0}, true);
  for (std::uint32_t i = 0; i < 5'000; ++i) step(history, i);
  history.start();
  EXPECT_EQ(history.hash(), fresh);
  EXPECT_EQ(history.count(), 0u);
  EXPECT_TRUE(history.recent().empty());
  EXPECT_TRUE(history.hashes().empty());
  step(history, 1);
  EXPECT_EQ(history.count(), 1u);
  EXPECT_EQ(history.recent().size(), 1u);
}

}  // namespace
}  // namespace lockstep
