#include <lockstep/http/reply.hpp>

#include "../net/in_both_worlds.hpp"

#include <chrono>
#include <vector>

namespace lockstep::http::detail {
namespace {

using namespace std::chrono_literals;

struct piece_of_answer {
  duration at;
  std::string text;

  friend bool operator==(const piece_of_answer&, const piece_of_answer&) = default;
  friend std::ostream& operator<<(std::ostream& out, const piece_of_answer& shown) {
    return out << to_text(shown.at) << " " << shown.text;
  }
};

// What the peer of a conversation gets for one request, piece by piece; "reset" at the end if that is how it ended.
task<std::vector<piece_of_answer>> pieces_of(reply how) {
  lockstep::connection ends = co_await connected_pair();
  event stopping;
  const auto reset = [](lockstep::detail::stream_socket& which) { static_cast<tcp_stream&>(which).reset(); };
  const replier answer = [how](request) -> task<reply> {
    reply copy = how;
    co_return copy;
  };
  auto talking = spawn(co_invoke([&]() -> task<void> {
    co_await converse({ends.server, reset, {}, 60s, 1s, stopping}, answer, source::current());
    ends.server.close();
  }));
  co_await ends.client.write("GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
  std::vector<piece_of_answer> come;
  const time_point began = now();
  for (;;) {
    const result<std::string> piece = co_await as_result(read_piece(ends.client));
    if (!piece) come.push_back({now() - began, "reset"});
    if (!piece || piece.value().empty()) break;
    come.push_back({now() - began, piece.value()});
  }
  ends.client.close();
  co_await talking.join();
  co_return come;
}

std::vector<piece_of_answer> simulated_pieces_of(reply how) {
  sim::world world;
  std::vector<piece_of_answer> come = world.run(pieces_of(std::move(how)));
  for (const verdict& each : world.verdicts()) ADD_FAILURE() << each.message;
  return come;
}

using testing::ElementsAre;
const std::string header = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n";

TEST(HttpReplyTest, ComesAtOnceOrLater) {
  reply how;
  how.answer.body = "abcdef";
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre(piece_of_answer{0s, header + "abcdef"}));
  how.delay = 3s;
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre(piece_of_answer{3s, header + "abcdef"}));
}

TEST(HttpReplyTest, ComesInPieces) {
  reply how;
  how.answer.body = "abcdef";
  how.piece_bytes = 4;
  how.gap = 2s;
  EXPECT_THAT(simulated_pieces_of(how),
              ElementsAre(piece_of_answer{0s, header}, piece_of_answer{2s, "abcd"}, piece_of_answer{4s, "ef"}));
}

TEST(HttpReplyTest, EndsEarly) {
  reply how;
  how.answer.body = "abcdef";
  how.sent_bytes_max = 2;
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre(piece_of_answer{0s, header + "ab"}));
  how.then = reply::ending::reset;
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre(piece_of_answer{0s, header + "ab"}, piece_of_answer{0s, "reset"}));
}

TEST(HttpReplyTest, SaysNothingOrNonsense) {
  reply how;
  how.says_nothing = true;
  how.then = reply::ending::close;
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre());
  how.then = reply::ending::reset;
  EXPECT_THAT(simulated_pieces_of(how), ElementsAre(piece_of_answer{0s, "reset"}));
  reply nonsense;
  nonsense.instead = "HTTP/9.9 ?";
  EXPECT_THAT(simulated_pieces_of(nonsense), ElementsAre(piece_of_answer{0s, "HTTP/9.9 ?"}));
}

TEST(HttpReplyTest, IsMadeOfAResponse) {
  sim::world world;
  world.run([]() -> task<void> {
    const replier made = replies_of([](request what) -> task<response> { co_return response{201, what.target}; });
    const request asked{"GET", "/x"};
    const reply come = co_await made(asked);
    EXPECT_EQ(come.answer, (response{201, "/x"}));
  });
}

}  // namespace
}  // namespace lockstep::http::detail
