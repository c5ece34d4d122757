#include <lockstep/testing/fault_sweep.hpp>

#include <lockstep/lockstep.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace lockstep {
namespace {

using testing::HasSubstr;

const endpoint bank = "10.0.0.2:80";

// Adds up what is paid in, and answers each payment.
task<void> keep_account(int& balance) {
  tcp_listener listener = tcp_listener::bind(bank);
  for (;;) {
    tcp_stream peer = co_await listener.accept();
    try {
      std::array<char, 1> coin;
      while (co_await peer.read_some(coin) != 0) {
        ++balance;
        co_await peer.write("k");
      }
    } catch (const std::system_error&) {
    }
  }
}

task<void> pay_once() {
  tcp_stream to = co_await connect_tcp(bank);
  co_await to.write("1");
  std::array<char, 1> answer;
  co_await to.read_exactly(answer);
}

// A retry after any error: right where the payment was not sent, and wrong where only the answer was lost.
task<void> pay_until_it_is_done() {
  for (int i = 0; i < 3; ++i) {
    try {
      co_return co_await pay_once();
    } catch (const std::system_error&) {
    }
  }
}

task<void> pays_at_most_once() {
  int balance = 0;
  sim::host& there = world().host("bank", "10.0.0.2");
  {
    const scoped_value on_it = there.enter();
    spawn_daemon(keep_account(balance), "bank");
  }
  co_await yield();
  co_await pay_until_it_is_done();
  EXPECT_LE(balance, 1);
}

TEST(FaultSweepTest, PassesWhereEveryFaultIsBorne) {
  const testing::AssertionResult found = fault_sweep(on(op::connect).to("bank"), ECONNREFUSED, pays_at_most_once);
  EXPECT_TRUE(found);
  // Without a fault; 1 once, and 2, which does not come; from 1, 2 and 3 on, and 4, which does not come.
  EXPECT_STREQ(found.message(), "5 runs passed");
}

// The planted bug: a retry that doubles a payment after a reset.
TEST(FaultSweepTest, FindsTheRetryThatPaysTwice) {
  const testing::AssertionResult found = fault_sweep(on(op::read).at("client"), ECONNRESET, pays_at_most_once);
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(),
              HasSubstr("the body fails where call 1 of read at client (ECONNRESET) (run 2 of the sweep):\n  "));
  EXPECT_THAT(found.message(), HasSubstr("actual: 2 vs 1"));
}

TEST(FaultSweepTest, FailsWhereNoCallIsInItsScope) {
  const testing::AssertionResult found = fault_sweep(on(op::connect).to("bnak"), ECONNREFUSED, pays_at_most_once);
  EXPECT_FALSE(found);
  EXPECT_STREQ(found.message(),
               "the sweep tests nothing: no call is in the scope of its rule on connect to bnak (ECONNREFUSED)");
}

TEST(FaultSweepTest, SaysThatABodyFailsByItself) {
  const testing::AssertionResult found = fault_sweep(op::connect, []() -> task<void> {
    EXPECT_EQ(1, 2);
    co_return;
  });
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(), HasSubstr("the body fails without any fault (run 1 of the sweep):\n  "));
}

TEST(FaultSweepTest, SaysThatAnExceptionLeftTheBody) {
  const testing::AssertionResult found = fault_sweep(op::socket, []() -> task<void> {
    const tcp_listener listener = tcp_listener::bind("10.0.0.1:80");
    co_return;
  });
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(), HasSubstr("where call 1 of socket (EMFILE) (run 2 of the sweep):\n  an exception left"));
}

TEST(FaultSweepTest, EndsWithABodyThatTriesForEver) {
  sweep_options how;
  how.calls_max = 5;
  const testing::AssertionResult found = fault_sweep(
      on(op::connect), ECONNREFUSED,
      []() -> task<void> {
        for (int i = 0; i < 10; ++i) {
          try {
            const tcp_stream nobody = co_await connect_tcp("10.0.0.1:81");
          } catch (const std::system_error&) {
          }
        }
      },
      how);
  EXPECT_FALSE(found);
  EXPECT_STREQ(found.message(), "the sweep does not end: there is a call number 6 of connect");
}

}  // namespace
}  // namespace lockstep
