#include <lockstep/trace/trace.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

constexpr identity reader = task_identity(main_identity, 1);
constexpr identity mutex_id = object_identity(main_identity, 1);

void step(trace& history, std::uint32_t task, identity who, operation_kind kind, std::uint32_t object, identity what,
          source where = source::current()) {
  history.step(task, who, trace::code(kind, what), trace::label(kind, object), where);
}
void step(trace& history, std::uint32_t task) {
  step(history, task, task_identity(main_identity, task), operation_kind::yield, 0, 0);
}

TEST(TraceTest, BeginsEmpty) {
  trace history;
  EXPECT_EQ(history.count(), 0u);
  EXPECT_TRUE(history.recent().empty());
}

TEST(TraceTest, RecordsWhatAStepWas) {
  trace history;
  const source where = source::current();
  step(history, 3, reader, operation_kind::lock, 7, mutex_id, where);
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
  step(history, 1, reader, operation_kind::drain, 0xFFFFFFFF, mutex_id);
  EXPECT_EQ(history.recent().front().operation(), operation_kind::drain);
  EXPECT_EQ(history.recent().front().object(), 0xFFFFFFu);
}

TEST(TraceTest, TheHashDependsOnWhoWhatAndWhichOperation) {
  const auto hash_after = [](identity who, operation_kind kind, identity what) {
    trace history;
    step(history, 1, who, kind, 1, what);
    return history.hash();
  };
  const std::uint64_t base = hash_after(reader, operation_kind::lock, mutex_id);
  EXPECT_EQ(hash_after(reader, operation_kind::lock, mutex_id), base);
  EXPECT_NE(hash_after(main_identity, operation_kind::lock, mutex_id), base);
  EXPECT_NE(hash_after(reader, operation_kind::acquire, mutex_id), base);
  EXPECT_NE(hash_after(reader, operation_kind::lock, 0), base);
  EXPECT_NE(hash_after(mutex_id, operation_kind::lock, reader), base);
}

TEST(TraceTest, TheHashLeavesOutLinesAndNumbers) {
  trace one, two;
  step(one, 1, reader, operation_kind::lock, 1, mutex_id);
  step(two, 9, reader, operation_kind::lock, 4, mutex_id, source());
  EXPECT_EQ(one.hash(), two.hash());
}

TEST(TraceTest, TheHashDependsOnTheOrderOfSteps) {
  trace one, two;
  step(one, 1), step(one, 2);
  step(two, 2), step(two, 1);
  EXPECT_NE(one.hash(), two.hash());
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
  ASSERT_EQ(history.hashes().size(), many);
  EXPECT_EQ(history.hashes().back(), history.hash());
  EXPECT_NE(history.hashes()[0], history.hashes()[1]);
}

TEST(TraceTest, TheHashIsTheSameWhetherEverythingIsKept) {
  trace recent, all;
  all.start(~std::uint64_t{0}, true);
  for (std::uint32_t i = 0; i < 5'000; ++i) step(recent, i), step(all, i);
  EXPECT_EQ(recent.hash(), all.hash());
}

TEST(TraceTest, TellsWhenTheLimitOfStepsIsReachedAndEverAfter) {
  for (const std::uint64_t steps_max : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{trace::capacity},
                                        std::uint64_t{trace::capacity + 1}}) {
    trace history;
    history.start(steps_max);
    const auto one = [&] { return history.step(1, reader, 0, 0, source()); };
    for (std::uint64_t i = 1; i < steps_max; ++i) ASSERT_FALSE(one()) << i << " of " << steps_max;
    EXPECT_TRUE(one()) << steps_max;
  }
}

TEST(TraceTest, OnlyStepsCountTowardsTheLimit) {
  trace history;
  history.start(2);
  for (std::uint64_t i = 0; i < 10; ++i) history.time_moved(i);
  EXPECT_FALSE(history.step(1, reader, 0, 0, source()));
  history.value_picked(1, 1, 1);
  EXPECT_TRUE(history.step(1, reader, 0, 0, source()));
  EXPECT_EQ(history.steps(), 2u);
  EXPECT_EQ(history.count(), 13u);
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
