// What a fixture owns when the tasks are gone: a mistake and its correct twin each.
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<void> fail() {
  co_await yield();
  throw std::runtime_error("disk full");
}

task<void> rest() { co_await sleep_for(1s); }

class Owns : public testing::Test {
 public:
  static bool correctly() { return std::getenv("SUBJECT_CORRECT") != nullptr; }
};

class OwnsAHandle : public Owns {
 protected:
  join_handle<void> saving_;
};
CO_TEST_F(OwnsAHandle, OfATaskThatFails) {
  saving_ = spawn(fail(), "saving");
  co_await sleep_for(1s);
  if (correctly()) {
    EXPECT_NE(saving_.exception(), nullptr);
  }
}

class OwnsAGroup : public Owns {
 protected:
  task<void> CoSetUp() {
    group_.emplace();
    co_return;
  }
  std::optional<task_group> group_;
};
CO_TEST_F(OwnsAGroup, InWhichATaskFails) {
  group_->spawn(fail(), "saving");
  co_await sleep_for(1s);
  if (correctly()) {
    EXPECT_THROW(co_await group_->join(), exception_group);
  }
}

class OwnsATask : public Owns {
 protected:
  std::optional<task<void>> job_;
};
CO_TEST_F(OwnsATask, ThatIsNeverAwaited) {
  job_.emplace(rest());
  co_await yield();
  if (correctly()) co_await *std::move(job_);
}

class store {
 public:
  virtual ~store() = default;
  virtual task<int> read(int key) = 0;
};
class mock_store : public store {
 public:
  MOCK_METHOD(task<int>, read, (int), (override));
};

class OwnsAClient : public Owns {
 protected:
  mock_store disk_;
  std::vector<task<int>> prefetched_;
};
CO_TEST_F(OwnsAClient, ThatForgetsWhatAMockReturned) {
  EXPECT_CALL(disk_, read(7)).WillOnce(CoReturn(1));
  prefetched_.push_back(disk_.read(7));
  co_await yield();
  if (correctly()) {
    EXPECT_EQ(co_await std::move(prefetched_[0]), 1);
  }
}

class OwnsAnOrder : public Owns {
 protected:
  order wanted_{"start", "end"};
};
CO_TEST_F(OwnsAnOrder, ThatDoesNotComeAbout) {
  co_await point("start");
  if (correctly()) co_await point("end");
}

// The lock that the main task has taken is the fixture's to give back.
class OwnsAMutex : public Owns {
 public:
  ~OwnsAMutex() override {
    if (correctly()) tx_.unlock();
  }

 protected:
  mutex tx_{"tx"};
};
CO_TEST_F(OwnsAMutex, ThatStaysLocked) {
  EXPECT_TRUE(tx_.try_lock());
  co_await yield();
}

class OwnsAPermit : public Owns {
 protected:
  bounded_semaphore slots_{1, "slots"};
  std::optional<permit> slot_;
};
CO_TEST_F(OwnsAPermit, ThatWasNotAcquired) {
  if (correctly()) co_await slots_.acquire();
  slot_.emplace(slots_);
  co_await yield();
}

// A daemon may use the fixture to its end, and a task that is left is told of once.
class OwnsWhatATaskUses : public Owns {
 protected:
  task<void> serve() {
    for (;;) co_await asked_.wait();
  }
  event asked_{"asked"};
  std::optional<join_handle<void>> server_;
};
CO_TEST_F(OwnsWhatATaskUses, AtTheEnd) {
  if (correctly()) {
    spawn_daemon(serve(), "server");
  } else {
    server_ = spawn(serve(), "server");
  }
  co_await yield();
}

// Only one that is correct holds the lock to the end of the fixture.
class OwnsALockThatATaskHolds : public Owns {
 protected:
  task<void> hold() {
    const mutex_guard held = co_await tx_.lock();
    co_await sleep_for(1h);
  }
  mutex tx_{"tx"};
  std::optional<join_handle<void>> holder_;
};
CO_TEST_F(OwnsALockThatATaskHolds, AtTheEnd) {
  holder_ = spawn(hold(), "holder");
  co_await yield();
  if (correctly()) {
    holder_->cancel();
    EXPECT_THROW(co_await holder_->join(), cancelled);
  }
}

// What was left out could not await it.
class OwnsATaskOfASkippedTest : public OwnsATask {
 protected:
  void SetUp() override {
    job_.emplace(rest());
    // As GoogleTest's own does, which returns.
    GTEST_MESSAGE_("", testing::TestPartResult::kSkip) << "no network here";
  }
};
CO_TEST_F(OwnsATaskOfASkippedTest, ThatIsNoMistake) { co_await *std::move(job_); }

// When the body has failed, what the fixture owns is a consequence.
CO_TEST_F(OwnsATask, InABodyThatFails) {
  job_.emplace(rest());
  co_await yield();
  CO_FAIL() << "the only failure";
}

CO_TEST_F(OwnsATask, InABodyThatEndsByMisuse) {
  job_.emplace(rest());
  mutex tx("tx");
  co_await yield();
  tx.unlock();
}

}  // namespace
}  // namespace lockstep
