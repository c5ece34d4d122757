// What a user would test of the crawler. The build runs these in the plain order and in random ones.
#include "crawler.hpp"

#include "memory_site.hpp"

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
using testing::Pair;
using testing::UnorderedElementsAre;

class mock_source : public page_source {
 public:
  MOCK_METHOD(task<page>, fetch, (std::string url), (override));
};

const std::system_error reset(std::make_error_code(std::errc::connection_reset), "read");

page page_with_link_to(const std::string& name) { return {200, "text/html", "<a href=" + name + ">more</a>"}; }

CO_TEST(Crawler, FindsAllPagesThatCanBeReached) {
  memory_site site({{"", {"b.html", "sub/c.html"}},
                    {"b.html", {}},
                    {"sub/c.html", {"d.html#end", "../b.html"}},
                    {"sub/d.html", {"/"}},
                    {"island.html", {}}});
  const crawl_result found = co_await crawl(site, at(""));
  EXPECT_THAT(found.pages, UnorderedElementsAre(at(""), at("b.html"), at("sub/c.html"), at("sub/d.html")));
  EXPECT_EQ(found.links, 5u);
  EXPECT_THAT(found.failures, IsEmpty());
  EXPECT_THAT(found.dead_links, IsEmpty());
}

CO_TEST(Crawler, FetchesEachPageOnce) {
  memory_site site({{"", {"a.html", "b.html"}},
                    {"a.html", {"c.html", "/"}},
                    {"b.html", {"c.html", "a.html"}},
                    {"c.html", {"c.html#top"}}});
  co_await crawl(site, at(""));
  EXPECT_THAT(site.fetched, UnorderedElementsAre(at(""), at("a.html"), at("b.html"), at("c.html")));
}

CO_TEST(Crawler, StaysOnTheSite) {
  memory_site site({{"", {"http://elsewhere/", "//elsewhere/a", "https://site/", "mailto:a@site"}}});
  const crawl_result found = co_await crawl(site, at(""));
  EXPECT_EQ(found.links_outside, 4u);
  EXPECT_THAT(site.fetched, ElementsAre(at("")));
}

CO_TEST(Crawler, TellsDeadLinksAndWhereTheyAre) {
  memory_site site({{"", {"a.html", "gone.html"}}, {"a.html", {"gone.html#1"}}});
  const crawl_result found = co_await crawl(site, at(""));
  EXPECT_THAT(found.dead_links, ElementsAre(link{at(""), at("gone.html")}, link{at("a.html"), at("gone.html")}));
  EXPECT_THAT(found.pages, UnorderedElementsAre(at(""), at("a.html")));
  EXPECT_THAT(found.failures, IsEmpty());
}

CO_TEST(Crawler, DoesNotReadWhatIsNoHtml) {
  mock_source source;
  EXPECT_CALL(source, fetch(at(""))).WillOnce(CoReturn(page{200, "text/plain", "<a href=b.html>"}));
  const crawl_result found = co_await crawl(source, at(""));
  EXPECT_EQ(found.links, 0u);
  EXPECT_THAT(found.pages, ElementsAre(at("")));
}

// [bound]
CO_TEST(Crawler, FetchesNoMoreThanItMayAtTheSameTime) {
  std::map<std::string, std::vector<std::string>> pages;
  for (int i = 1; i <= 9; ++i) pages[""].push_back(std::to_string(i));
  memory_site site(pages);
  crawl_options options;
  options.parallel_max = 3;
  co_await crawl(site, at(""), options);
  EXPECT_EQ(site.in_flight_max, 3);
  EXPECT_EQ(now(), time_point{1s + 3s});
}
// [/bound]

