// A primitive of one's own, as the header describes it: a box that one task fills and others wait for.
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class T>
class box final : public object {
 public:
  explicit box(label name = {}) : object(std::move(name)) {}

  class taking;
  taking take() {
    enter("was taken from", source());
    return taking(*this);
  }
  void fill(T item) {
    loop& owner = *enter("was filled", source()).owner;
    if (waiters_.empty()) {
      item_ = std::move(item);
      return;
    }
    operation& next = waiters_.pop_front();
    static_cast<taking&>(next).taken_ = std::move(item);
    owner.grant(next);
  }
  bool empty() const noexcept { return !item_; }

 private:
  std::optional<T> item_;
  wait_list waiters_;
};

template <class T>
class box<T>::taking final : public primitive<taking> {
 public:
  explicit taking(box& from) noexcept : primitive<taking>(operation_kind::get, from), box_(from) {}

  bool try_now() {
    taken_ = std::exchange(box_.item_, std::nullopt);
    return taken_.has_value();
  }
  void enqueue() noexcept override { box_.waiters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override {
    box_.fill(std::move(*taken_));
    return true;
  }
  T result() { return std::move(*taken_); }

 private:
  friend class box;
  box& box_;
  std::optional<T> taken_;
};

CO_TEST(PrimitiveTest, ReturnsItsResultWithoutWaitingIfItCan) {
  box<std::unique_ptr<int>> from;
  from.fill(std::make_unique<int>(7));
  const std::uint64_t before = detail::here().owner->steps();
  EXPECT_EQ(*co_await from.take(), 7);
  EXPECT_EQ(detail::here().owner->steps(), before + 1);  // it counts as a step all the same
}

CO_TEST(PrimitiveTest, ReturnsWhatItWasHandedIfItHadToWait) {
  box<std::unique_ptr<int>> from;
  const auto take = [&]() -> task<int> { co_return *co_await from.take(); };
  auto first = spawn(take());
  auto second = spawn(take());
  co_await settle();
  from.fill(std::make_unique<int>(1));
  from.fill(std::make_unique<int>(2));
  EXPECT_EQ(co_await first.join(), 1);
  EXPECT_EQ(co_await second.join(), 2);
}

CO_TEST(PrimitiveTest, MayBeMadeBeforeItIsAwaited) {
  box<int> from;
  auto later = from.take();
  from.fill(3);
  EXPECT_EQ(co_await later, 3);
}

CO_TEST(PrimitiveTest, GivesBackWhatItWasGrantedWhenItsTaskIsCancelled) {
  box<int> from;
  const auto take = [&]() -> task<int> { co_return co_await from.take(); };
  auto loser = spawn(take());
  co_await settle();
  from.fill(5);
  EXPECT_TRUE(from.empty());
  loser.cancel();
  EXPECT_THROW(co_await loser.join(), cancelled);
  EXPECT_EQ(co_await from.take(), 5);
}

TEST(PrimitiveTest, StandsStillWhenTheRunWasStopped) {
  bool went_on = false;
  const auto main = [&]() -> task<void> {
    box<int> from;
    from.fill(1);
    detail::here().owner->stop();
    co_await from.take();
    went_on = true;
  };
  const judged_run run = judge(main);
  EXPECT_FALSE(run.ended);
  EXPECT_FALSE(went_on);
  EXPECT_THAT(run.kinds(), IsEmpty());
}

TEST(PrimitiveTest, OneThatNobodyGrantsIsADeadlockThatNamesIt) {
  const auto main = []() -> task<void> {
    box<int> from("parcel");
    co_await from.take();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, std::string(name_of(operation_kind::get)) + " \"parcel\"");
  EXPECT_EQ(file_of(run.verdicts[0].tasks[0].stack[0]), "primitive_test.cpp");
}

}  // namespace
}  // namespace lockstep
