// HTTP by Boost.Beast, unmodified, over a simulated network: far away, byte by byte, and cut off.
#include <lockstep/adapters/asio.hpp>
#include <lockstep/adapters/asio_stream.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <string>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;
namespace beast = boost::beast;
namespace http = boost::beast::http;

// [code]
// Counts its visits, and tells each visitor their number.
class counter {
 public:
  task<void> answer(tcp_stream accepted) {
    asio_stream visitor(std::move(accepted));
    beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    co_await http::async_read(visitor, buffer, request, use_task);
    http::response<http::string_body> page(http::status::ok, 11);
    page.body() = std::to_string(++visits_);
    page.prepare_payload();
    co_await http::async_write(visitor, page, use_task);
  }
  task<void> run(endpoint at) {
    co_await serve(tcp_listener::bind(at), [this](tcp_stream accepted) { return answer(std::move(accepted)); });
  }

 private:
  int visits_ = 0;
};

task<int> visit(endpoint server) {
  asio_stream web(co_await connect_tcp(server));
  const http::request<http::empty_body> request(http::verb::get, "/", 11);
  co_await http::async_write(web, request, use_task);
  beast::flat_buffer buffer;
  http::response<http::string_body> page;
  co_await http::async_read(web, buffer, page, use_task);
  co_return std::stoi(page.body());
}
// [/code]

// [latency]
CO_TEST(Page, IsFarAway) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.run("10.0.0.2:80"), "server");
  world().link("client", "web").latency(30ms);
  EXPECT_EQ(co_await visit("10.0.0.2:80"), 1);
  EXPECT_EQ(now().time_since_epoch(), 120ms);
}
// [/latency]

// [bytes]
CO_TEST(Page, ComesByteByByte) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.run("10.0.0.2:80"), "server");
  world().link("client", "web").segments(1);
  EXPECT_EQ(co_await visit("10.0.0.2:80"), 1);
}
// [/bytes]

// [timeout]
CO_TEST(Page, IsNotWaitedForForEver) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.run("10.0.0.2:80"), "server");
  const partition cut("client", "web");
  EXPECT_THROW(co_await with_timeout(5s, visit("10.0.0.2:80")), timed_out);
}
// [/timeout]

}  // namespace
