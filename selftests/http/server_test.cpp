#include <lockstep/http/server.hpp>

#include "simulated.hpp"

#include <lockstep/http/client.hpp>
#include <lockstep/net/unix.hpp>

#include <chrono>
#include <stdexcept>

namespace lockstep::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

task<response> echoing(request what) {
  response answer{200, what.method + " " + what.target + " " + what.body};
  if (what.path() == "/fail") throw std::runtime_error("no such luck");
  if (what.path() == "/slow") co_await sleep_for(10s);
  if (what.path() == "/last") answer.headers.add("Connection", "close");
  if (what.path() == "/chunked") answer.headers.add("Transfer-Encoding", "chunked");
  co_return answer;
}

// All that comes in answer to these bytes, to the end.
task<std::string> raw(endpoint at, std::string bytes) {
  tcp_stream to = co_await connect_tcp(at);
  co_await to.write(bytes);
  std::string all;
  for (;;) {
    const std::string piece = co_await read_piece(to);
    if (piece.empty()) co_return all;
    all += piece;
  }
}

// A server while the body runs.
template <class F>
task<void> serving(server_options how, F body) {
  server web(how);
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  auto running = spawn(web.run(std::move(listener), echoing), "web");
  co_await body(web, at);
  web.stop();
  co_await running.join();
}

task<void> answers_in_order() {
  co_await serving({}, [](server& web, endpoint at) -> task<void> {
    const std::string come =
        co_await raw(at,
                     "GET /1 HTTP/1.1\r\nHost: web\r\n\r\n"
                     "POST /2 HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
                     "HEAD /3 HTTP/1.1\r\nHost: web\r\n\r\nGET /chunked HTTP/1.1\r\nHost: web\r\n\r\n"
                     "GET /last HTTP/1.1\r\nHost: web\r\n\r\nGET /never HTTP/1.1\r\nHost: web\r\n\r\n");
    EXPECT_EQ(come,
              "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nGET /1 "
              "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nPOST /2 abc"
              "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nGET /chunked \r\n0\r\n\r\n"
              "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nGET /last ");
    co_await settle();
    EXPECT_FALSE(web.stopped());
  });
}

TEST(HttpServerTest, AnswersInTheOrderOfTheRequests) {
  run_in_both_worlds(answers_in_order);
  run_in_random_orders(answers_in_order);
}

