// HTTP and WebSockets of Boost.Beast, unmodified, over our streams.
#include "../net/in_both_worlds.hpp"

#include <lockstep/adapters/asio.hpp>
#include <lockstep/adapters/asio_stream.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace lockstep {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using namespace std::chrono_literals;
using boost::system::error_code;
using plain_stream = asio_stream<tcp_stream>;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

constexpr auto as_outcome = asio::as_tuple(use_task);

// -- HTTP -------------------------------------------------------------------------------------------------------------

// Answers each request with its target and its body, in chunks if that came in chunks, until the client ends.
task<void> answer_requests(tcp_stream accepted) {
  plain_stream peer(std::move(accepted));
  beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    const auto [no_header, header_bytes] = co_await http::async_read_header(peer, buffer, parser, as_outcome);
    if (no_header == http::error::end_of_stream) co_return;
    if (no_header) throw boost::system::system_error(no_header);
    if (parser.get()[http::field::expect] == "100-continue") {
      http::response<http::empty_body> go_on(http::status::continue_, 11);
      co_await http::async_write(peer, go_on, use_task);
    }
    co_await http::async_read(peer, buffer, parser, use_task);
    response answer(http::status::ok, 11);
    answer.body() = std::string(parser.get().target()) + ' ' + parser.get().body();
    if (parser.chunked()) {
      answer.chunked(true);
    } else {
      answer.prepare_payload();
    }
    co_await http::async_write(peer, answer, use_task);
  }
}

task<void> answer_clients(tcp_listener at) { co_await serve(std::move(at), answer_requests); }

request asks(const std::string& target, std::string body, bool chunked = false) {
  request made(http::verb::post, target, 11);
  made.set(http::field::host, "web");
  made.body() = std::move(body);
  if (chunked) {
    made.chunked(true);
  } else {
    made.prepare_payload();
  }
  return made;
}

task<std::string> read_answer(plain_stream& from, beast::flat_buffer& buffer) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read(from, buffer, parser, use_task);
  co_return std::move(parser.get().body());
}

task<std::string> exchange(plain_stream& with, request asked) {
  beast::flat_buffer buffer;
  co_await http::async_write(with, asked, use_task);
  co_return co_await read_answer(with, buffer);
}

task<void> pipelines() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  spawn_daemon(answer_clients(std::move(listener)), "web");
  plain_stream web(co_await connect_tcp(at));
  for (const char* target : {"/1", "/2", "/3"}) {
    request asked = asks(target, "x");
    co_await http::async_write(web, asked, use_task);
  }
  beast::flat_buffer buffer;
  EXPECT_EQ(co_await read_answer(web, buffer), "/1 x");
  EXPECT_EQ(co_await read_answer(web, buffer), "/2 x");
  EXPECT_EQ(co_await read_answer(web, buffer), "/3 x");
}

TEST(BeastHttpTest, RequestsArePipelined) {
  run_in_both_worlds(pipelines);
  run_in_random_orders(pipelines, 10);
}

task<void> carries_megabytes() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  spawn_daemon(answer_clients(std::move(listener)), "web");
  plain_stream web(co_await connect_tcp(at));
  const std::string body(2'000'000, 'b');
  EXPECT_EQ(co_await exchange(web, asks("/", body)), "/ " + body);
}

TEST(BeastHttpTest, BodiesOfMegabytesGetThrough) { run_in_both_worlds(carries_megabytes); }

const endpoint web_at = "10.0.0.2:80";

// The server on a host of its own.
sim::link& far_away() {
  world()
      .host("web", "10.0.0.2")
      .spawn_daemon([]() -> task<void> { co_await answer_clients(tcp_listener::bind(web_at)); }(), "web");
  return world().link("client", "web").latency(10ms);
}

CO_TEST(BeastHttpTest, ChunksComeByteByByte) {
  far_away().segments(1);
  plain_stream web(co_await connect_tcp(web_at));
  EXPECT_EQ(co_await exchange(web, asks("/a", "one by one", true)), "/a one by one");
  EXPECT_EQ(now().time_since_epoch() / 1ms, 40);
}

CO_TEST(BeastHttpTest, ABodyIsSentWhenTheServerSaysGoOn) {
  far_away();
  plain_stream web(co_await connect_tcp(web_at));
  request asked = asks("/large", "body");
  asked.set(http::field::expect, "100-continue");
  http::request_serializer<http::string_body> to_send(asked);
  co_await http::async_write_header(web, to_send, use_task);
  beast::flat_buffer buffer;
  http::response<http::empty_body> go_on;
  co_await http::async_read(web, buffer, go_on, use_task);
  EXPECT_EQ(go_on.result(), http::status::continue_);
  EXPECT_EQ(now().time_since_epoch(), 40ms);
  co_await http::async_write(web, to_send, use_task);
  EXPECT_EQ(co_await read_answer(web, buffer), "/large body");
  EXPECT_EQ(now().time_since_epoch(), 60ms);
}

