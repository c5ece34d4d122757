#include <lockstep/http/route.hpp>

#include "simulated.hpp"

#include <lockstep/http/client.hpp>
#include <lockstep/http/mock.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// "200 body" of what is answered, or why nothing is.
task<std::string> ask(mock& web, request what) {
  const std::string url = web.url(what.target);
  const result<response> come = co_await as_result(fetch(url, std::move(what)));
  if (come) co_return std::to_string(come.value().status) + " " + come.value().body;
  try {
    std::rethrow_exception(come.error());
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

task<std::string> ask(mock& web, std::string method, std::string target, std::string body = {}) {
  request what;
  what.method = std::move(method);
  what.target = std::move(target);
  what.body = std::move(body);
  co_return co_await ask(web, std::move(what));
}

TEST(HttpRouteTest, TakesWhatItIsToTake) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on("GET", "/a").with_header("Accept", contains("json")).answer(200, "json");
                web.on("GET", "/a").with_query("n", "1").answer(200, "query");
                web.on("GET", "/a").answer(200, "plain");
                web.on("POST", glob("/o/*")).with_body(contains("apple")).answer(200, "body");
                web.on(anything(), "/odd")
                    .when("has one field", [](const request& what) { return what.headers.size() == 2; })
                    .answer(200, "when");
                const request json{"GET", "/a", {}, {{"accept", "text/html"}, {"Accept", "x/json"}}};
                EXPECT_EQ(co_await ask(web, json), "200 json");
                EXPECT_EQ(co_await ask(web, "GET", "/a?m=2&n=1"), "200 query");
                EXPECT_EQ(co_await ask(web, "GET", "/a?n=2"), "200 plain");
                EXPECT_EQ(co_await ask(web, "POST", "/o/1", "two apples"), "200 body");
                EXPECT_EQ(co_await ask(web, "ODD", "/odd"), "200 when");
              }),
              ElementsAre());
}

TEST(HttpRouteTest, AnswersInSequence) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                route& sometimes = web.on("GET", "/a").answer(503).header("Retry-After", "1").then(200, "ok").after(2s);
                EXPECT_EQ(co_await ask(web, "GET", "/a"), "503 ");
                EXPECT_EQ(now(), time_point());
                EXPECT_EQ(co_await ask(web, "GET", "/a"), "200 ok");
                EXPECT_EQ(now(), time_point(2s));
                EXPECT_EQ(co_await ask(web, "GET", "/a"), "200 ok");
                EXPECT_EQ(sometimes.calls().size(), 3U);
                EXPECT_EQ(sometimes.calls().back().at, time_point(2s));
                EXPECT_EQ(sometimes.calls().back().what.target, "/a");
              }),
              ElementsAre());
}

TEST(HttpRouteTest, LeavesWhatItMayNotTakeToTheNext) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on("GET", "/a").answer(200, "first").once();
                web.on("GET", "/a").answer(200, "second").times(2);
                web.on("GET", "/a").answer(200, "others").always();
                web.on("GET", "/b").answer(200).always();
                for (const char* const body : {"200 first", "200 second", "200 second", "200 others"}) {
                  EXPECT_EQ(co_await ask(web, "GET", "/a"), body);
                }
              }),
              ElementsAre());
}

TEST(HttpRouteTest, AnswersByACallable) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    std::string heard;
    web.on("POST", "/a")
        .answer([&heard](request what) -> task<response> {
          heard = what.body;
          co_await sleep_for(1s);
          response made{201, "made"};
          co_return made;
        })
        .header("X", "y")
        .then([](request) -> task<response> { throw std::runtime_error("no more"); });
    EXPECT_EQ(co_await ask(web, "POST", "/a", "apple"), "201 made");
    EXPECT_EQ(heard, "apple");
    EXPECT_EQ(now(), time_point(1s));
    EXPECT_EQ(co_await ask(web, "POST", "/a"), "500 the handler failed");
  });
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said.front(), HasSubstr("no more"));
}

TEST(HttpRouteTest, BreaksInEveryWay) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on("GET", "/slow").answer(200, "abcdef").dribble(2, 1s);
                web.on("GET", "/chunks").answer(200, "abcdef").chunked(4).dribble(1, 1ms);
                web.on("GET", "/half").answer(200, "abcdef").close_after(3);
                web.on("GET", "/cut").answer(200, "abcdef").dribble(1, 1ms).reset_after(3);
                web.on("GET", "/reset").reset();
                web.on("GET", "/close").close();
                web.on("GET", "/odd").garble("SMTP 220\r\n");
                web.on("GET", "/hang").hang();
                EXPECT_EQ(co_await ask(web, "GET", "/slow"), "200 abcdef");
                EXPECT_EQ(now(), time_point(3s));
                EXPECT_EQ(co_await ask(web, "GET", "/chunks"), "200 abcdef");
                EXPECT_EQ(co_await ask(web, "GET", "/half"), "the connection ended after 3 of 6 bytes of the body");
                EXPECT_THAT(co_await ask(web, "GET", "/cut"), HasSubstr("Connection reset by peer"));
                EXPECT_THAT(co_await ask(web, "GET", "/reset"), HasSubstr("Connection reset by peer"));
                EXPECT_THAT(co_await ask(web, "GET", "/close"), HasSubstr("the server closed the connection"));
                EXPECT_EQ(co_await ask(web, "GET", "/odd"), "what came is no HTTP: bad version, in \"SMTP 220\"");
                const result<std::string> never = co_await as_result(with_timeout(1h, ask(web, "GET", "/hang")));
                EXPECT_FALSE(never);
              }),
              ElementsAre());
}

