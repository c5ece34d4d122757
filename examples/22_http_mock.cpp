// HTTP in a test: a mock that is told what to answer, how badly, and how often it is to be asked.
#include <lockstep/http/client.hpp>
#include <lockstep/http/mock.hpp>
#include <lockstep/testing/testing.hpp>

#include <cerrno>
#include <string>
#include <system_error>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;
using http::contains;
using http::glob;

// [code]
const std::string shop_url = "http://shop/orders";

// Orders, and asks again in two seconds if the shop is busy, three times in all.
task<std::string> order(std::string what) {
  http::request sent("POST", {}, what);
  sent.headers.add("Content-Type", "text/plain");
  http::client shop;
  for (int tries = 0; tries < 3; ++tries) {
    const http::response answer = co_await with_timeout(5s, shop.send(shop_url, sent));
    if (answer.status == 201) co_return answer.body;
    co_await sleep_for(2s);
  }
  co_return "";
}
// [/code]

// [first]
CO_TEST(Order, IsPlaced) {
  http_mock shop("shop:80");
  shop.on("POST", "/orders").with_header("Content-Type", contains("text")).answer(201, "order 1").once();
  EXPECT_EQ(co_await order("apples"), "order 1");
  EXPECT_EQ(shop.requests().front().what.body, "apples");
}
// [/first]

// [sequence]
CO_TEST(Order, IsPlacedAgainWhenTheShopIsBusy) {
  http_mock shop("shop:80");
  http::route& orders = shop.on("POST", "/orders").answer(503).then(503).after(1s).then(201, "order 1");
  EXPECT_EQ(co_await order("apples"), "order 1");
  EXPECT_EQ(orders.calls().size(), 3u);
  EXPECT_EQ(now().time_since_epoch(), 5s);  // two pauses and one slow answer, in no real time
}
// [/sequence]

// [breaks]
CO_TEST(Order, FailsWithItsConnection) {
  http_mock shop("shop:80");
  shop.on("POST", "/orders").answer(201, "order 1").dribble(1, 100ms).reset_after(5).once();
  EXPECT_THROW(co_await order("apples"), std::system_error);
  shop.on("POST", "/orders").answer(201, "order 1").dribble(1, 1s).once();
  EXPECT_THROW(co_await order("apples"), timed_out);
  shop.on("POST", "/orders").garble("220 smtp.shop ready\r\n").once();
  EXPECT_THROW(co_await order("apples"), http::protocol_error);
}
// [/breaks]

// [verdicts]
CO_TEST(Order, IsNotTheTestThatItSeems) {
  http_mock shop("shop:80");
  shop.on("POST", "/orders").with_header("Content-Type", contains("json")).answer(201, "order 1");
  shop.on("GET", glob("/orders/*")).answer(200, "on its way").once();
  shop.on("PUT", "/stock").answer(200).always();
  co_await order("apples");
}
// [/verdicts]

// [explored]
// Orders again if the connection breaks. Is that right?
task<void> order_patiently() {
  for (int tries = 0; tries < 2; ++tries) {
    const result<std::string> placed = co_await as_result(order("apples"));
    if (placed) co_return;
  }
}

CO_TEST(Order, IsPlacedOnce, explore(1'000)) {
  http_mock shop("shop:80");
  shop.on("POST", "/orders").answer(201, "order 1").once();
  auto reset = on(op::read).at("client").one_in(5).fail(ECONNRESET);
  co_await order_patiently();
}
// [/explored]

}  // namespace
