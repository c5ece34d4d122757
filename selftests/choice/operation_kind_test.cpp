#include <lockstep/choice/operation_kind.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string_view>

namespace lockstep {
namespace {

TEST(OperationKindTest, KeepsTheNumbersThatTracesAreHashedWith) {
  EXPECT_EQ(static_cast<int>(operation_kind::start), 0);
  EXPECT_EQ(static_cast<int>(operation_kind::yield), 1);
  EXPECT_EQ(static_cast<int>(operation_kind::sleep), 2);
  EXPECT_EQ(static_cast<int>(operation_kind::join), 3);
  EXPECT_EQ(static_cast<int>(operation_kind::lock), 4);
  EXPECT_EQ(static_cast<int>(operation_kind::foreign), 13);
  EXPECT_EQ(static_cast<int>(operation_kind::wait_children), 15);
  EXPECT_EQ(static_cast<int>(operation_kind::wait_future), 17);
  EXPECT_EQ(static_cast<int>(operation_kind::lock_shared), 19);
  EXPECT_EQ(static_cast<int>(operation_kind::wait_latch), 20);
  EXPECT_EQ(static_cast<int>(operation_kind::send), 21);
  EXPECT_EQ(static_cast<int>(operation_kind::receive), 22);
  EXPECT_EQ(static_cast<int>(operation_kind::publish), 23);
  EXPECT_EQ(static_cast<int>(operation_kind::receive_broadcast), 24);
  EXPECT_EQ(static_cast<int>(operation_kind::select), 27);
  EXPECT_EQ(static_cast<int>(operation_kind::job), 28);
  EXPECT_EQ(static_cast<int>(operation_kind::look_up), 33);
  EXPECT_EQ(static_cast<int>(operation_kind::open_file), 34);
  EXPECT_EQ(static_cast<int>(operation_kind::use_file), 39);
  EXPECT_EQ(static_cast<int>(operation_kind::time_moved), 64);
  EXPECT_EQ(static_cast<int>(operation_kind::value_picked), 65);
  EXPECT_EQ(static_cast<int>(operation_kind::task_made), 66);
  EXPECT_EQ(static_cast<int>(operation_kind::object_made), 67);
  EXPECT_EQ(static_cast<int>(operation_kind::fault_fired), 68);
}

TEST(OperationKindTest, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  std::size_t known = 0;
  for (int kind = 0; kind < 256; ++kind) {
    const std::string_view name = name_of(static_cast<operation_kind>(kind));
    if (name == "unknown operation") continue;
    names.insert(name);
    ++known;
  }
  EXPECT_EQ(names.size(), known);
  EXPECT_GE(known, 27u);
  EXPECT_EQ(name_of(static_cast<operation_kind>(50)), "unknown operation");
}

}  // namespace
}  // namespace lockstep
