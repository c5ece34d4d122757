#include <lockstep/adapters/completion.hpp>

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <string>
#include <thread>

namespace lockstep {
namespace {

using detail::completion;

// Awaits a completion, which somebody else completes.
class awaited {
 public:
  explicit awaited(completion<std::string>& of) noexcept : of_(of) {}
  ~awaited() { of_.forget_waiter(); }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) { return of_.wait(waiter); }
  std::optional<std::string> await_resume() { return of_.take(); }

 private:
  completion<std::string>& of_;
};

CO_TEST(CompletionTest, GivesTheResultToTheTaskThatWaits) {
  completion<std::string> work;
  auto waiter = spawn([](completion<std::string>& of) -> task<std::string> { co_return *co_await awaited(of); }(work));
  co_await settle();
  EXPECT_FALSE(waiter.done());
  work.arrive("done");
  EXPECT_FALSE(waiter.done()) << "it is resumed by the loop, not by who completes the work";
  EXPECT_EQ(co_await waiter.join(), "done");
}

CO_TEST(CompletionTest, DoesNotMakeATaskWaitForWorkThatHasEnded) {
  completion<std::string> work;
  work.arrive("done");
  EXPECT_EQ(*co_await awaited(work), "done");
}

CO_TEST(CompletionTest, HasNothingWhenTheWorkWasDropped) {
  completion<std::string> work;
  auto waiter = spawn([](completion<std::string>& of) -> task<bool> {
    const auto result = co_await awaited(of);
    co_return result.has_value();
  }(work));
  co_await settle();
  work.be_dropped();
  EXPECT_FALSE(co_await waiter.join());
}

CO_TEST(CompletionTest, KeepsAResultThatCameBeforeTheDrop) {
  completion<std::string> work;
  work.arrive("done");
  work.be_dropped();
  EXPECT_EQ(*co_await awaited(work), "done");
}

CO_TEST(CompletionTest, ComesFromAnotherThread) {
  completion<std::string> work;
  std::jthread worker;
  worker = std::jthread([&work] { work.arrive("done"); });
  EXPECT_EQ(*co_await outside(awaited(work)), "done");
}

TEST(CompletionTest, TellsWhetherTheWorkGoesOnWhenItIsForgotten) {
  completion<std::string> work;
  EXPECT_TRUE(work.forget_waiter());
  work.arrive("done");
  EXPECT_FALSE(work.forget_waiter());
}

}  // namespace
}  // namespace lockstep
