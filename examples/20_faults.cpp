// Faults: calls that fail when the test says so, or when the search likes, and a sweep in which each of them does.
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <array>
#include <cerrno>
#include <system_error>

namespace {

using namespace lockstep;

// [code]
const endpoint bank_at = "10.0.0.2:80";

// Counts the coins that are paid in, and answers each.
class bank {
 public:
  task<void> serve() {
    tcp_listener listener = tcp_listener::bind(bank_at);
    while (true) {
      tcp_stream customer = co_await listener.accept();
      const result<void> served = co_await as_result(take_coins(customer));  // one that is reset is no reason to close
      if (!served) continue;
    }
  }

  int coins = 0;

 private:
  task<void> take_coins(tcp_stream& customer) {
    std::array<char, 1> coin;
    while (co_await customer.read_some(coin) != 0) {
      ++coins;
      co_await customer.write("k");
    }
  }
};

task<void> pay() {
  tcp_stream to = co_await connect_tcp(bank_at);
  co_await to.write("1");
  std::array<char, 1> answer;
  co_await to.read_exactly(answer);
}

// Tries again after any error, three times in all. Is that right?
task<bool> pay_patiently() {
  for (int tries = 0; tries < 3; ++tries) {
    const result<void> paid = co_await as_result(pay());
    if (paid) co_return true;
    co_await sleep_for(std::chrono::seconds(1));
  }
  co_return false;
}
// [/code]

// [nth]
CO_TEST(Payment, IsTriedAgainWhenTheBankIsClosed) {
  bank there;
  world().host("bank", "10.0.0.2").spawn_daemon(there.serve(), "bank");
  world().link("client", "bank").latency(std::chrono::milliseconds(10));
  auto refused = on(op::connect).to("bank:80").nth(1).fail(ECONNREFUSED);
  EXPECT_TRUE(co_await pay_patiently());
  EXPECT_EQ(there.coins, 1);
  EXPECT_EQ(now().time_since_epoch(), std::chrono::milliseconds(1060));  // one pause, in no real time
}
// [/nth]

// [unfired]
CO_TEST(Payment, IsNotTheTestThatItSeems) {
  bank there;
  world().host("bank", "10.0.0.2").spawn_daemon(there.serve(), "bank");
  auto refused = on(op::connect).to("bank:8080").fail(ECONNREFUSED);  // not the port of the bank
  EXPECT_TRUE(co_await pay_patiently());
}
// [/unfired]

// [explored]
CO_TEST(Payment, IsMadeOnce, explore()) {
  bank there;
  world().host("bank", "10.0.0.2").spawn_daemon(there.serve(), "bank");
  auto reset = on(op::read).at("client").one_in(5).fail(ECONNRESET);
  co_await pay_patiently();
  EXPECT_LE(there.coins, 1);
}
// [/explored]

// [sweep]
task<void> pays_at_most_once() {
  bank there;
  world().host("bank", "10.0.0.2").spawn_daemon(there.serve(), "bank");
  co_await pay_patiently();
  EXPECT_LE(there.coins, 1);
}

TEST(Payment, BearsEveryConnectThatFails) {
  EXPECT_TRUE(fault_sweep(on(op::connect).to("bank"), ECONNREFUSED, pays_at_most_once));
}
TEST(Payment, BearsEveryReadThatFails) {
  EXPECT_TRUE(fault_sweep(on(op::read).at("client"), ECONNRESET, pays_at_most_once));
}
// [/sweep]

}  // namespace
