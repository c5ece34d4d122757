#include <lockstep/http/wire.hpp>

#include "../net/in_both_worlds.hpp"

#include <chrono>

namespace lockstep::http::detail {
namespace {

using namespace std::chrono_literals;

std::string joined(const message_text& text) { return text.header + text.body; }

TEST(HttpWireTest, WritesRequests) {
  EXPECT_EQ(joined(text_of(request{}, "web:81")), "GET / HTTP/1.1\r\nHost: web:81\r\n\r\n");
  EXPECT_EQ(joined(text_of(request{"POST", "/x", "ab", {{"X", "1"}, {"host", "other"}}}, "web")),
            "POST /x HTTP/1.1\r\nX: 1\r\nhost: other\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(joined(text_of(request{"POST", "/"}, "web")), "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(joined(text_of(request{"PUT", "/", "ab", {{"Transfer-Encoding", "chunked"}}}, "web")),
            "PUT / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
}

TEST(HttpWireTest, WritesResponses) {
  EXPECT_EQ(joined(text_of(response{200, "ab"}, {})), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(joined(text_of(response{299, {}, {{"X", "1"}}, "Odd"}, {})),
            "HTTP/1.1 299 Odd\r\nX: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(joined(text_of(response{204}, {})), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(joined(text_of(response{200, "ab"}, {.to_head = true})), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(joined(text_of(response{200, "ab"}, {.keeps_alive = false})),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab");
  EXPECT_EQ(joined(text_of(response{200, "ab"}, {.version = 10})),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab");
  const response chunked{200, "abcde", {{"Transfer-Encoding", "chunked"}}};
  EXPECT_EQ(joined(text_of(chunked, {.chunk_bytes = 2})),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n");
  EXPECT_EQ(joined(text_of(chunked, {.version = 10, .keeps_alive = false})),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde");
  // A lie stays one.
  EXPECT_EQ(joined(text_of(response{200, "ab", {{"Content-Length", "9"}}}, {})),
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
}

// Reads two messages that come in pieces, with a limit of time that ends in most of them.
task<void> reads_in_pieces() {
  lockstep::connection ends = co_await connected_pair();
  const std::string first = "POST /1 HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\n\r\nabc";
  const std::string second = "GET /2 HTTP/1.1\r\nHost: web\r\n\r\n";
  auto writing = spawn(co_invoke([&]() -> task<void> {
    const std::string all = first + second;
    for (std::size_t at = 0; at < all.size(); at += 7) {
      co_await ends.client.write(all.substr(at, 7));
      co_await settle();
    }
    ends.client.shutdown_write();
  }));
  message_reader from(ends.server, {});
  EXPECT_FALSE(from.has_begun());
  for (;;) {
    const result<bool> come = co_await as_result(with_timeout(1ns, from.read_request_header()));
    if (come) break;
  }
  EXPECT_TRUE(co_await from.read_request_header());
  EXPECT_TRUE(from.has_begun());
  co_await from.read_body();
  EXPECT_EQ(from.take_request().body, "abc");
  EXPECT_TRUE(co_await from.read_request_header());
  co_await from.read_body();
  EXPECT_EQ(from.take_request().target, "/2");
  EXPECT_FALSE(co_await from.read_request_header());
  EXPECT_TRUE(from.at_end());
  co_await writing.join();
}

TEST(HttpWireTest, ReadsOneMessageAfterTheOther) { run_in_both_worlds(reads_in_pieces); }

}  // namespace
}  // namespace lockstep::http::detail