// [retry]
CO_TEST(Crawler, TriesAgainWithLongerAndLongerPauses) {
  mock_source source;
  std::vector<time_point> attempts;
  const auto fail = [&](std::string) -> task<page> {
    attempts.push_back(now());
    if (attempts.size() < 3) throw reset;
    co_return page();
  };
  EXPECT_CALL(source, fetch(at(""))).Times(3).WillRepeatedly(CoInvoke(fail));
  const crawl_result found = co_await crawl(source, at(""));
  EXPECT_EQ(found.retries, 2u);
  EXPECT_THAT(found.pages, ElementsAre(at("")));
  CO_ASSERT_EQ(attempts.size(), 3u);
  EXPECT_THAT(attempts[1] - attempts[0], testing::AllOf(testing::Ge(500ms), testing::Le(1s)));
  EXPECT_THAT(attempts[2] - attempts[1], testing::AllOf(testing::Ge(1s), testing::Le(2s)));
}

CO_TEST(Crawler, DoesNotTryAllPagesAgainAtTheSameTime, .schedule = schedule::random) {
  mock_source source;
  std::map<std::string, std::vector<time_point>> attempts;
  const auto fail_once = [&](std::string url) -> task<page> {
    attempts[url].push_back(now());
    if (attempts[url].size() < 2) throw reset;
    co_return page();
  };
  EXPECT_CALL(source, fetch(at(""))).WillOnce(CoReturn(page{200, "text/html", "<a href=a></a><a href=b></a>"}));
  EXPECT_CALL(source, fetch(testing::AnyOf(at("a"), at("b")))).Times(4).WillRepeatedly(CoInvoke(fail_once));
  co_await crawl(source, at(""));
  EXPECT_EQ(attempts[at("a")][0], attempts[at("b")][0]);
  EXPECT_NE(attempts[at("a")][1], attempts[at("b")][1]);
}

CO_TEST(Crawler, GivesUpAPageAndGoesOnWithTheOthers) {
  mock_source source;
  EXPECT_CALL(source, fetch(at(""))).WillOnce(CoReturn(page_with_link_to("broken.html")));
  EXPECT_CALL(source, fetch(at("broken.html"))).Times(4).WillRepeatedly(CoThrow(reset));
  const crawl_result found = co_await crawl(source, at(""));
  EXPECT_THAT(found.pages, ElementsAre(at("")));
  EXPECT_THAT(found.failures, ElementsAre(Pair(at("broken.html"), "read: Connection reset by peer")));
}
// [/retry]

// [timeout]
CO_TEST(Crawler, DoesNotWaitForAServerThatHangs) {
  mock_source source;
  EXPECT_CALL(source, fetch(at(""))).WillOnce(CoNever()).WillOnce(CoReturn(page()));
  const crawl_result found = co_await crawl(source, at(""));
  EXPECT_THAT(found.pages, ElementsAre(at("")));
  EXPECT_GE(now(), time_point{10s + 500ms});
  EXPECT_LE(now(), time_point{10s + 1s});
}
// [/timeout]

CO_TEST(Crawler, LeavesAGivenUpTimeoutWithItsReason) {
  mock_source source;
  EXPECT_CALL(source, fetch(at(""))).Times(4).WillRepeatedly(CoNever());
  const crawl_result found = co_await crawl(source, at(""));
  EXPECT_THAT(found.failures, ElementsAre(Pair(at(""), "timed out after 10 s")));
}

CO_TEST(Crawler, PassesOnWhatIsNoFailureOfTheConnection) {
  mock_source source;
  EXPECT_CALL(source, fetch(at(""))).WillOnce(CoThrow(std::bad_alloc()));
  EXPECT_THROW(co_await crawl(source, at("")), exception_group);
}

// [cancel]
CO_TEST(Crawler, EndsAllFetchesWhenItIsCancelled) {
  memory_site site({{"", {"a.html", "b.html", "c.html"}}});
  auto crawling = spawn(crawl(site, at("")));
  co_await sleep_for(1500ms);
  EXPECT_EQ(site.in_flight, 3);
  crawling.cancel();
  EXPECT_THROW(co_await crawling.join(), cancelled);
  EXPECT_EQ(site.in_flight, 0);
  EXPECT_EQ(now(), time_point{1500ms});
}
// [/cancel]

}  // namespace
}  // namespace crawling
