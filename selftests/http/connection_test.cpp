#include <lockstep/http/connection.hpp>

#include "../net/in_both_worlds.hpp"

#include <chrono>
#include <vector>

namespace lockstep::http {
namespace {

using namespace std::chrono_literals;

// A connection to a peer that is no server, but the test itself.
struct ends {
  connection client;
  tcp_stream server;
};

task<std::unique_ptr<ends>> connected(message_limits limits = {}) {
  lockstep::connection made = co_await connected_pair();
  co_return std::unique_ptr<ends>(new ends{connection(std::move(made.client), "web", limits), std::move(made.server)});
}

task<void> pipelines() {
  const auto both = co_await connected();
  const request first{"GET", "/1"};
  const request second{"HEAD", "/2"};
  const request third{"GET", "/3"};
  co_await both->client.write(first);
  co_await both->client.write(second);
  co_await both->client.write(third);
  EXPECT_FALSE(both->client.is_idle());
  const std::string asked =
      "GET /1 HTTP/1.1\r\nHost: web\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: web\r\n\r\nGET /3 HTTP/1.1\r\nHost: web\r\n\r\n";
  EXPECT_EQ(co_await read_bytes(both->server, asked.size()), asked);
  co_await both->server.write(
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree");
  EXPECT_EQ((co_await both->client.read()).body, "one");
  EXPECT_EQ((co_await both->client.read()).body, "");
  EXPECT_EQ((co_await both->client.read()).body, "three");
  EXPECT_TRUE(both->client.is_idle());
  both->server.close();
  co_await settle();
  EXPECT_FALSE(both->client.is_idle());
}

TEST(HttpConnectionTest, PipelinesAndLosesNoByteBetweenAnswers) {
  run_in_both_worlds(pipelines);
  run_in_random_orders(pipelines);
}

task<void> times_out_and_goes_on() {
  const auto both = co_await connected();
  co_await both->client.write(request());
  co_await both->server.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le");
  const result<response> early = co_await as_result(with_timeout(1ms, both->client.read()));
  EXPECT_TRUE(holds<timed_out>(early.error()));
  EXPECT_TRUE(both->client.has_heard());
  co_await both->server.write("ngth: 4\r\n\r\nla");
  const result<response> still = co_await as_result(with_timeout(1ms, both->client.read()));
  EXPECT_TRUE(holds<timed_out>(still.error()));
  co_await both->server.write("te");
  const response come = co_await both->client.read();
  EXPECT_EQ(come.body, "late");
}

TEST(HttpConnectionTest, LosesNothingByATimeout) { run_in_both_worlds(times_out_and_goes_on); }

task<void> asks_before_it_sends() {
  const auto both = co_await connected();
  const request large{"POST", "/", "body", {{"Expect", "100-continue"}}};
  const std::string header = "POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  {
    auto answer = spawn(both->client.exchange(large));
    EXPECT_EQ(co_await read_bytes(both->server, header.size()), header);
    co_await both->server.write("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(co_await read_bytes(both->server, 4), "body");
    co_await both->server.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ((co_await answer.join()).status, 201U);
    EXPECT_TRUE(both->client.is_idle());
  }
  auto refused = spawn(both->client.exchange(large));
  co_await read_bytes(both->server, header.size());
  co_await both->server.write("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ((co_await refused.join()).status, 413U);
  EXPECT_FALSE(both->client.is_idle());  // the server may wait for the body
}

TEST(HttpConnectionTest, WaitsWithTheBodyIfItSaysSo) { run_in_both_worlds(asks_before_it_sends); }

TEST(HttpConnectionTest, SendsTheBodyToAServerThatSaysNothing) {
  sim::world world;
  world.run([]() -> task<void> {
    const auto both = co_await connected();
    const request large{"POST", "/", "body", {{"Expect", "100-continue"}}};
    auto answer = spawn(both->client.exchange(large));
    std::string come;
    while (!come.ends_with("body")) come += co_await read_piece(both->server);
    EXPECT_EQ(now(), time_point(1s));
    co_await both->server.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ((co_await answer.join()).status, 200U);
  });
  EXPECT_THAT(world.verdicts(), testing::IsEmpty());
}

task<void> hears_why_it_was_refused() {
  const auto both = co_await connected();
  co_await both->server.write("HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\n\r\nwhy");
  co_await settle();
  both->server.reset();
  co_await settle();
  const request large{"POST", "/", std::string(100'000, 'x')};
  const response come = co_await both->client.exchange(large);
  EXPECT_EQ(come.status, 413U);
  EXPECT_EQ(come.body, "why");
  EXPECT_FALSE(both->client.is_idle());
}

TEST(HttpConnectionTest, HearsAServerThatAnswersTooEarly) { run_in_both_worlds(hears_why_it_was_refused); }

task<void> tells_how_it_broke() {
  {
    const auto both = co_await connected();
    co_await both->client.write(request());
    both->server.shutdown_write();
    EXPECT_EQ(co_await error_of_task(both->client.read()), ECONNRESET);
    EXPECT_FALSE(both->client.has_heard());
  }
  {
    const auto both = co_await connected({100, 10});
    co_await both->client.write(request());
    co_await both->server.write("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n");
    const result<response> come = co_await as_result(both->client.read());
    EXPECT_TRUE(holds<protocol_error>(come.error()));
    EXPECT_FALSE(both->client.is_idle());
  }
}

TEST(HttpConnectionTest, TellsHowItBroke) { run_in_both_worlds(tells_how_it_broke); }

TEST(HttpConnectionTest, IsMisusedWithoutARequestAndAfterItsEnd) {
  sim::world world;
  world.run([]() -> task<void> {
    const auto both = co_await connected();
    EXPECT_THROW(co_await both->client.read(), misuse);
    co_await both->client.write(request());
    co_await both->server.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    co_await both->client.read();
    EXPECT_THROW(co_await both->client.write(request()), misuse);
  });
  ASSERT_EQ(world.verdicts().size(), 2U);
  EXPECT_EQ(world.verdicts().front().message, "an answer was awaited on a connection without a request that has none");
  EXPECT_EQ(world.verdicts().back().message, "a request was written to a connection that has failed, or has ended");
}

}  // namespace
}  // namespace lockstep::http
