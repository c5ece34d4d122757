#include <lockstep/choice/identity.hpp>

#include <gtest/gtest.h>

#include <set>

namespace lockstep {
namespace {

TEST(IdentityTest, DependsOnThePathAlone) {
  static_assert(task_identity(main_identity, 1) == 0x7F2F8317C58C094Dull);
  EXPECT_EQ(object_identity(main_identity, 1), 0x1D66FCD12488FABEull);
}

TEST(IdentityTest, TellsTasksAndObjectsOfOneTaskApart) {
  std::set<identity> seen{main_identity};
  for (std::uint32_t n = 1; n <= 1'000; ++n) {
    seen.insert(task_identity(main_identity, n));
    seen.insert(object_identity(main_identity, n));
  }
  EXPECT_EQ(seen.size(), 2'001u);
}

TEST(IdentityTest, TellsPathsOfEqualOrdinalsApart) {
  std::set<identity> seen;
  for (std::uint32_t a = 1; a <= 30; ++a) {
    for (std::uint32_t b = 1; b <= 30; ++b) {
      const identity child = task_identity(task_identity(main_identity, a), b);
      seen.insert(child);
      seen.insert(object_identity(child, a));
    }
  }
  EXPECT_EQ(seen.size(), 1'800u);
}

TEST(IdentityTest, ADomainIsItsName) {
  EXPECT_EQ(domain_identity("jitter"), domain_identity(std::string("jit") + "ter"));
  EXPECT_NE(domain_identity("jitter"), domain_identity("Jitter"));
}

}  // namespace
}  // namespace lockstep
