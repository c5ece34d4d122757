// TLS of asio::ssl, unmodified, over our streams. OpenSSL's own randomness is in what is sent, not in how much that is.
#include "../net/in_both_worlds.hpp"
#include "tls_identity.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <memory>
#include <string>
#include <tuple>

namespace lockstep {
namespace {

namespace http = boost::beast::http;
using namespace std::chrono_literals;
using boost::system::error_code;

constexpr auto as_outcome = asio::as_tuple(use_task);

// The two ends of a connection, before the handshake.
struct tls_pair {
  ssl::context client_context;
  ssl::context server_context = for_server();
  tls_stream client;
  tls_stream server;

  tls_pair(tcp_stream near, tcp_stream far, bool trusting)
      : client_context(for_client(trusting)), client(asio_stream(std::move(near)), client_context),
        server(asio_stream(std::move(far)), server_context) {
    client.set_verify_callback(ssl::host_name_verification("web"));
  }
};

task<std::unique_ptr<tls_pair>> tls_over_loopback(bool trusting = true) {
  auto [client, server] = co_await connected_pair();
  co_return std::make_unique<tls_pair>(std::move(client), std::move(server), trusting);
}

// What the handshake of one end comes to.
task<error_code> shake_hands(tls_stream& at, ssl::stream_base::handshake_type as) {
  const auto [error] = co_await at.async_handshake(as, as_outcome);
  co_return error;
}

task<std::unique_ptr<tls_pair>> joined_by_tls() {
  std::unique_ptr<tls_pair> both = co_await tls_over_loopback();
  auto served = spawn(shake_hands(both->server, ssl::stream_base::server));
  EXPECT_EQ(co_await shake_hands(both->client, ssl::stream_base::client), error_code());
  EXPECT_EQ(co_await served.join(), error_code());
  co_return both;
}

task<std::string> read_text(tls_stream& from, std::size_t size) {
  std::string text(size, '?');
  co_await asio::async_read(from, asio::buffer(text), use_task);
  co_return text;
}

task<error_code> read_error(tls_stream& from) {
  char byte = '?';
  const auto [error, count] = co_await from.async_read_some(asio::buffer(&byte, 1), as_outcome);
  co_return error;
}

task<error_code> end_tls(tls_stream& at) {
  const auto [error] = co_await at.async_shutdown(as_outcome);
  co_return error;
}

task<void> carries_data() {
  const std::unique_ptr<tls_pair> both = co_await joined_by_tls();
  co_await asio::async_write(both->client, asio::buffer("hello", 5), use_task);
  EXPECT_EQ(co_await read_text(both->server, 5), "hello");
  auto ending = spawn(end_tls(both->client));
  EXPECT_EQ(co_await read_error(both->server), asio::error::eof) << "close_notify";
  EXPECT_EQ(co_await end_tls(both->server), error_code());
  EXPECT_EQ(co_await ending.join(), error_code());
}

TEST(TlsTest, CarriesDataAndEndsWithCloseNotify) {
  run_in_both_worlds(carries_data);
  run_in_random_orders(carries_data, 5);
}

task<void> is_truncated() {
  const std::unique_ptr<tls_pair> both = co_await joined_by_tls();
  both->client.next_layer().stream().shutdown_write();
  EXPECT_EQ(co_await read_error(both->server), ssl::error::stream_truncated);
}

TEST(TlsTest, AnEndWithoutCloseNotifyIsAnError) { run_in_both_worlds(is_truncated); }

task<void> is_not_trusted() {
  const std::unique_ptr<tls_pair> both = co_await tls_over_loopback(false);
  auto served = spawn(shake_hands(both->server, ssl::stream_base::server));
  const error_code refused = co_await shake_hands(both->client, ssl::stream_base::client);
  EXPECT_EQ(refused.category(), asio::error::get_ssl_category());
  EXPECT_THAT(refused.message(), testing::HasSubstr("certificate verify failed"));
  EXPECT_THAT((co_await served.join()).message(), testing::HasSubstr("alert unknown ca"));
}

TEST(TlsTest, AnUntrustedCertificateIsRefused) { run_in_both_worlds(is_not_trusted); }

// Each direction of a stream needs the other now and then, and waits for it with timers of Asio's.
task<void> is_used_in_both_directions() {
  const std::unique_ptr<tls_pair> both = co_await joined_by_tls();
  const std::string large(300'000, 'x');
  const auto sends = [](tls_stream& to, const std::string& text) -> task<void> {
    co_await asio::async_write(to, asio::buffer(text), use_task);
  };
  auto one = spawn(sends(both->client, large));
  auto other = spawn(sends(both->server, large));
  auto reader = spawn(read_text(both->server, large.size()));
  EXPECT_EQ(co_await read_text(both->client, large.size()), large);
  EXPECT_EQ(co_await reader.join(), large);
  co_await one.join();
  co_await other.join();
}

TEST(TlsTest, BothDirectionsAreUsedAtOnce) {
  run_in_both_worlds(is_used_in_both_directions);
  run_in_random_orders(is_used_in_both_directions, 5);
}

CO_TEST(TlsTest, AHandshakeThatIsNotAnsweredIsCancelled) {
  const std::unique_ptr<tls_pair> both = co_await tls_over_loopback();
  EXPECT_THROW(co_await with_timeout(1h, shake_hands(both->client, ssl::stream_base::client)), timed_out);
  EXPECT_EQ(now().time_since_epoch(), 1h);
}

task<void> serve_one_page() {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:443");
  ssl::context context = for_server();
  tls_stream peer(asio_stream(co_await listener.accept()), context);
  co_await peer.async_handshake(ssl::stream_base::server, use_task);
  boost::beast::flat_buffer buffer;
  http::request<http::empty_body> asked;
  co_await http::async_read(peer, buffer, asked, use_task);
  http::response<http::string_body> page(http::status::ok, 11);
  page.body() = "secret";
  page.prepare_payload();
  co_await http::async_write(peer, page, use_task);
  co_await peer.async_shutdown(use_task);
}

CO_TEST(TlsTest, CarriesHttpByteByByte) {
  auto web = world().host("web", "10.0.0.2").spawn(serve_one_page(), "web");
  world().link("client", "web").latency(10ms).segments(1);
  ssl::context context = for_client(true);
  tls_stream to(asio_stream(co_await connect_tcp("10.0.0.2:443")), context);
  to.set_verify_callback(ssl::host_name_verification("web"));
  co_await to.async_handshake(ssl::stream_base::client, use_task);
  const http::request<http::empty_body> asked(http::verb::get, "/", 11);
  co_await http::async_write(to, asked, use_task);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> page;
  co_await http::async_read(to, buffer, page, use_task);
  EXPECT_EQ(page.body(), "secret");
  EXPECT_EQ(now().time_since_epoch() / 1ms, 60);
  co_await to.async_shutdown(use_task);
  co_await web.join();
}

}  // namespace
}  // namespace lockstep
