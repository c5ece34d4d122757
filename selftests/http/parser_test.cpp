#include <lockstep/http/parser.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::http::detail {
namespace {

// Gives it the bytes in pieces of that size. Returns how many it took.
std::size_t feed(message_parser& parser, const std::string& bytes, std::size_t piece) {
  std::size_t taken = 0;
  for (std::size_t come = 0; come < bytes.size() && !parser.is_done();) {
    come = std::min(come + piece, bytes.size());
    taken += parser.take(std::string_view(bytes).substr(taken, come - taken));
  }
  return taken;
}

// What it throws: "malformed: what came is no HTTP: ...".
template <class F>
std::string error_of(const F& call) {
  try {
    call();
  } catch (const protocol_error& error) {
    constexpr const char* names[] = {"malformed", "header", "body", "early"};
    return std::string(names[static_cast<int>(error.fault())]) + ": " + error.what();
  }
  return "none";
}

const std::string post = "POST /orders?x HTTP/1.1\r\nHost: web\r\nX: \t1 \r\ncontent-length: 5\r\n\r\nhello";

TEST(HttpParserTest, TakesARequestInPiecesOfAnySize) {
  const std::string next = "GET / HT";
  for (std::size_t piece = 1; piece <= post.size() + 3; ++piece) {
    const auto parser = message_parser::of_request({});
    EXPECT_EQ(feed(*parser, post + next, piece), post.size()) << piece;
    ASSERT_TRUE(parser->is_done());
    EXPECT_TRUE(parser->keeps_alive());
    EXPECT_EQ(parser->version(), 11U);
    const request come = parser->take_request();
    EXPECT_EQ(come, (request{"POST", "/orders?x", "hello", {{"Host", "web"}, {"X", "1"}, {"content-length", "5"}}}));
  }
}

TEST(HttpParserTest, PutsChunksTogether) {
  const std::string text =
      "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\none\r\nA\r\n two three\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto parser = message_parser::of_response({}, "GET");
    EXPECT_EQ(feed(*parser, text, piece), text.size());
    ASSERT_TRUE(parser->is_done());
    EXPECT_EQ(parser->take_response(), (response{200, "one two three", {{"Transfer-Encoding", "chunked"}}, "Fine"}));
  }
}

TEST(HttpParserTest, KnowsHowLongABodyIs) {
  const auto to_head = message_parser::of_response({}, "HEAD");
  feed(*to_head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 100);
  EXPECT_TRUE(to_head->is_done());
  const auto empty = message_parser::of_response({}, "GET");
  feed(*empty, "HTTP/1.1 204 No Content\r\n\r\n", 100);
  EXPECT_TRUE(empty->is_done());
  const auto to_the_end = message_parser::of_response({}, "GET");
  feed(*to_the_end, "HTTP/1.1 200 OK\r\n\r\nwhat ", 3);
  EXPECT_TRUE(to_the_end->header_is_done());
  EXPECT_FALSE(to_the_end->keeps_alive());
  to_the_end->take("comes");
  EXPECT_FALSE(to_the_end->is_done());
  to_the_end->end({});
  EXPECT_TRUE(to_the_end->is_done());
  EXPECT_EQ(to_the_end->take_response().body, "what comes");
}

TEST(HttpParserTest, KnowsWhetherAnotherMayFollow) {
  const auto keeps_alive = [](const std::string& version, const std::string& fields) {
    const auto parser = message_parser::of_request({});
    feed(*parser, "GET / HTTP/" + version + "\r\n" + fields + "\r\n", 100);
    return parser->keeps_alive();
  };
  EXPECT_TRUE(keeps_alive("1.1", ""));
  EXPECT_FALSE(keeps_alive("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps_alive("1.0", ""));
  EXPECT_TRUE(keeps_alive("1.0", "Connection: keep-alive\r\n"));
}

TEST(HttpParserTest, SaysWhatIsWrong) {
  const auto of_response = [](const std::string& text, message_limits limits = {}) {
    return error_of([&] { feed(*message_parser::of_response(limits, "GET"), text, 1'000); });
  };
  EXPECT_EQ(of_response("SSH-2.0-OpenSSH_9.2 \x01\r\n"),
            "malformed: what came is no HTTP: bad version, in \"SSH-2.0-OpenSSH_9.2 ?\"");
  EXPECT_EQ(of_response("HTTP/1.1 2x0 OK\r\n\r\n"),
            "malformed: what came is no HTTP: bad status, in \"HTTP/1.1 2x0 OK\"");
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            "malformed: what came is no HTTP: bad Content-Length, in \"Content-Length: x\"");
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            "malformed: what came is no HTTP: bad chunk, in \"xyz\"");
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x'), {100, 100}),
            "header: the header is longer than 100 bytes");
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", {100, 100}),
            "body: the body is longer than 100 bytes");
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x'), {100, 100}),
            "body: the body is longer than 100 bytes");
}

TEST(HttpParserTest, SaysWhatIsMissing) {
  const auto cut = [](const std::string& text) {
    return error_of([&] {
      const auto parser = message_parser::of_response({}, "GET");
      const std::size_t taken = feed(*parser, text, 1'000);
      parser->end(std::string_view(text).substr(taken));
    });
  };
  EXPECT_EQ(cut("HTTP/1.1 200 OK\r\nX"), "early: the connection ended within a header, behind \"X\"");
  EXPECT_EQ(cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            "early: the connection ended after 3 of 10 bytes of the body");
  EXPECT_EQ(cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "early: the connection ended within a body in chunks, after 2 bytes of it");
}

// What makes two programs disagree about where a request ends.
TEST(HttpParserTest, RefusesTwoLengths) {
  const auto refuses = [](const std::string& fields) {
    return error_of([&] {
             feed(*message_parser::of_request({}), "POST / HTTP/1.1\r\n" + fields + "\r\n0\r\n\r\n", 1'000);
           }) != "none";
  };
  EXPECT_TRUE(refuses("Content-Length: 5\r\nContent-Length: 6\r\n"));
  EXPECT_TRUE(refuses("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(refuses("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"));
}

}  // namespace
}  // namespace lockstep::http::detail
