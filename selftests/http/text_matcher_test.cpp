#include <lockstep/http/text_matcher.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::http {
namespace {

TEST(HttpTextMatcherTest, TakesThatTextAlone) {
  const text_matcher orders = "/orders";
  EXPECT_TRUE(orders.matches("/orders"));
  EXPECT_FALSE(orders.matches("/orders/1"));
  EXPECT_EQ(orders.described(), "\"/orders\"");
  EXPECT_EQ(orders.plain(), "/orders");
}

TEST(HttpTextMatcherTest, TakesWhatIsLikeAPattern) {
  EXPECT_TRUE(glob("/orders/*").matches("/orders/1/items"));
  EXPECT_FALSE(glob("/orders/*").matches("/orders"));
  EXPECT_TRUE(glob("*").matches(""));
  EXPECT_TRUE(glob("a*b*c").matches("aXbYbZc"));
  EXPECT_FALSE(glob("a*b*c").matches("aXbYbZ"));
  EXPECT_TRUE(glob("?b").matches("ab"));
  EXPECT_FALSE(glob("?b").matches("b"));
  EXPECT_FALSE(glob("").matches("x"));
  EXPECT_EQ(glob("/orders/*").described(), "like \"/orders/*\"");
}

TEST(HttpTextMatcherTest, TakesPartsAndBeginningsAndAnything) {
  EXPECT_TRUE(contains("json").matches("application/json"));
  EXPECT_FALSE(contains("json").matches("text/html"));
  EXPECT_TRUE(starts_with("text/").matches("text/html"));
  EXPECT_FALSE(starts_with("text/").matches("a text/html"));
  EXPECT_TRUE(anything().matches(""));
  EXPECT_EQ(contains("x").plain(), "(one with \"x\" in it)");
}

TEST(HttpTextMatcherTest, TakesAMatcherOfGoogleMock) {
  const text_matcher json = testing::Matcher<std::string>(testing::HasSubstr("json"));
  EXPECT_TRUE(json.matches("application/json"));
  EXPECT_FALSE(json.matches("text/html"));
  EXPECT_EQ(json.described(), "one that has substring \"json\"");
}

TEST(HttpTextMatcherTest, CoversWhatItSurelyMatches) {
  EXPECT_TRUE(anything().covers(glob("a*")));
  EXPECT_TRUE(glob("a*").covers("ab"));
  EXPECT_TRUE(contains("b").covers("ab"));
  EXPECT_TRUE(starts_with("a").covers(starts_with("a")));
  EXPECT_FALSE(text_matcher("ab").covers(glob("a*")));
  EXPECT_FALSE(text_matcher("ab").covers(anything()));
  EXPECT_FALSE(glob("a*").covers("b"));
  EXPECT_FALSE(glob("a*").covers(starts_with("a")));
  const text_matcher by_user("anything", [](std::string_view) { return true; });
  EXPECT_TRUE(anything().covers(by_user));
  EXPECT_FALSE(by_user.covers(by_user));
  EXPECT_FALSE(by_user.covers("a"));
}

}  // namespace
}  // namespace lockstep::http
