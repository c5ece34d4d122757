#include <lockstep/http/mock.hpp>

#include "simulated.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/http/client.hpp>
#include <lockstep/sim/host.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace lockstep::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

task<void> is_asked() {
  mock web("127.0.0.1:0");
  route& stock = web.on("GET", "/stock").answer(200, "7 apples").times(2);
  EXPECT_NE(web.local().port(), 0);
  EXPECT_EQ(web.url("/stock"), "http://" + web.local().text() + "/stock");
  client one;
  EXPECT_EQ((co_await one.get(web.url("/stock"))).body, "7 apples");
  EXPECT_EQ((co_await one.get(web.url("/stock"))).body, "7 apples");
  EXPECT_EQ(stock.calls().size(), 2U);
  EXPECT_EQ(web.requests().size(), 2U);
  EXPECT_EQ(web.requests().front().what.headers.find("host"), web.local().text());
}

TEST(HttpMockTest, AnswersOnBothSystems) {
  run_in_both_worlds(is_asked);
  run_in_random_orders(is_asked);
}

TEST(HttpMockTest, IsOnAHostOfTheSimulation) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                world().host("old", "10.0.0.9");
                mock web("web:80");
                mock old("old:8080");
                mock by_address("10.0.0.9:81");
                for (mock* const each : {&web, &old, &by_address}) each->on("GET", "/").answer(200);
                EXPECT_EQ(web.url(), "http://web/");
                EXPECT_EQ(old.url("/x"), "http://old:8080/x");
                EXPECT_EQ(old.local(), endpoint("10.0.0.9:8080"));
                world().link("client", "web").latency(10ms);
                EXPECT_EQ((co_await fetch("http://web/")).status, 200U);
                EXPECT_EQ(now(), time_point(40ms));
                EXPECT_EQ((co_await fetch("http://old:8080/")).status, 200U);
                EXPECT_EQ((co_await fetch("http://10.0.0.9:81/")).status, 200U);
              }),
              ElementsAre());
}

TEST(HttpMockTest, StopsWhenItDies) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                {
                  mock web("web:80");
                  web.on("GET", "/").answer(200).always();
                  co_await fetch("http://web/");
                }
                co_await settle();
                EXPECT_EQ(co_await error_of_task(fetch("http://web/")), ECONNREFUSED);
                mock again("web:80");
                again.on("GET", "/").answer(200);
                co_await fetch("http://web/");
              }),
              ElementsAre());
}

// -- verdicts ---------------------------------------------------------------------------------------------------------

TEST(HttpMockTest, TellsOfARequestThatNoRouteTakesAndWhatComesNearest) {
  std::string answer;
  const std::vector<std::string> found = verdicts_on([&]() -> task<void> {
    mock web("web:80");
    web.on("POST", "/orders").with_header("Content-Type", contains("json")).with_body("{}").answer(201).always();
    web.on("GET", "/orders").with_header("Accept", "text/html").answer(200).always();
    web.on("GET", glob("/orders/*")).with_query("n").answer(200).always();
    web.on("DELETE", "/all").with_header("X").answer(200).always();
    const request asked{"GET", {}, {}, {{"Accept", "text/plain"}}};
    const response come = co_await fetch("http://web/orders?n=1", asked);
    EXPECT_EQ(come.status, 501U);
    answer = come.body;
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ("unmatched request: " + answer, found.front());
  EXPECT_THAT(
      answer,
      MatchesRegex(
          "http_mock \"web:80\" was asked GET /orders\\?n=1, which no route takes\n"
          "  not GET /orders, Accept: text/html \\(.*mock_test.cpp:[0-9]+\\): the header Accept is "
          "\"text/plain\", not \"text/html\"\n"
          "  not GET /orders/\\*, \\?n=\\(anything\\) \\(.*\\): the path is \"/orders\", not like \"/orders/\\*\"\n"
          "  not POST /orders, .*: the method is \"GET\", not \"POST\", and there is no header Content-Type, "
          "and the body is \"\", not \"\\{\\}\""));
}

TEST(HttpMockTest, TellsOfARequestTooMany) {
  const std::vector<std::string> found = verdicts_on([]() -> task<void> {
    mock web("web:80");
    web.on("POST", "/orders").answer(201).once();
    client shop;
    co_await shop.post("http://web/orders", "apple");
    co_await shop.post("http://web/orders", "apple");
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), HasSubstr("it has been asked as often as it was to be"));
}

TEST(HttpMockTest, TellsOfAMockWithoutRoutes) {
  EXPECT_THAT(
      verdicts_on([]() -> task<void> {
        mock web("web:80");
        co_await fetch("http://web/");
      }),
      ElementsAre("unmatched request: http_mock \"web:80\" was asked GET /, which no route takes; it has none"));
}

TEST(HttpMockTest, LeavesAloneWhatALastRouteTakes) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on(anything(), anything()).answer(404).always();
                EXPECT_EQ((co_await fetch("http://web/x")).status, 404U);
              }),
              ElementsAre());
}

TEST(HttpMockTest, TellsOfRoutesThatWereNotAskedAsOftenAsTheyWereToBe) {
  unsigned line = 0;
  sim::world world;
  world.run([&]() -> task<void> {
    mock web("web:80");
    line = source::current().line() + 1;
    web.on("GET", "/a").answer(200).times(3);
    web.on("GET", "/b").answer(200);
    web.on("GET", "/c").answer(200).always();
    web.on("GET", "/d").answer(200).times(0);
    client one;
    co_await one.get("http://web/a");
    co_await one.get("http://web/a");
  });
  EXPECT_THAT(
      messages_on(world),
      ElementsAre(MatchesRegex("unmet expectation: GET /a \\(.*mock_test.cpp:[0-9]+\\) was to be asked 3 times, "
                               "and was twice"),
                  MatchesRegex("unmet expectation: GET /b \\(.*\\) was to be asked at least once, and was never "
                               "asked")));
  EXPECT_EQ(world.verdicts().front().where.line(), line);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::unmet_expectation);
}

