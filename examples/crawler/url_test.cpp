#include "url.hpp"

#include <gtest/gtest.h>

namespace crawling {
namespace {

TEST(Url, ResolvesReferencesAsInTheRfc) {
  // Section 5.4 of RFC 3986, without the fragments.
  const std::pair<const char*, const char*> examples[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
  };
  for (const auto& [reference, target] : examples) {
    EXPECT_EQ(resolve("http://a/b/c/d;p?q", reference), target) << reference;
  }
}

TEST(Url, KnowsWhatIsOnTheSite) {
  EXPECT_TRUE(same_site("http://a/b", "http://a/c?q"));
  EXPECT_FALSE(same_site("http://a/b", "https://a/b"));
  EXPECT_FALSE(same_site("http://a/b", "http://a:8080/b"));
  EXPECT_FALSE(same_site("http://a/b", "mailto:b@a"));
  EXPECT_EQ(origin_of("http://a:8080/b?q"), "http://a:8080");
  EXPECT_EQ(origin_of("http://a"), "http://a");
}

TEST(Url, DecodesPaths) {
  EXPECT_EQ(decoded_path("http://a/b%20c.html?q"), "/b c.html");
  EXPECT_EQ(decoded_path("http://a/100%"), "/100%");
  EXPECT_EQ(decoded_path("http://a/%zz%2e"), "/%zz.");
}

}  // namespace
}  // namespace crawling