CO_TEST(BeastHttpTest, APartitionInMidBodyIsADelay) {
  far_away().bandwidth(1'000'000);
  plain_stream web(co_await connect_tcp(web_at));
  const std::string body(100'000, 'b');
  auto answer = spawn(exchange(web, asks("/", body)));
  co_await sleep_for(50ms);
  {
    const partition cut("client", "web");
    co_await sleep_for(10s);
    EXPECT_FALSE(answer.done());
  }
  EXPECT_EQ(co_await answer.join(), "/ " + body);
}

CO_TEST(BeastHttpTest, ATimeoutOnVirtualTimeCancels) {
  far_away();
  plain_stream web(co_await connect_tcp(web_at));
  beast::flat_buffer buffer;
  const time_point begun = now();
  EXPECT_THROW(co_await with_timeout(1h, read_answer(web, buffer)), timed_out);
  EXPECT_EQ(now() - begun, 1h);
  EXPECT_EQ(co_await exchange(web, asks("/after", "")), "/after ") << "no byte was lost";
}

CO_TEST(BeastHttpTest, AConnectionThatIsResetIsAnError) {
  far_away();
  auto reset = world().link("client", "web").reset_after(80);
  plain_stream web(co_await connect_tcp(web_at));
  error_code thrown;
  try {
    co_await exchange(web, asks("/", std::string(200, 'b')));
  } catch (const boost::system::system_error& error) {
    thrown = error.code();
  }
  EXPECT_EQ(thrown, asio::error::connection_reset);
}

// -- an exploration ---------------------------------------------------------------------------------------------------

// Every order in which two clients are answered.
task<void> answer_one(tcp_stream accepted, int& visits) {
  plain_stream peer(std::move(accepted));
  beast::flat_buffer buffer;
  request asked;
  co_await http::async_read(peer, buffer, asked, use_task);
  response answer(http::status::ok, 11);
  answer.body() = std::to_string(++visits);
  answer.prepare_payload();
  co_await http::async_write(peer, answer, use_task);
}

task<int> visit(endpoint at) {
  plain_stream web(co_await connect_tcp(at));
  co_return std::stoi(co_await exchange(web, asks("/", "")));
}

CO_TEST(BeastHttpTest, IsExplored, explore(100)) {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  int visits = 0;
  auto one = spawn(visit(at));
  auto other = spawn(visit(at));
  tcp_stream first = co_await listener.accept();
  tcp_stream second = co_await listener.accept();
  co_await when_all(answer_one(std::move(first), visits), answer_one(std::move(second), visits));
  EXPECT_EQ(co_await one.join() + co_await other.join(), 3);
}

// -- WebSockets -------------------------------------------------------------------------------------------------------

using socket = websocket::stream<plain_stream>;

// Sends back what it gets, as text or binary as that was, until it is closed. Returns what ended it.
task<error_code> echo(tcp_stream accepted) {
  socket peer(plain_stream(std::move(accepted)));
  co_await peer.async_accept(use_task);
  for (;;) {
    beast::flat_buffer buffer;
    const auto [error, bytes] = co_await peer.async_read(buffer, as_outcome);
    if (error) co_return error;
    peer.text(peer.got_text());
    co_await peer.async_write(buffer.data(), use_task);
  }
}

task<std::string> read_message(socket& from) {
  beast::flat_buffer buffer;
  co_await from.async_read(buffer, use_task);
  co_return beast::buffers_to_string(buffer.data());
}

task<void> talks_over(socket& web) {
  co_await web.async_handshake("web", "/", use_task);
  web.text(true);
  co_await web.async_write(asio::buffer("text", 4), use_task);
  EXPECT_EQ(co_await read_message(web), "text");
  EXPECT_TRUE(web.got_text());
  web.binary(true);
  co_await web.async_write_some(false, asio::buffer("frag", 4), use_task);
  co_await web.async_write_some(false, asio::buffer("men", 3), use_task);
  co_await web.async_write_some(true, asio::buffer("ted", 3), use_task);
  EXPECT_EQ(co_await read_message(web), "fragmented");
  EXPECT_TRUE(web.got_binary());
  std::string control;
  std::function<void(websocket::frame_type, beast::string_view)> on_control = [&control](websocket::frame_type type,
                                                                                         beast::string_view payload) {
    control += type == websocket::frame_type::pong ? "pong " : "other ";
    control += payload;
  };
  web.control_callback(on_control);
  co_await web.async_ping("are you there", use_task);
  co_await web.async_write(asio::buffer("more", 4), use_task);
  EXPECT_EQ(co_await read_message(web), "more");
  EXPECT_EQ(control, "pong are you there");
  web.control_callback();
  co_await web.async_close({websocket::close_code::going_away, "bye"}, use_task);
  EXPECT_FALSE(web.is_open());
}

task<void> talks() {
  auto [client, server] = co_await connected_pair();
  auto peer = spawn(echo(std::move(server)), "web");
  socket web(plain_stream(std::move(client)));
  co_await talks_over(web);
  EXPECT_EQ(co_await peer.join(), websocket::error::closed);
}

TEST(BeastWebsocketTest, TalksAndCloses) {
  run_in_both_worlds(talks);
  run_in_random_orders(talks, 10);
}

// The server, on a host of its own, which is asked for one connection.
task<join_handle<error_code>> echo_far_away(socket*& web) {
  auto peer = world()
                  .host("web", "10.0.0.2")
                  .spawn(
                      []() -> task<error_code> {
                        tcp_listener listener = tcp_listener::bind(web_at);
                        co_return co_await echo(co_await listener.accept());
                      }(),
                      "web");
  world().link("client", "web").latency(10ms);
  web = new socket(plain_stream(co_await connect_tcp(web_at)));
  co_return peer;
}

CO_TEST(BeastWebsocketTest, TalksByteByByte) {
  socket* made = nullptr;
  auto peer = co_await echo_far_away(made);
  const std::unique_ptr<socket> web(made);
  world().link("client", "web").segments(1);
  co_await talks_over(*web);
  EXPECT_EQ(co_await peer.join(), websocket::error::closed);
}

task<void> learns_why_it_was_closed() {
  auto [client, server] = co_await connected_pair();
  socket web(plain_stream(std::move(client)));
  socket peer(plain_stream(std::move(server)));
  const auto accepts = [](socket& at) -> task<void> {
    co_await at.async_accept(use_task);
    co_await at.async_close({websocket::close_code::try_again_later, "busy"}, use_task);
  };
  auto closing = spawn(accepts(peer));
  co_await web.async_handshake("web", "/", use_task);
  beast::flat_buffer buffer;
  const auto [error, bytes] = co_await web.async_read(buffer, as_outcome);
  EXPECT_EQ(error, websocket::error::closed);
  EXPECT_EQ(web.reason().code, websocket::close_code::try_again_later);
  EXPECT_EQ(web.reason().reason, "busy");
  co_await closing.join();
}

TEST(BeastWebsocketTest, LearnsWhyItWasClosed) { run_in_both_worlds(learns_why_it_was_closed); }

task<void> ends_abnormally() {
  for (const bool by_reset : {true, false}) {
    auto [client, server] = co_await connected_pair();
    auto peer = spawn(echo(std::move(server)), "web");
    socket web(plain_stream(std::move(client)));
    co_await web.async_handshake("web", "/", use_task);
    if (by_reset) {
      web.next_layer().stream().reset();
    } else {
      web.next_layer().close();
    }
    EXPECT_EQ(co_await peer.join(), by_reset ? asio::error::connection_reset : error_code(asio::error::eof));
  }
}

TEST(BeastWebsocketTest, EndsWithTheConnection) { run_in_both_worlds(ends_abnormally); }

// One task reads while another writes and pings.
CO_TEST(BeastWebsocketTest, IsReadAndWrittenAtOnce) {
  socket* made = nullptr;
  auto peer = co_await echo_far_away(made);
  const std::unique_ptr<socket> web(made);
  co_await web->async_handshake("web", "/", use_task);
  const auto reads = [](socket& from) -> task<std::string> {
    std::string all;
    for (int i = 0; i < 5; ++i) all += co_await read_message(from);
    co_return all;
  };
  const auto writes = [](socket& to) -> task<void> {
    for (const char* each : {"1", "2", "3", "4", "5"}) co_await to.async_write(asio::buffer(each, 1), use_task);
  };
  auto reader = spawn(reads(*web));
  auto writer = spawn(writes(*web));
  auto pinger = spawn([](socket& to) -> task<void> { co_await to.async_ping("", use_task); }(*web));
  co_await writer.join();
  co_await pinger.join();
  EXPECT_EQ(co_await reader.join(), "12345");
  co_await web->async_close(websocket::close_code::normal, use_task);
  EXPECT_EQ(co_await peer.join(), websocket::error::closed);
}

CO_TEST(BeastWebsocketTest, ATimeoutOnVirtualTimeCancels) {
  socket* made = nullptr;
  auto peer = co_await echo_far_away(made);
  const std::unique_ptr<socket> web(made);
  co_await web->async_handshake("web", "/", use_task);
  const time_point begun = now();
  EXPECT_THROW(co_await with_timeout(1h, read_message(*web)), timed_out);
  EXPECT_EQ(now() - begun, 1h);
  web->next_layer().close();
  EXPECT_EQ(co_await peer.join(), asio::error::eof);
}

}  // namespace
}  // namespace lockstep
