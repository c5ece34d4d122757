// WebSockets of Boost.Beast over TLS of asio::ssl, both unmodified, over our streams.
#include "../net/in_both_worlds.hpp"
#include "tls_identity.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <string>
#include <utility>

namespace lockstep {
namespace {

namespace websocket = boost::beast::websocket;
using namespace std::chrono_literals;
using boost::system::error_code;
using secret_socket = websocket::stream<tls_stream>;

// Sends back what it gets until it is closed. Returns what ended it.
task<error_code> echo_secretly(tcp_stream accepted) {
  ssl::context context = for_server();
  secret_socket peer(asio_stream(std::move(accepted)), context);
  co_await peer.next_layer().async_handshake(ssl::stream_base::server, use_task);
  co_await peer.async_accept(use_task);
  for (;;) {
    boost::beast::flat_buffer buffer;
    try {
      co_await peer.async_read(buffer, use_task);
    } catch (const boost::system::system_error& ended) {
      co_return ended.code();
    }
    peer.text(peer.got_text());
    co_await peer.async_write(buffer.data(), use_task);
  }
}

task<std::string> echo_of(secret_socket& web, const std::string& text) {
  co_await web.async_write(asio::buffer(text), use_task);
  boost::beast::flat_buffer buffer;
  co_await web.async_read(buffer, use_task);
  co_return boost::beast::buffers_to_string(buffer.data());
}

// Two messages, of which the second one takes several records of TLS.
task<void> talk_secretly(tcp_stream connected, std::size_t large_bytes) {
  ssl::context context = for_client(true);
  secret_socket web(asio_stream(std::move(connected)), context);
  web.next_layer().set_verify_callback(ssl::host_name_verification("web"));
  co_await web.next_layer().async_handshake(ssl::stream_base::client, use_task);
  co_await web.async_handshake("web", "/", use_task);
  EXPECT_EQ(co_await echo_of(web, "secret"), "secret");
  EXPECT_TRUE(web.got_text());
  web.binary(true);
  const std::string large(large_bytes, 'x');
  EXPECT_EQ(co_await echo_of(web, large), large);
  EXPECT_TRUE(web.got_binary());
  co_await web.async_close(websocket::close_code::normal, use_task);
  EXPECT_FALSE(web.next_layer().next_layer().is_open()) << "it is torn down with what is below it";
}

task<void> talks_secretly() {
  auto [client, server] = co_await connected_pair();
  auto peer = spawn(echo_secretly(std::move(server)), "web");
  co_await talk_secretly(std::move(client), 100'000);
  EXPECT_EQ(co_await peer.join(), websocket::error::closed);
}

TEST(WebSocketOverTlsTest, IsCarried) {
  run_in_both_worlds(talks_secretly);
  run_in_random_orders(talks_secretly, 5);
}

task<error_code> serve_one_socket() {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:443");
  co_return co_await echo_secretly(co_await listener.accept());
}

CO_TEST(WebSocketOverTlsTest, IsCarriedByteByByte) {
  auto web = world().host("web", "10.0.0.2").spawn(serve_one_socket(), "web");
  world().link("client", "web").latency(10ms).segments(1);
  tcp_stream connected = co_await connect_tcp("10.0.0.2:443");
  co_await talk_secretly(std::move(connected), 1'000);
  EXPECT_EQ(co_await web.join(), websocket::error::closed);
  EXPECT_EQ(now().time_since_epoch() / 1ms, 150);
}

}  // namespace
}  // namespace lockstep
