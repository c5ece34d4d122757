#include <lockstep/base/intrusive_list.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

struct first_tag;
struct second_tag;

struct item : list_hook<first_tag>, list_hook<second_tag> {
  explicit item(int v) : value(v) {
    static_cast<list_hook<first_tag>&>(*this).mark_unlinked();
    static_cast<list_hook<second_tag>&>(*this).mark_unlinked();
  }
  int value;
};
using first_list = intrusive_list<item, first_tag>;
using second_list = intrusive_list<item, second_tag>;

bool in_first(const item& it) { return static_cast<const list_hook<first_tag>&>(it).linked(); }
void leave_first(item& it) { static_cast<list_hook<first_tag>&>(it).unlink(); }

template <class List>
std::vector<int> values(List& list) {
  std::vector<int> found;
  for (item& it : list) found.push_back(it.value);
  return found;
}

TEST(IntrusiveListTest, BeginsEmpty) {
  first_list list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0u);
  EXPECT_TRUE(values(list).empty());
}

TEST(IntrusiveListTest, KeepsTheOrderOfPushes) {
  item a(1), b(2), c(3);
  first_list list;
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_EQ(values(list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(list.front().value, 1);
  EXPECT_EQ(list.back().value, 3);
  EXPECT_EQ(list.size(), 3u);
}

TEST(IntrusiveListTest, PopsFromTheFront) {
  item a(1), b(2);
  first_list list;
  list.push_back(a);
  list.push_back(b);
  EXPECT_EQ(list.pop_front().value, 1);
  EXPECT_FALSE(in_first(a));
  EXPECT_TRUE(in_first(b));
  EXPECT_EQ(list.pop_front().value, 2);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveListTest, AnElementLeavesFromAnyPlace) {
  item a(1), b(2), c(3);
  first_list list;
  list.push_back(a);
  list.push_back(b);
  list.push_back(c);
  leave_first(b);
  EXPECT_EQ(values(list), (std::vector<int>{1, 3}));
  leave_first(c);
  EXPECT_EQ(list.back().value, 1);
  leave_first(a);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveListTest, KnowsWhetherAnElementIsTheOnlyOne) {
  item a(1), b(2);
  first_list list;
  list.push_back(a);
  EXPECT_TRUE(list.is_only(a));
  list.push_back(b);
  EXPECT_FALSE(list.is_only(a));
  EXPECT_FALSE(list.is_only(b));
  leave_first(a);
  EXPECT_TRUE(list.is_only(b));
}

TEST(IntrusiveListTest, AnElementThatLeftMayComeBack) {
  item a(1), b(2);
  first_list list;
  list.push_back(a);
  list.push_back(b);
  leave_first(a);
  list.push_back(a);
  EXPECT_EQ(values(list), (std::vector<int>{2, 1}));
}

TEST(IntrusiveListTest, AnElementIsInOneListPerHook) {
  item a(1), b(2);
  first_list one;
  second_list two;
  one.push_back(a);
  one.push_back(b);
  two.push_back(b);
  two.push_back(a);
  leave_first(a);
  EXPECT_EQ(values(one), (std::vector<int>{2}));
  EXPECT_EQ(values(two), (std::vector<int>{2, 1}));
}

TEST(IntrusiveListTest, SplicesAllInOrder) {
  item a(1), b(2), c(3), d(4);
  first_list list, other;
  list.push_back(a);
  list.push_back(b);
  other.push_back(c);
  other.push_back(d);
  list.splice_back(other);
  EXPECT_EQ(values(list), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(other.empty());
  other.push_back(list.pop_front());
  EXPECT_EQ(values(other), (std::vector<int>{1}));
}

TEST(IntrusiveListTest, SplicesIntoAndFromAnEmptyList) {
  item a(1);
  first_list list, other;
  list.splice_back(other);
  EXPECT_TRUE(list.empty());
  other.push_back(a);
  list.splice_back(other);
  EXPECT_EQ(values(list), (std::vector<int>{1}));
  list.splice_back(other);
  EXPECT_EQ(values(list), (std::vector<int>{1}));
  leave_first(a);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveListTest, ResetForgetsItsElements) {
  item a(1);
  first_list list;
  list.push_back(a);
  list.reset();
  EXPECT_TRUE(list.empty());
  first_list fresh;
  fresh.push_back(a);
  EXPECT_EQ(values(fresh), (std::vector<int>{1}));
}

}  // namespace
}  // namespace lockstep
