#include <lockstep/choice/operation_kind.hpp>

#include <gtest/gtest.h>

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
  EXPECT_EQ(static_cast<int>(operation_kind::select), 27);
  EXPECT_EQ(static_cast<int>(operation_kind::time_moved), 64);
  EXPECT_EQ(static_cast<int>(operation_kind::value_picked), 65);
  EXPECT_EQ(static_cast<int>(operation_kind::task_made), 66);
  EXPECT_EQ(static_cast<int>(operation_kind::object_made), 67);
}

TEST(OperationKindTest, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(operation_kind::drain); ++kind) {
    names.insert(name_of(static_cast<operation_kind>(kind)));
  }
  names.insert(name_of(operation_kind::select));
  names.insert(name_of(operation_kind::time_moved));
  names.insert(name_of(operation_kind::value_picked));
  names.insert(name_of(operation_kind::task_made));
  names.insert(name_of(operation_kind::object_made));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(operation_kind::drain) + 6);
  EXPECT_FALSE(names.contains("unknown operation"));
  EXPECT_EQ(name_of(static_cast<operation_kind>(50)), "unknown operation");
}

}  // namespace
}  // namespace lockstep
