#include <lockstep/net/name_query.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

class counted final : public name_query {
 public:
  using name_query::name_query;
  int answers = 0;

 private:
  void was_answered() override { ++answers; }
};

TEST(NameQueryTest, TellsWhenItIsAnswered) {
  counted query("db.example", AF_INET);
  EXPECT_EQ(query.name(), "db.example");
  EXPECT_EQ(query.family(), AF_INET);
  found_addresses found;
  found.addresses.push_back("10.0.0.7");
  query.answer(found);
  EXPECT_EQ(query.answers, 1);
  EXPECT_EQ(query.found().addresses, found.addresses);
}

TEST(NameQueryTest, LeavesWhoeverIsAskedWhenItDies) {
  intrusive_list<name_query, name_query> asked;
  {
    counted query("db.example", AF_INET);
    asked.push_back(query);
    EXPECT_FALSE(asked.empty());
  }
  EXPECT_TRUE(asked.empty());
}

}  // namespace
}  // namespace lockstep
