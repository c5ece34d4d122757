// Queues that are shut down at once.
#include "queues.hpp"
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

CO_TEST(QueueTest, ShutDownAtOnceEmptiesItAndEndsTheWaitForItsItems) {
  queue<int> items(2);
  co_await items.put(1);
  co_await items.put(2);
  auto putter = spawn(put_one(items, 3));
  auto joined = spawn(wait_for_all(items));
  co_await settle();
  items.shut_down(shutdown::immediate);
  EXPECT_TRUE(items.empty());
  EXPECT_THROW(co_await putter.join(), queue_shut_down);
  EXPECT_THROW(co_await items.get(), queue_shut_down);
  EXPECT_THROW(co_await items.put(4), queue_shut_down);
  co_await joined.join();
}

CO_TEST(QueueTest, ShutDownAtOnceLeavesWhatWasGotToBeDealtWith) {
  queue<int> items;
  std::vector<int> got;
  co_await items.put(1);
  co_await items.put(2);
  EXPECT_EQ(co_await items.get(), 1);
  items.shut_down();
  items.shut_down(shutdown::immediate);
  auto joined = spawn(wait_for_all(items));
  co_await settle();
  EXPECT_FALSE(joined.done());
  items.task_done();
  co_await joined.join();
}

CO_TEST(QueueTest, AnItemThatComesBackAfterItWasShutDownAtOnceIsGoneToo) {
  queue<int> items;
  std::vector<int> got;
  auto a = spawn(get_into(items, got));
  auto b = spawn(get_into(items, got));
  co_await settle();
  items.try_put(1);
  items.try_put(2);
  items.shut_down(shutdown::immediate);
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_TRUE(items.empty());
  co_await b.join();
  EXPECT_THAT(got, ElementsAre(2)) << "it had it before";
  items.task_done();
  co_await items.join();
}

// An item that, when it is destroyed, looks at the queue that it was in and calls it.
class meddler {
 public:
  explicit meddler(std::string& log) : log_(&log) {}
  meddler(meddler&& other) noexcept : in(std::exchange(other.in, nullptr)), log_(other.log_) {}
  meddler& operator=(meddler&& other) noexcept {
    in = std::exchange(other.in, nullptr);
    log_ = other.log_;
    return *this;
  }
  ~meddler();

  queue<meddler>* in = nullptr;

 private:
  std::string* log_;
};

meddler::~meddler() {
  if (in == nullptr) return;
  *log_ += std::to_string(in->size());
  EXPECT_FALSE(in->try_put(meddler(*log_)));
  std::optional<meddler> next = in->try_get();
  if (next) {
    next->in = nullptr;
    in->task_done();
  }
  in->shut_down(shutdown::immediate);
}

CO_TEST(QueueTest, ADestructorOfAnItemMayCallTheQueueThatIsShutDown) {
  std::string log;
  queue<meddler> items;
  for (int i = 0; i < 4; ++i) {
    meddler item(log);
    item.in = &items;
    co_await items.put(std::move(item));
  }
  items.shut_down(shutdown::immediate);
  EXPECT_EQ(log, "31") << "each leaves before its destructor runs; that gets another, and shuts the queue down again";
  EXPECT_TRUE(items.empty());
  co_await items.join();
}

}  // namespace
}  // namespace lockstep