TEST(HttpRouteTest, TakesTurns) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on("POST", "/login").answer(200).once().in_order();
                web.on("GET", "/news").answer(200).always();
                web.on("GET", "/a").answer(200).in_order();
                web.on("POST", "/logout").answer(200).once().in_order();
                for (const char* const target : {"/login", "/news", "/a", "/a", "/logout"}) {
                  const bool posts = target[2] == 'o';
                  EXPECT_EQ(co_await ask(web, posts ? "POST" : "GET", target), "200 ");
                }
              }),
              ElementsAre());
}

TEST(HttpRouteTest, TellsWhatCameOutOfTurn) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    web.on("POST", "/login").answer(200).in_order();
    web.on("GET", "/a").answer(200).in_order();
    EXPECT_THAT(co_await ask(web, "GET", "/a"), testing::StartsWith("501 "));
    co_await ask(web, "POST", "/login");
    co_await ask(web, "GET", "/a");
    co_await ask(web, "POST", "/login");
  });
  ASSERT_EQ(said.size(), 2U);
  EXPECT_THAT(said.front(),
              testing::MatchesRegex(".*it comes before its turn: POST /login \\(.*:[0-9]+\\) is first.*"));
  EXPECT_THAT(said.back(),
              testing::MatchesRegex(".*it comes after its turn: GET /a \\(.*:[0-9]+\\) was asked already.*"));
}

TEST(HttpRouteTest, IsMisusedByAnswersInTheWrongPlace) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    route& one = web.on("GET", "/a").always();
    EXPECT_THROW(one.then(200), misuse);
    EXPECT_THROW(one.after(1s), misuse);
    one.answer(200);
    EXPECT_THROW(one.answer(200), misuse);
    EXPECT_THROW(one.dribble(0, 1s), misuse);
    EXPECT_THROW(one.chunked(0), misuse);
    EXPECT_THROW(one.after(-1s), misuse);
    EXPECT_THROW(one.dribble(1, -1s), misuse);
    for (const unsigned status : {99U, 100U, 600U}) EXPECT_THROW(one.then(status), misuse);
    co_return;
  });
  ASSERT_EQ(said.size(), 10U);
  EXPECT_THAT(said[0],
              testing::MatchesRegex("misuse: the route GET /a \\(.*\\) has no answer yet that another could follow"));
  EXPECT_THAT(said[1], testing::EndsWith("has no answer yet that could come later"));
  EXPECT_THAT(said[2], testing::EndsWith("has an answer already; then() says what comes next"));
  EXPECT_THAT(said[3], testing::EndsWith("cannot send pieces of no bytes"));
  EXPECT_THAT(said[5], testing::EndsWith("cannot answer -1 s late"));
}

TEST(HttpRouteTest, IsToBeAskedForEachOfItsAnswersUnlessItIsSaidHowOften) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    web.on("GET", "/a").answer(503).then(503).then(200);
    web.on("GET", "/b").answer(503).then(200).always();
    web.on("GET", "/c").answer(503).then(200);
    for (const char* each : {"/a", "/a", "/b", "/c", "/c", "/c"}) co_await fetch(web.url(each));
  });
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], testing::MatchesRegex(
                           "unmet expectation: GET /a \\(.*\\) was to be asked at least 3 times, and was twice"));
}

TEST(HttpRouteTest, AnAnswerThatIsOverBeforeItIsCutIsAVerdict) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    web.on("GET", "/a").answer(200, "five!").reset_after(6).always();
    web.on("GET", "/b").answer(200, "five!").close_after(5);
    web.on("GET", "/c").answer(200, "five!").chunked(2).reset_after(25);
    web.on("GET", "/d").answer(200, "five!").chunked(2).reset_after(26);
    web.on("HEAD", "/e").answer(200, "five!").reset_after(6);
    for (const char* each : {"/a", "/a", "/b", "/c", "/d"}) static_cast<void>(co_await as_result(fetch(web.url(each))));
    static_cast<void>(co_await as_result(fetch(web.url("/e"), request("HEAD"))));
  });
  ASSERT_EQ(said.size(), 3U);
  EXPECT_THAT(said[2], testing::MatchesRegex(".*HEAD /e \\(.*\\) was to end after 6 bytes of its body, which has 0"));
  EXPECT_THAT(said[0],
              testing::MatchesRegex(
                  "unfired fault: the answer to GET /a \\(.*\\) was to end after 6 bytes of its body, which has 5"));
  EXPECT_THAT(said[1], testing::EndsWith("was to end after 26 bytes of its body, which has 25"));
}

