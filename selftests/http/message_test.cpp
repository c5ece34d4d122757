#include <lockstep/http/message.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace lockstep::http {
namespace {

TEST(HttpMessageTest, FindsFieldsInAnyCaseAndKeepsTheirOrder) {
  header_fields fields{{"Accept", "text/html"}, {"X-One", "1"}};
  fields.add("accept", "text/plain");
  EXPECT_EQ(fields.find("ACCEPT"), "text/html");
  EXPECT_EQ(fields.find("x-one"), "1");
  EXPECT_FALSE(fields.contains("X-Two"));
  EXPECT_FALSE(fields.contains("Accep"));
  EXPECT_THAT(fields, testing::ElementsAre(header_field{"Accept", "text/html"}, header_field{"X-One", "1"},
                                           header_field{"accept", "text/plain"}));
  fields.set("aCCept", "*/*");
  EXPECT_THAT(fields, testing::ElementsAre(header_field{"X-One", "1"}, header_field{"aCCept", "*/*"}));
  EXPECT_EQ(fields.erase("x-ONE"), 1U);
  EXPECT_EQ(fields.erase("x-ONE"), 0U);
  EXPECT_EQ(fields.size(), 1U);
}

TEST(HttpMessageTest, KnowsTheTokensOfALists) {
  const header_fields fields{{"Connection", "Upgrade, keep-alive"}, {"Connection", " close\t"}};
  EXPECT_TRUE(fields.lists("connection", "KEEP-ALIVE"));
  EXPECT_TRUE(fields.lists("Connection", "close"));
  EXPECT_FALSE(fields.lists("Connection", "keep"));
  EXPECT_FALSE(fields.lists("Accept", "close"));
}

TEST(HttpMessageTest, RefusesFieldsThatWouldBeOthers) {
  header_fields fields;
  EXPECT_THROW(fields.add("", "x"), std::invalid_argument);
  EXPECT_THROW(fields.add("a b", "x"), std::invalid_argument);
  EXPECT_THROW(fields.add("a:", "x"), std::invalid_argument);
  EXPECT_THROW(fields.add("a", "x\r\nb: y"), std::invalid_argument);
  EXPECT_THROW(fields.set("a", std::string("x\0y", 3)), std::invalid_argument);
  EXPECT_TRUE(fields.empty());
}

TEST(HttpMessageTest, HasThePartsOfATarget) {
  const request asked{"GET", "/find?name=two+apples&empty&n=%41%2&name=other"};
  EXPECT_EQ(asked.path(), "/find");
  EXPECT_EQ(asked.query("name"), "two apples");
  EXPECT_EQ(asked.query("empty"), "");
  EXPECT_EQ(asked.query("n"), "A%2");
  EXPECT_EQ(asked.query("none"), std::nullopt);
  EXPECT_EQ(request{}.path(), "/");
  EXPECT_EQ(request{}.query("name"), std::nullopt);
}

TEST(HttpMessageTest, KnowsReasons) {
  EXPECT_EQ(reason_of(200), "OK");
  EXPECT_EQ(reason_of(404), "Not Found");
  EXPECT_EQ(reason_of(505), "HTTP Version Not Supported");
  EXPECT_EQ(reason_of(299), "");
  EXPECT_EQ(reason_of(599), "");
}

}  // namespace
}  // namespace lockstep::http
