#include <lockstep/http/client.hpp>

#include "simulated.hpp"

#include <lockstep/http/mock.hpp>
#include <lockstep/http/server.hpp>

#include <chrono>

namespace lockstep::http {
namespace {

using namespace std::chrono_literals;

task<void> fetches_once() {
  mock web("127.0.0.1:0");
  web.on("GET", "/page").with_query("x", "1").answer(200, "hello").header("X", "y").once();
  const response come = co_await fetch(web.url("/page?x=1"));
  EXPECT_EQ(come.status, 200U);
  EXPECT_EQ(come.body, "hello");
  EXPECT_EQ(come.headers.find("x"), "y");
  EXPECT_EQ(come.reason, "OK");
  EXPECT_TRUE(web.requests().front().what.headers.lists("Connection", "close"));
}

TEST(HttpClientTest, Fetches) {
  run_in_both_worlds(fetches_once);
  run_in_random_orders(fetches_once);
}

task<void> keeps_its_connection() {
  server web;
  tcp_listener listener = listener_on_loopback();
  const std::string at = "http://" + listener.local().text();
  latch both(2);
  const auto answer = [&both](request what) -> task<response> {
    if (what.target == "/both") co_await both.arrive_and_wait();
    co_return response(200, what.method + what.body);
  };
  auto running = spawn(web.run(std::move(listener), answer), "web");
  {
    client shop;
    EXPECT_EQ((co_await shop.get(at + "/")).body, "GET");
    EXPECT_EQ((co_await shop.post(at + "/", "apple")).body, "POSTapple");
    EXPECT_EQ(web.connections(), 1U);
    EXPECT_EQ(shop.idle_connections(), 1U);
    auto one = spawn(shop.get(at + "/both"));
    auto other = spawn(shop.get(at + "/both"));
    co_await one.join();
    co_await other.join();
    EXPECT_EQ(web.connections(), 2U);
    shop.close_idle();
    EXPECT_EQ(shop.idle_connections(), 0U);
  }
  web.stop();
  co_await running.join();
}

TEST(HttpClientTest, KeepsItsConnections) {
  run_in_both_worlds(keeps_its_connection);
  run_in_random_orders(keeps_its_connection);
}

// A server that takes the second request on a connection, and closes it without an answer.
task<void> drops_each_second(tcp_listener listener) {
  for (;;) {
    tcp_stream peer = co_await listener.accept();
    std::string asked;
    while (!asked.ends_with("\r\n\r\n")) asked += co_await read_piece(peer);
    co_await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await read_piece(peer);
  }
}

task<void> repeats_what_it_may() {
  tcp_listener listener = listener_on_loopback();
  const std::string at = "http://" + listener.local().text() + "/";
  spawn_daemon(drops_each_second(std::move(listener)), "web");
  client shop;
  co_await shop.get(at);
  EXPECT_EQ((co_await shop.get(at)).status, 200U);
  const request deletion{"DELETE"};
  EXPECT_EQ((co_await shop.send(at, deletion)).status, 200U);
  EXPECT_EQ(co_await error_of_task(shop.post(at, {})), ECONNRESET);
}

TEST(HttpClientTest, RepeatsOnlyWhatMayBeRepeatedOnAKeptConnection) { run_in_both_worlds(repeats_what_it_may); }

TEST(HttpClientTest, DoesNotUseAConnectionThatWasClosed) {
  simulate([]() -> task<void> {
    mock web("web:80", {.idle_limit = 5s});
    web.on("POST", "/").answer(200).times(2);
    client shop;
    co_await shop.post("http://web/", {});
    EXPECT_EQ(shop.idle_connections(), 1U);
    co_await sleep_for(6s);
    EXPECT_EQ((co_await shop.post("http://web/", {})).status, 200U);
  });
}

TEST(HttpClientTest, FollowsRedirectionsIfItIsTold) {
  simulate([]() -> task<void> {
    mock web("web:80");
    mock other("other:81");
    web.on("POST", "/a").answer(303).header("Location", "b");
    web.on("GET", "/b")
        .when("has no body", [](const request& what) { return what.body.empty(); })
        .answer(307)
        .header("Location", "http://other:81/c");
    other.on("GET", "/c").answer(302).header("Location", "/c");
    client shop({.redirects_max = 2});
    request what{"POST", {}, "x", {{"Authorization", "secret"}, {"Content-Type", "text/plain"}}};
    const response come = co_await shop.send("http://web/a", what);
    EXPECT_EQ(come.status, 302U);
    EXPECT_TRUE(web.requests().back().what.headers.contains("Authorization"));
    EXPECT_FALSE(web.requests().back().what.headers.contains("Content-Type"));
    EXPECT_FALSE(other.requests().back().what.headers.contains("Authorization"));
    EXPECT_EQ(other.requests().back().what.headers.find("Host"), "other:81");
  });
}

TEST(HttpClientTest, FailsAsTheNetworkDoes) {
  simulate([]() -> task<void> {
    mock web("web:80");
    web.on("GET", "/late").answer(200).after(1h);
    EXPECT_EQ(co_await error_of_task(fetch("http://web:81/")), ECONNREFUSED);
    const result<response> nobody = co_await as_result(fetch("http://nobody/"));
    EXPECT_TRUE(holds<std::system_error>(nobody.error()));
    const result<response> late = co_await as_result(with_timeout(1s, fetch("http://web/late")));
    EXPECT_TRUE(holds<timed_out>(late.error()));
    const result<response> none = co_await as_result(fetch("ftp://web/"));
    EXPECT_TRUE(holds<std::invalid_argument>(none.error()));
  });
}

TEST(HttpClientTest, KeepsNoMoreConnectionsThanItMay) {
  simulate([]() -> task<void> {
    mock web("web:80");
    mock other("other:80");
    for (mock* const each : {&web, &other}) each->on("GET", "/").answer(200).times(1);
    client shop({.idle_max = 1});
    co_await shop.get("http://web/");
    co_await shop.get("http://other/");
    EXPECT_EQ(shop.idle_connections(), 1U);
  });
}

}  // namespace
}  // namespace lockstep::http
