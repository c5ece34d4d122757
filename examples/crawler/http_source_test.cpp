#include "http_source.hpp"

#include "crawler.hpp"

#include <lockstep/http/mock.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <system_error>

namespace crawling {
namespace {

using namespace lockstep;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

CO_TEST(HttpSource, FetchesAPage) {
  http_mock web("site:80");
  web.on("GET", "/a").answer(200, "text").header("Content-Type", "text/html; charset=utf-8");
  web.on("GET", "/b").answer(404);
  http_source source;
  const page found = co_await source.fetch("http://site/a");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.type, "text/html");
  EXPECT_EQ(found.body, "text");
  EXPECT_EQ((co_await source.fetch("http://site/b")).status, 404);
}

// A site of two pages, of which one links to the other.
void have_two_pages(http_mock& web) {
  web.on("GET", "/").answer(200, "<a href=more>more</a>").header("Content-Type", "text/html");
  web.on("GET", "/more").answer(200, "no more");
}

// [breaks]
CO_TEST(CrawlerOverHttp, TriesAgainWhenConnectionsBreak) {
  http_mock web("site:80");
  web.on("GET", "/")
      .reset()
      .then(200, "<a href=more>more</a>")
      .header("Content-Type", "text/html")
      .reset_after(10)
      .times(2);
  have_two_pages(web);
  http_source source;
  const crawl_result found = co_await crawl(source, "http://site/");
  EXPECT_EQ(found.pages.size(), 2u);
  EXPECT_THAT(found.failures, IsEmpty());
}
// [/breaks]

CO_TEST(CrawlerOverHttp, GivesUpASiteThatTalksNonsense) {
  http_mock web("site:80");
  web.on("GET", "/").garble("220 mail ready\r\n").times(4);
  http_source source;
  const crawl_result found = co_await crawl(source, "http://site/");
  EXPECT_THAT(found.failures, ElementsAre(testing::Pair("http://site/", testing::HasSubstr("no HTTP"))));
}

CO_TEST(CrawlerOverHttp, SurvivesAPartition, .schedule = schedule::random) {
  http_mock web("site:80");
  have_two_pages(web);
  world().link("client", "site").latency(5ms, 50ms).loss(10);
  http_source source;
  auto crawling = spawn(crawl(source, "http://site/"), "crawl");
  {
    const partition cut("client", "site");
    co_await sleep_for(25s);
  }
  const crawl_result found = co_await crawling.join();
  EXPECT_EQ(found.pages.size(), 2u);
  EXPECT_EQ(found.retries, 2u);
  EXPECT_THAT(found.failures, IsEmpty());
}

}  // namespace
}  // namespace crawling