TEST(HttpRouteTest, IsMisusedByAnAnswerThatCouldNeverCome) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    EXPECT_THROW(web.on("GET", "/a").answer(503).then(200).once(), misuse);
    EXPECT_THROW(web.on("GET", "/a").times(2).answer(503).then(503).hang(), misuse);
    EXPECT_THROW(web.on("GET", "/a").answer(503).then(200).times(0), misuse);
    for (route* const each : {&web.on("GET", "/b").answer(503).then(200).times(2), &web.on("GET", "/c").answer(200)}) {
      each->always();
    }
    web.on("GET", "/d").answer(200).times(0);
    co_return;
  });
  ASSERT_GE(said.size(), 3U);
  EXPECT_THAT(said[0], testing::MatchesRegex(
                           "misuse: the route GET /a \\(.*\\) is to be asked once and would have 2 answers, of "
                           "which the last could never come"));
  EXPECT_THAT(said[1], HasSubstr("is to be asked twice and would have 3 answers"));
  EXPECT_THAT(said[2], HasSubstr("is to be asked never and would have 2 answers"));
}

// Whether a route behind the first is told of as one that could never be asked.
bool is_hidden(const std::function<void(mock&)>& first, const std::function<void(mock&)>& second) {
  const std::vector<std::string> said = verdicts_on([&]() -> task<void> {
    mock web("web:80");
    first(web);
    second(web);
    co_return;
  });
  return std::any_of(said.begin(), said.end(),
                     [](const std::string& each) { return each.find(" could never be asked, as ") != each.npos; });
}

TEST(HttpRouteTest, IsHiddenByOneBeforeItThatTakesAll) {
  const auto a = [](mock& web) { web.on("GET", "/a").answer(200).always(); };
  const auto json_a = [](mock& web) { web.on("GET", "/a").with_header("accept", contains("json")).always(); };
  const auto exact_json_a = [](mock& web) { web.on("GET", "/a").with_header("Accept", "text/json").times(0); };
  const auto like_a = [](mock& web) { web.on("GET", glob("/a*")).answer(200); };
  const auto all = [](mock& web) { web.on(anything(), anything()).answer(404).always(); };
  const auto one_query = [](mock& web) { web.on("GET", "/a").with_query("n", "1").with_body("x").once(); };
  const auto other_query = [](mock& web) { web.on("GET", "/a").with_query("m", "1").always(); };
  EXPECT_TRUE(is_hidden(a, a));
  EXPECT_TRUE(is_hidden(a, json_a));
  EXPECT_TRUE(is_hidden(json_a, exact_json_a));
  EXPECT_TRUE(is_hidden(like_a, a));
  EXPECT_TRUE(is_hidden(like_a, like_a));
  EXPECT_TRUE(is_hidden(all, like_a));
  EXPECT_TRUE(is_hidden(a, one_query));
  EXPECT_FALSE(is_hidden(json_a, a));
  EXPECT_FALSE(is_hidden(a, like_a));
  EXPECT_FALSE(is_hidden(a, all));
  EXPECT_FALSE(is_hidden(one_query, other_query));
  EXPECT_FALSE(is_hidden(other_query, one_query));
}

TEST(HttpRouteTest, IsNotHiddenByOneThatMayLeaveItARequest) {
  const auto a = [](mock& web) { web.on("GET", "/a").answer(200); };
  const auto limited = [](mock& web) { web.on("GET", "/a").answer(200).times(3); };
  const auto in_turn = [](mock& web) { web.on("GET", "/a").answer(200).in_order(); };
  const auto when = [](mock& web) { web.on("GET", "/a").when("is odd", [](const request&) { return true; }); };
  const auto by_user = [](mock& web) { web.on("GET", text_matcher("one", [](std::string_view) { return true; })); };
  EXPECT_TRUE(is_hidden(a, when));
  EXPECT_TRUE(is_hidden(a, in_turn));
  for (const auto& first : std::vector<std::function<void(mock&)>>{limited, in_turn, when, by_user}) {
    EXPECT_FALSE(is_hidden(first, a));
  }
  EXPECT_FALSE(is_hidden(by_user, by_user));
}

TEST(HttpRouteTest, SaysWhichRouteHidesIt) {
  const std::vector<std::string> said = verdicts_on([]() -> task<void> {
    mock web("web:80");
    web.on("GET", "/a").answer(200).always();
    web.on("GET", "/a").answer(500).once();
    co_await fetch("http://web/a");
  });
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said.front(), testing::MatchesRegex(
                                "unmet expectation: GET /a \\(route_test.cpp:[0-9]+\\) could never be asked, as GET "
                                "/a \\(route_test.cpp:[0-9]+\\) before it takes every such request; put it first, "
                                "or limit that one by times\\(\\)"));
}

}  // namespace
}  // namespace lockstep::http