task<void> speaks_the_old_version() {
  co_await serving({}, [](server&, endpoint at) -> task<void> {
    EXPECT_EQ(co_await raw(at, "GET /chunked HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nGET /chunked ");
    EXPECT_EQ(co_await raw(at, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\nGET /1 "
              "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /2 ");
  });
}

TEST(HttpServerTest, SpeaksTheOldVersion) { run_in_both_worlds(speaks_the_old_version); }

task<void> asks_for_the_body() {
  co_await serving({}, [](server&, endpoint at) -> task<void> {
    tcp_stream to = co_await connect_tcp(at);
    co_await to.write("POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_EQ(co_await read_bytes(to, go_on.size()), go_on);
    co_await to.write("ab");
    EXPECT_THAT(co_await read_piece(to), testing::EndsWith("POST / ab"));
    co_await to.write("POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\ncd");
    EXPECT_THAT(co_await read_piece(to), testing::StartsWith("HTTP/1.1 200"));
  });
}

TEST(HttpServerTest, AsksForABodyThatWaits) { run_in_both_worlds(asks_for_the_body); }

task<void> refuses() {
  server_options how;
  how.limits = {200, 10};
  co_await serving(how, [](server&, endpoint at) -> task<void> {
    EXPECT_EQ(co_await raw(at, "nonsense\r\n\r\n"),
              "HTTP/1.1 400 Bad Request\r\nContent-Length: 47\r\nConnection: close\r\n\r\n"
              "what came is no HTTP: bad method, in \"nonsense\"");
    EXPECT_EQ(co_await raw(at, "GET / HTTP/1.1\r\n\r\n"),
              "HTTP/1.1 400 Bad Request\r\nContent-Length: 58\r\nConnection: close\r\n\r\n"
              "a request has one header field Host, and this one has none");
    EXPECT_THAT(co_await raw(at, "GET / HTTP/1.1\r\nHost: web\r\nhost: web\r\n\r\n"), HasSubstr("and this one has 2"));
    EXPECT_THAT(co_await raw(at, "POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
                testing::StartsWith("HTTP/1.1 501 Not Implemented\r\n"));
    EXPECT_THAT(co_await raw(at, "GET / HTTP/1.1\r\nHost: web\r\nX: " + std::string(300, 'x')),
                testing::StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    // Much of it is on its way still when it is refused, which must not cost the answer.
    EXPECT_THAT(
        co_await raw(at, "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')),
        HasSubstr("the body is longer than 10 bytes"));
  });
}

TEST(HttpServerTest, RefusesWhatIsNoRequestOrTooLong) { run_in_both_worlds(refuses); }

TEST(HttpServerTest, WaitsForNoRequestForEver) {
  simulate([] {
    server_options how;
    how.idle_limit = 5s;
    return serving(how, [](server& web, endpoint at) -> task<void> {
      EXPECT_EQ(co_await raw(at, ""), "");
      EXPECT_EQ(now(), time_point(5s));
      EXPECT_THAT(co_await raw(at, "GET / HT"), testing::StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
      EXPECT_EQ(now(), time_point(10s));
      co_await settle();
      EXPECT_EQ(web.connections(), 0U);
    });
  });
}

TEST(HttpServerTest, StopsGracefully) {
  simulate([]() -> task<void> {
    server web;
    tcp_listener listener = listener_on_loopback();
    const std::string at = "http://" + listener.local().text();
    auto running = spawn(web.run(std::move(listener), echoing), "web");
    client idle;
    co_await idle.get(at + "/");
    auto slow = spawn(fetch(at + "/slow"));
    client keeping;
    auto kept = spawn(keeping.get(at + "/slow"));
    co_await sleep_for(1s);
    EXPECT_EQ(web.connections(), 3U);
    web.stop();
    co_await settle();
    EXPECT_EQ(web.connections(), 2U);
    EXPECT_EQ((co_await slow.join()).status, 200U);
    const response last = co_await kept.join();
    EXPECT_TRUE(last.headers.lists("Connection", "close"));
    EXPECT_EQ(keeping.idle_connections(), 0U);
    co_await running.join();
    EXPECT_EQ(now(), time_point(10s));
  });
}

TEST(HttpServerTest, StopsAtOnceIfItIsTold) {
  simulate([]() -> task<void> {
    server web;
    tcp_listener listener = listener_on_loopback();
    const std::string at = "http://" + listener.local().text();
    auto running = spawn(web.run(std::move(listener), echoing), "web");
    auto slow = spawn(fetch(at + "/slow"));
    co_await sleep_for(1s);
    web.stop_now();
    co_await running.join();
    EXPECT_EQ(error_of(co_await as_result(slow.join())), ECONNRESET);
    EXPECT_EQ(now(), time_point(1s));
  });
}

TEST(HttpServerTest, TellsOfAHandlerThatFails) {
  sim::world world;
  world.run([]() -> task<void> {
    co_await serving({}, [](server&, endpoint at) -> task<void> {
      client one;
      EXPECT_EQ((co_await one.get("http://" + at.text() + "/fail")).status, 500U);
      EXPECT_EQ((co_await one.get("http://" + at.text() + "/")).status, 200U);
    });
  });
  ASSERT_EQ(world.verdicts().size(), 1U);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::unhandled_exception);
  EXPECT_THAT(world.verdicts().front().message, testing::AllOf(HasSubstr("HTTP"), HasSubstr("no such luck")));
}

task<void> serves_unix() {
  server web;
  auto running = spawn(web.run(unix_listener::bind(unix_address::abstract("lockstep http")), echoing), "web");
  unix_stream to = connect_unix(unix_address::abstract("lockstep http"));
  co_await to.write("GET /last HTTP/1.1\r\nHost: web\r\n\r\n");
  std::string come(9, '?');
  co_await to.read_exactly(come);
  EXPECT_EQ(come, "HTTP/1.1 ");
  to.close();
  web.stop();
  co_await running.join();
}

TEST(HttpServerTest, ServesUnixSocketsToo) { run_in_both_worlds(serves_unix); }

}  // namespace
}  // namespace lockstep::http
