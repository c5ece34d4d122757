// TLS of asio::ssl, unmodified, over our streams, and WebSockets over that. OpenSSL's own randomness is in what is
// sent, not in how much that is.
#include "../net/in_both_worlds.hpp"

#include <lockstep/adapters/asio.hpp>
#include <lockstep/adapters/asio_stream.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <tuple>

namespace lockstep {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
namespace websocket = boost::beast::websocket;
using namespace std::chrono_literals;
using boost::system::error_code;
using tls_stream = ssl::stream<asio_stream<tcp_stream>>;

constexpr auto as_outcome = asio::as_tuple(use_task);

struct free_openssl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bytes) const { BIO_free(bytes); }
};
template <class T>
using owned = std::unique_ptr<T, free_openssl>;

std::string bytes_of(BIO& from) {
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(&from, &data));
  return std::string(data, size);
}

// A key, and the certificate that it signs itself, of the host "web". As PEM.
struct identity_of_web {
  std::string key;
  std::string certificate;

  // Once, as it takes a while.
  static const identity_of_web& made() {
    static const identity_of_web web;
    return web;
  }

 private:
  identity_of_web() {
    const owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* generated = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_keygen(context.get(), &generated);
    const owned<EVP_PKEY> pair(generated);
    const owned<X509> signed_by_itself(X509_new());
    X509* const made = signed_by_itself.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    ASN1_TIME_set_string(X509_getm_notBefore(made), "20000101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(made), "99991231235959Z");
    X509_set_pubkey(made, pair.get());
    X509_NAME* const name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("web"), -1, -1, 0);
    X509_set_issuer_name(made, name);
    const owned<X509_EXTENSION> host(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:web"));
    X509_add_ext(made, host.get(), -1);
    X509_sign(made, pair.get(), nullptr);
    const owned<BIO> text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(text.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    key = bytes_of(*text);
    const owned<BIO> more(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(more.get(), made);
    certificate = bytes_of(*more);
  }
};

ssl::context for_server() {
  ssl::context made(ssl::context::tls_server);
  made.use_certificate(asio::buffer(identity_of_web::made().certificate), ssl::context::pem);
  made.use_private_key(asio::buffer(identity_of_web::made().key), ssl::context::pem);
  return made;
}

ssl::context for_client(bool trusting) {
  ssl::context made(ssl::context::tls_client);
  if (trusting) made.add_certificate_authority(asio::buffer(identity_of_web::made().certificate));
  made.set_verify_mode(ssl::verify_peer);
  return made;
}

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

// -- WebSockets -------------------------------------------------------------------------------------------------------

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

TEST(TlsTest, CarriesAWebSocket) {
  run_in_both_worlds(talks_secretly);
  run_in_random_orders(talks_secretly, 5);
}

task<error_code> serve_one_socket() {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:443");
  co_return co_await echo_secretly(co_await listener.accept());
}

CO_TEST(TlsTest, CarriesAWebSocketByteByByte) {
  auto web = world().host("web", "10.0.0.2").spawn(serve_one_socket(), "web");
  world().link("client", "web").latency(10ms).segments(1);
  tcp_stream connected = co_await connect_tcp("10.0.0.2:443");
  co_await talk_secretly(std::move(connected), 1'000);
  EXPECT_EQ(co_await web.join(), websocket::error::closed);
  EXPECT_EQ(now().time_since_epoch() / 1ms, 150);
}

}  // namespace
}  // namespace lockstep
