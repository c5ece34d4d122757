#include "html_links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crawling {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HtmlLinks, AreThoseOfAnchorsAndAreasInTheirOrder) {
  EXPECT_THAT(links_in("<body><a href='a.html'>a</a><map><area href=\"b.html\"></map><p><b><a href=c.html>c</a></b>"),
              ElementsAre("a.html", "b.html", "c.html"));
}

TEST(HtmlLinks, AreDecoded) { EXPECT_THAT(links_in("<a href='?a=1&amp;b=2'>"), ElementsAre("?a=1&b=2")); }

TEST(HtmlLinks, AreFoundInBrokenHtml) {
  EXPECT_THAT(links_in("</p><a href=a.html><table><a href=b.html></td></i>"), ElementsAre("a.html", "b.html"));
}

TEST(HtmlLinks, AreNotInCommentsScriptsOrText) {
  EXPECT_THAT(links_in("<!-- <a href=a> --><script>'<a href=b>'</script>&lt;a href=c><a name=d>"), IsEmpty());
  EXPECT_THAT(links_in(""), IsEmpty());
}

}  // namespace
}  // namespace crawling
