#include <lockstep/system/file_calls.hpp>

#include <gtest/gtest.h>

#include <type_traits>

namespace lockstep {
namespace {

class without_files final : public file_calls {};

TEST(FileCallsTest, FailWhereThereAreNoFiles) {
  without_files system;
  EXPECT_EQ(system.openat(AT_FDCWD, "/", O_RDONLY, 0), -ENOSYS);
  EXPECT_EQ(system.fsync(0), -ENOSYS);
  EXPECT_EQ(system.inotify_init1(0), -ENOSYS);
}

TEST(FileCallsTest, ArePartOfAnotherClass) {
  static_assert(std::is_polymorphic_v<file_calls> && !std::is_destructible_v<file_calls>);
}

}  // namespace
}  // namespace lockstep