TEST(HttpMockTest, SaysNothingOfRoutesWhereSomethingElseEndedTheRun) {
  EXPECT_THAT(verdicts_on([]() -> task<void> {
                mock web("web:80");
                web.on("GET", "/a").answer(200);
                event never("never");
                co_await never.wait();
              }),
              ElementsAre("deadlock: every task waits"));
}

TEST(HttpMockTest, IsJudgedAtTheEndOfTheRunIfItLivesOn) {
  std::optional<mock> web;
  sim::world world;
  world.run([&]() -> task<void> {
    web.emplace("web:80");
    web->on("GET", "/a").answer(200);
    co_return;
  });
  EXPECT_THAT(messages_on(world), ElementsAre(HasSubstr("was never asked")));
  EXPECT_THROW(web->on("GET", "/b"), misuse);
  EXPECT_TRUE(web->requests().empty());
  world.run([&]() -> task<void> {
    EXPECT_THROW(web->on("GET", "/c"), misuse);
    web.reset();
    co_return;
  });
}

TEST(HttpMockTest, IsMisusedInAPlaceThatIsNone) {
  for (const char* const at : {"web", "web:x", ":80", ""}) {
    const std::vector<std::string> found = verdicts_on([at]() -> task<void> {
      EXPECT_THROW(const mock none(at), misuse);
      co_return;
    });
    EXPECT_THAT(found, ElementsAre("misuse: \"" + std::string(at) + "\" is no place for a mock, as \"web:80\" is"));
  }
  EXPECT_THROW(const mock none("web:80"), misuse);
}

TEST(HttpMockTest, IsMisusedWhereSomebodyListensAlready) {
  const std::vector<std::string> found = verdicts_on([]() -> task<void> {
    const mock first("web:80");
    EXPECT_THROW(const mock second("web:80"), misuse);
    co_return;
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(),
              MatchesRegex("misuse: http_mock \"web:80\" cannot listen at 10.0.0.2:80, where a socket listens that was "
                           "opened at mock_test.cpp:[0-9]+; take another port or host, or let that one answer"));
}

task<void> finds_its_place_taken() {
  const tcp_listener other = listener_on_loopback();
  try {
    const mock web(other.local().text());
    ADD_FAILURE() << "it listens";
  } catch (const misuse&) {
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_THAT(error.what(), HasSubstr("http_mock \"" + other.local().text() + "\" cannot listen at "));
    EXPECT_THAT(error.what(), HasSubstr(", which is taken; port 0 is one that is free"));
  }
  co_return;
}

TEST(HttpMockTest, SaysOnTheMachineThatItsPlaceIsTaken) {
  real::world machine;
  machine.run(finds_its_place_taken());
  EXPECT_THAT(messages_on(machine), ElementsAre());
  EXPECT_THAT(verdicts_on(finds_its_place_taken), ElementsAre(HasSubstr("take another port or host")));
}

// -- searched ---------------------------------------------------------------------------------------------------------

// Posts an order over a link that may reset, again if that fails. With a number of its own the shop knows it again.
task<void> orders_once(bool with_number) {
  mock shop("shop:80");
  int orders = 0;
  std::optional<std::string> known;
  const auto take = [&](request what) -> task<response> {
    const auto number = what.headers.find("Idempotency-Key");
    if (!number || known != *number) ++orders;
    if (number) known = *number;
    response taken{201};
    co_return taken;
  };
  shop.on("POST", "/orders").answer(take).always();
  auto reset = on(op::read).at("client").one_in(3).fail(ECONNRESET);
  request order{"POST", "/orders", "apple"};
  if (with_number) order.headers.add("Idempotency-Key", "1");
  for (int tries = 0; tries < 2; ++tries) {
    const result<response> come = co_await as_result(fetch("http://shop/orders", order));
    if (come) break;
  }
  if (orders > 1) throw std::runtime_error("ordered twice");
}

TEST(HttpMockTest, IsSearched) {
  explore_options how;
  how.order = ordering::fifo;
  how.runs_max = 300;
  world_program wrong([] { return orders_once(false); });
  const exploration found = explorer(wrong).explore(how);
  ASSERT_TRUE(found.failure);
  EXPECT_THAT(found.failure->result.signature, HasSubstr("ordered twice"));
  world_program right([] { return orders_once(true); });
  EXPECT_FALSE(explorer(right).explore(how).failure);
}

// In any order of two requests, each gets its answer, and no state of the mock is torn.
task<void> is_asked_by_two() {
  mock web("web:80");
  web.on("GET", "/").answer(200, "first").then(200, "second").times(2);
  auto one = spawn(fetch("http://web/"), "one");
  auto other = spawn(fetch("http://web/"), "other");
  const std::string first = (co_await one.join()).body;
  const std::string second = (co_await other.join()).body;
  if (first == second) throw std::runtime_error("the same answer");
  if (first != "first") throw std::runtime_error("the other order");
}

TEST(HttpMockTest, GivesASearchTheOrderOfItsRequests) {
  world_program program([] { return is_asked_by_two(); });
  explore_options how;
  how.runs_max = 2'000;
  const exploration found = explorer(program).explore(how);
  ASSERT_TRUE(found.failure);
  EXPECT_THAT(found.failure->result.signature, HasSubstr("the other order"));
}

}  // namespace
}  // namespace lockstep::http
