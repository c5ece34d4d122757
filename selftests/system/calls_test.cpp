#include <lockstep/system/calls.hpp>

#include <gtest/gtest.h>

#include <type_traits>

namespace lockstep {
namespace {

class counting_watch final : public readiness_watch {
 public:
  int told = 0;
  bool closed = false;

 private:
  void may_be_ready() noexcept override { ++told; }
  void was_closed() noexcept override { closed = true; }
};

TEST(ReadinessWatchTest, IsOffAtFirst) {
  const counting_watch watch;
  EXPECT_FALSE(watch.linked());
  EXPECT_EQ(watch.events(), 0U);
}

TEST(ReadinessWatchTest, IsInOneListAndTellsOfItself) {
  counting_watch watch;
  watch.set_events(POLLIN | POLLOUT);
  EXPECT_EQ(watch.events(), unsigned{POLLIN | POLLOUT});
  intrusive_list<readiness_watch, readiness_watch> list;
  list.push_back(watch);
  for (readiness_watch& each : list) each.may_be_ready();
  list.pop_front().was_closed();
  EXPECT_FALSE(watch.linked());
  EXPECT_EQ(watch.told, 1);
  EXPECT_TRUE(watch.closed);
}

TEST(SystemCallsTest, AreShared) {
  static_assert(std::is_abstract_v<system_calls> && std::has_virtual_destructor_v<system_calls>);
  static_assert(std::is_base_of_v<std::enable_shared_from_this<system_calls>, system_calls>);
}

}  // namespace
}  // namespace lockstep
