#include <lockstep/sim/file_locks.hpp>

#include <gtest/gtest.h>

#include <sys/file.h>

#include <cerrno>

namespace lockstep::sim {
namespace {

class FileLocksTest : public testing::Test {
 public:
  static file_locks::owner who(int number) {
    static const char own[3] = {};
    return {&own[number], number};
  }
  file_locks locks;
};

TEST_F(FileLocksTest, OfAWholeFileAreSharedOrExclusive) {
  EXPECT_EQ(locks.flock(who(0), LOCK_SH), 0);
  EXPECT_EQ(locks.flock(who(1), LOCK_SH), 0);
  EXPECT_EQ(locks.flock(who(2), LOCK_EX), -EWOULDBLOCK);
  EXPECT_EQ(locks.flock(who(1), LOCK_UN), 0);
  EXPECT_EQ(locks.flock(who(0), LOCK_EX), 0) << "one's own is no hindrance";
  EXPECT_EQ(locks.flock(who(1), LOCK_SH), -EWOULDBLOCK);
  locks.drop_flock(who(0));
  EXPECT_TRUE(locks.empty());
}

TEST_F(FileLocksTest, AreLostByAChangeThatFails) {
  locks.flock(who(0), LOCK_SH);
  locks.flock(who(1), LOCK_SH);
  EXPECT_EQ(locks.flock(who(0), LOCK_EX), -EWOULDBLOCK);
  EXPECT_FALSE(locks.holds(who(0)));
}

TEST_F(FileLocksTest, OfRangesMeetWhereTheyOverlap) {
  EXPECT_EQ(locks.set(who(0), F_WRLCK, 0, 9), 0);
  EXPECT_EQ(locks.set(who(1), F_WRLCK, 10, 19), 0);
  EXPECT_EQ(locks.set(who(1), F_RDLCK, 9, 11), -EAGAIN);
  file_locks::range found{};
  ASSERT_TRUE(locks.conflict(who(1), F_RDLCK, 9, 11, found));
  EXPECT_EQ(found.begin, 0);
  EXPECT_EQ(found.end, 9);
  EXPECT_EQ(found.who.process, 0);
  EXPECT_EQ(locks.set(who(0), F_RDLCK, 0, 9), 0);
  EXPECT_EQ(locks.set(who(1), F_RDLCK, 9, 11), 0);
}

TEST_F(FileLocksTest, OfRangesAreSplitAndJoined) {
  locks.set(who(0), F_WRLCK, 0, 29);
  locks.set(who(0), F_UNLCK, 10, 19);
  EXPECT_EQ(locks.set(who(1), F_WRLCK, 10, 19), 0);
  EXPECT_EQ(locks.set(who(1), F_WRLCK, 20, 20), -EAGAIN);
  locks.drop_ranges(who(1));
  locks.set(who(0), F_WRLCK, 10, 19);
  file_locks::range found{};
  ASSERT_TRUE(locks.conflict(who(2), F_WRLCK, 15, 15, found));
  EXPECT_EQ(found.begin, 0);
  EXPECT_EQ(found.end, 29);
  locks.set(who(0), F_UNLCK, 0, 99);
  EXPECT_TRUE(locks.empty());
}

TEST_F(FileLocksTest, OfOneOwnerStayTogetherWhereItsFirstWas) {
  locks.set(who(0), F_WRLCK, 0, 0);
  locks.set(who(1), F_WRLCK, 10, 10);
  locks.set(who(0), F_WRLCK, 20, 20);
  file_locks::range found{};
  ASSERT_TRUE(locks.conflict(who(2), F_WRLCK, 5, 29, found));
  EXPECT_EQ(found.begin, 20);
}

}  // namespace
}  // namespace lockstep::sim
