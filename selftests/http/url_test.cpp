#include <lockstep/http/url.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace lockstep::http {
namespace {

std::string parts_of(const char* text) {
  const url parsed = url::parse(text);
  return parsed.host + " " + std::to_string(parsed.port) + " " + parsed.target;
}

TEST(HttpUrlTest, HasItsParts) {
  EXPECT_EQ(parts_of("http://web"), "web 80 /");
  EXPECT_EQ(parts_of("HTTP://web:8080/a/b?c=d#e"), "web 8080 /a/b?c=d");
  EXPECT_EQ(parts_of("http://10.0.0.2:/x"), "10.0.0.2 80 /x");
  EXPECT_EQ(parts_of("http://web?x"), "web 80 /?x");
  EXPECT_EQ(parts_of("http://[::1]:81/"), "::1 81 /");
  EXPECT_EQ(parts_of("http://[::1]/"), "::1 80 /");
  EXPECT_EQ(url::parse("http://[::1]:81/x?y").text(), "http://[::1]:81/x?y");
  EXPECT_EQ(url::parse("http://web:80").text(), "http://web/");
}

TEST(HttpUrlTest, RefusesWhatIsNone) {
  for (const char* const wrong : {"", "web", "https://web/", "http://", "http:///x", "http://web:0/", "http://web:x/",
                                  "http://web:65536/", "http://web/a b", "http://web/a\r\nb", "http://me@web/"}) {
    EXPECT_THROW(url::parse(wrong), std::invalid_argument) << wrong;
  }
}

TEST(HttpUrlTest, ResolvesReferences) {
  const url at = url::parse("http://web:81/a/b?q");
  EXPECT_EQ(at.resolve("http://other/x").text(), "http://other/x");
  EXPECT_EQ(at.resolve("//other/x").text(), "http://other/x");
  EXPECT_EQ(at.resolve("/x#y").text(), "http://web:81/x");
  EXPECT_EQ(at.resolve("x").text(), "http://web:81/a/x");
  EXPECT_EQ(at.resolve("?r").text(), "http://web:81/a/b?r");
  EXPECT_THROW(at.resolve("https://web/"), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::http
