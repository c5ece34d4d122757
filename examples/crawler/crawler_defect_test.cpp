// A defect that is found: a crawler that looks whether a page is known, waits, and only then notes that it is.
#include "crawler.hpp"

#include "memory_site.hpp"

#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

namespace crawling {
namespace {

// [test]
CO_TEST(CrawlerThatMarksLate, FetchesEachPageOnce, .schedule = lockstep::schedule::random) {
  memory_site site({{"", {"a.html", "b.html"}}, {"a.html", {"c.html"}}, {"b.html", {"c.html"}}, {"c.html", {}}});
  crawl_options options;
  options.mark = marking::on_fetch;
  co_await crawl(site, at(""), options);
  EXPECT_EQ(site.fetched.size(), 4u);
}
// [/test]

}  // namespace
}  // namespace crawling
