#include <lockstep/sim/fault.hpp>

#include "talking_hosts.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/net/resolver.hpp>

#include <gtest/gtest.h>

#include <netdb.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// -- connecting -------------------------------------------------------------------------------------------------------

TEST(FaultTest, FailsTheNthCallOnce) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const fault refused = on(op::connect).to("web:80").nth(2).fail(ECONNREFUSED);
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(refused.fired(), 0u);
    EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(refused.fired(), 1u);
    EXPECT_EQ(refused.matched(), 3u);
  });
}

TEST(FaultTest, EndsWithItsGuard) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    {
      const fault refused = on(op::connect).forever().fail(ECONNREFUSED);
      EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
      EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
    }
    EXPECT_EQ(co_await connect_to(web_80), "ok");
  });
}

TEST(FaultTest, HappensSoManyTimesAfterSoMany) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const fault refused = on(op::connect).after(1).times(2).fail(ECONNREFUSED);
    std::string all;
    for (int i = 0; i < 5; ++i) all += co_await connect_to(web_80) + " ";
    EXPECT_EQ(all, "ok ECONNREFUSED ECONNREFUSED ok ok ");
  });
}

TEST(FaultTest, IsForItsScopeAlone) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    lockstep::world().host("db", "10.0.0.3");
    co_await yield();
    const auto count = [](fault_rule rule) -> task<std::uint64_t> {
      const fault any = rule.forever().may_not_fire().fail(EACCES);
      co_await connect_to(web_80);
      co_return any.matched();
    };
    EXPECT_EQ(co_await count(on(op::connect)), 1u);
    EXPECT_EQ(co_await count(on(op::connect).to("web")), 1u);
    EXPECT_EQ(co_await count(on(op::connect).to("10.0.0.2")), 1u);
    EXPECT_EQ(co_await count(on(op::connect).to(web_80)), 1u);
    EXPECT_EQ(co_await count(on(op::connect).at("client")), 1u);
    EXPECT_EQ(co_await count(on(op::connect).to("web:81")), 0u);
    EXPECT_EQ(co_await count(on(op::connect).to("db")), 0u);
    EXPECT_EQ(co_await count(on(op::connect).at("web")), 0u);
    EXPECT_EQ(co_await count(on(op::bind)), 0u);
  });
}

TEST(FaultTest, TakesWhatThePredicateTakes) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const fault second = on(op::connect)
                             .nth(2)
                             .when([](const attempted_call& call) { return call.target.port() == 80; })
                             .fail(ECONNREFUSED);
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(co_await connect_to("10.0.0.2:81"), "ECONNREFUSED");  // nobody listens
    EXPECT_EQ(second.fired(), 0u);
    EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
    EXPECT_EQ(second.fired(), 1u);
  });
}

TEST(FaultTest, RefusesAfterTheWayThereAndBack) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    lockstep::world().link("client", "web").latency(5ms);
    const fault refused = on(op::connect).fail(ECONNREFUSED);
    EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
    EXPECT_EQ(now(), time_point{10ms});
  });
}

TEST(FaultTest, HangsUntilLinuxGivesUp) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    const fault lost = on(op::connect).hang();
    EXPECT_EQ(co_await connect_to(web_80), "ETIMEDOUT");
    EXPECT_EQ(now(), time_point{131s});
  });
}

// With the next try, which is 7 s after the first.
TEST(FaultTest, LetsAConnectGoThatHungWhileItWasThere) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const auto for_a_while = []() -> task<void> {
      const fault lost = on(op::connect).hang();
      co_await sleep_for(5s);
    };
    auto hangs = spawn(for_a_while());
    co_await yield();
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(now(), time_point{7s});
    co_await hangs.join();
  });
}

TEST(FaultTest, OneAboutNobodyIsAVerdictAlsoWhereItNeedNotFire) {
  class world of;
  of.run([]() -> task<void> {
    const fault rare = on(op::connect).to("wbe:80").one_in(3).fail(ECONNREFUSED);
    const fault resolved = on(op::resolve).to("db.example").one_in(3).fail(EAI_AGAIN);
    co_return;
  });
  ASSERT_EQ(of.verdicts().size(), 1u);
  EXPECT_EQ(
      of.verdicts().front().message,
      "fault on connect to wbe:80 (one in 3, ECONNREFUSED) never fired; 0 operations were in its scope, and there "
      "is no host \"wbe\"");
}

TEST(FaultTest, MakesAConnectSlow) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    lockstep::world().link("client", "web").latency(5ms);
    const fault late = on(op::connect).slow(2s);
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(now(), time_point{2010ms});
  });
}

TEST(FaultTest, MakesAnAcceptSlow) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const fault late = on(op::accept).to("web:80").slow(2s);
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    EXPECT_EQ(client.ready(), "OUT");
    EXPECT_EQ(client.send("early"), "5");
    EXPECT_EQ(listener.ready(), "-");
    co_await sleep_for(2s);
    EXPECT_EQ(listener.ready(), "IN");
    const file server = listener.accept();
    EXPECT_EQ(server.recv(), "early");
    for (const file& each : {listener, client, server}) each.close();
  });
}

// -- bytes ------------------------------------------------------------------------------------------------------------

TEST(FaultTest, AResetIsSeenByBothEnds) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    tcp_listener listener = [&] {
      const scoped_value there = hosts.web.enter();
      return tcp_listener::bind(web_80);
    }();
    tcp_stream client = co_await connect_tcp(web_80);
    tcp_stream server = co_await listener.accept();
    const fault reset = on(op::read).at("client").fail(ECONNRESET);
    co_await server.write("never read");
    EXPECT_EQ(co_await read_from(client), "ECONNRESET");
    EXPECT_EQ(co_await read_from(client), "end");
    EXPECT_EQ(co_await read_from(server), "ECONNRESET");
    EXPECT_EQ(co_await outcome_of([&]() -> task<void> { co_await client.write("more"); }), "EPIPE");
  });
}

TEST(FaultTest, ATimeoutIsSeenByThePeerWhenItSends) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    tcp_listener listener = [&] {
      const scoped_value there = hosts.web.enter();
      return tcp_listener::bind(web_80);
    }();
    tcp_stream client = co_await connect_tcp(web_80);
    tcp_stream server = co_await listener.accept();
    const fault lost = on(op::write).fail(ETIMEDOUT);
    EXPECT_EQ(co_await outcome_of([&]() -> task<void> { co_await client.write("lost"); }), "ETIMEDOUT");
    co_await server.write("anybody there?");
    EXPECT_EQ(co_await read_from(server), "ECONNRESET");
  });
}

TEST(FaultTest, DoesNotCountACallThatWouldWait) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const fault reset = on(op::read).at("client").nth(2).fail(ECONNRESET);
    tcp_stream client = co_await connect_tcp(web_80);
    lockstep::world().link("client", "web").latency(1ms);
    co_await client.write("one");
    EXPECT_EQ(co_await read_from(client), "one");
    EXPECT_EQ(reset.matched(), 1u);
    co_await client.write("two");
    EXPECT_EQ(co_await read_from(client), "ECONNRESET");
  });
}

TEST(FaultTest, ANoiseOfMemoryLeavesTheConnectionAlone) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    const fault full = on(op::write).at("client").fail(ENOBUFS);
    EXPECT_EQ(co_await outcome_of([&]() -> task<void> { co_await client.write("hello"); }), "ENOBUFS");
    co_await client.write("hello");
    EXPECT_EQ(co_await read_from(client), "hello");
  });
}

TEST(FaultTest, ErrorsAreOfTheirKindOfSocket) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file receiver{&hosts.web, hosts.web.socket(AF_INET, SOCK_DGRAM, 0)};
    const file sender{&hosts.client, hosts.client.socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_EQ(receiver.bind("10.0.0.2:53"), "0");
    const fault never = on(op::connect).may_not_fire().fail(ETIMEDOUT);
    const fault reset = on(op::write).may_not_fire().fail(ECONNRESET);
    const fault refused = on(op::write).nth(2).fail(EPERM);
    EXPECT_EQ(sender.connect("10.0.0.2:53"), "0");
    EXPECT_EQ(sender.send("one"), "3");
    EXPECT_EQ(sender.send("two"), "EPERM");
    EXPECT_EQ(receiver.recv(), "one");
    EXPECT_EQ(reset.matched() + never.matched(), 0u);
    receiver.close();
    sender.close();
    co_return;
  });
}

// -- other calls ------------------------------------------------------------------------------------------------------

TEST(FaultTest, AnAcceptWithoutDescriptorsKeepsTheConnection) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    const fault full = on(op::accept).to("web").fail(EMFILE);
    EXPECT_EQ(error_text(listener.accept().fd), "EMFILE");
    EXPECT_EQ(listener.ready(), "IN");
    const file server = listener.accept();
    EXPECT_GE(server.fd, 0);
    for (const file& each : {listener, client, server}) each.close();
    co_return;
  });
}

TEST(FaultTest, AnAbortedAcceptResetsTheConnection) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    const fault aborted = on(op::accept).fail(ECONNABORTED);
    EXPECT_EQ(error_text(listener.accept().fd), "ECONNABORTED");
    EXPECT_EQ(client.recv(), "ECONNRESET");
    EXPECT_EQ(listener.ready(), "-");
    for (const file& each : {listener, client}) each.close();
    co_return;
  });
}

TEST(FaultTest, FailsCallsThatMakeSockets) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    {
      const fault full = on(op::socket).at("web").fail(EMFILE);
      EXPECT_EQ(error_text(hosts.web.socket(AF_INET, SOCK_STREAM, 0)), "EMFILE");
    }
    const file made = tcp(hosts.web);
    {
      const fault taken = on(op::bind).to("web:80").fail(EADDRINUSE);
      EXPECT_EQ(made.bind("0.0.0.0:80"), "EADDRINUSE");
      EXPECT_EQ(made.bind("0.0.0.0:80"), "0");
    }
    {
      const fault taken = on(op::listen).to("web:80").fail(EADDRINUSE);
      EXPECT_EQ(error_text(hosts.web.listen(made.fd, 1)), "EADDRINUSE");
    }
    const fault broken = on(op::close).fail(EIO);
    EXPECT_EQ(error_text(hosts.web.close(made.fd)), "EIO");
    EXPECT_EQ(error_text(hosts.web.close(made.fd)), "EBADF");  // it is closed all the same
    co_return;
  });
}

TEST(FaultTest, FailsTheResolvingOfAName) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const fault flap = on(op::resolve).to("web").fail(EAI_AGAIN);
    resolver names;
    int code = 0;
    try {
      co_await names.look_up("web");
    } catch (const std::system_error& failed) {
      code = failed.code().value();
    }
    EXPECT_EQ(code, EAI_AGAIN);
  });
}

// -- chance -----------------------------------------------------------------------------------------------------------

// How often the connects of a run are refused, one in two of them.
std::uint64_t refused_with(oracle* choices) {
  class world of;
  world_options how;
  how.choices = choices;
  how.order = ordering::fifo;
  std::uint64_t fired = 0;
  of.run(
      [&]() -> task<void> {
        echo_host hosts;
        co_await yield();
        const fault refused = on(op::connect).one_in(2).forever().fail(ECONNREFUSED);
        for (int i = 0; i < 20; ++i) co_await connect_to(web_80);
        fired = refused.fired();
      },
      how);
  EXPECT_THAT(of.verdicts(), IsEmpty());
  return fired;
}

TEST(FaultTest, IsAPickOfTheOracleOneTimeInSoMany) {
  EXPECT_EQ(refused_with(nullptr), 0u);
  const auto choices = make_oracle(schedule::random, 7);
  const std::uint64_t fired = refused_with(choices.get());
  EXPECT_GT(fired, 3u);
  EXPECT_LT(fired, 17u);
  const auto again = make_oracle(schedule::random, 7);
  EXPECT_EQ(refused_with(again.get()), fired);
}

// Pays by a connection of its own until that is done. `checks` whether the payment has come, where it is not known.
task<void> pay(const int& balance, bool checks) {
  for (int i = 0; i < 5; ++i) {
    if (checks && balance != 0) co_return;
    try {
      tcp_stream to = co_await connect_tcp(web_80);
      co_await to.write("1");
      std::array<char, 1> answer;
      co_await to.read_exactly(answer);
      co_return;
    } catch (const std::system_error&) {
    }
  }
}

// The account of a bank, to which somebody pays once; a connection is reset at some read or other.
task<void> pays_once(bool checks) {
  two_hosts hosts;
  int balance = 0;
  const auto serve = [](int& account) -> task<void> {
    tcp_listener listener = tcp_listener::bind(web_80);
    for (;;) {
      tcp_stream peer = co_await listener.accept();
      try {
        std::array<char, 1> coin;
        while (co_await peer.read_some(coin) != 0) {
          ++account;
          co_await peer.write("k");
        }
      } catch (const std::system_error&) {
      }
    }
  };
  {
    const scoped_value there = hosts.web.enter();
    spawn_daemon(serve(balance), "bank");
  }
  const fault reset = on(op::read).one_in(3).fail(ECONNRESET);
  co_await sleep_for(1s);
  co_await pay(balance, checks);
  if (balance > 1) throw std::runtime_error("paid twice");
}

// A planted bug, which needs a fault at the one read that matters; and its correct twin.
TEST(FaultTest, IsFoundAndRepeatedByASearch) {
  world_program wrong([] { return pays_once(false); });
  explore_options how;
  how.order = ordering::fifo;
  how.runs_max = 500;
  const exploration found = explorer(wrong).explore(how);
  ASSERT_TRUE(found.failure);
  EXPECT_THAT(found.failure->result.signature, testing::HasSubstr("paid twice"));
  fixed_choices again(found.failure->answers);
  EXPECT_EQ(wrong.run(again, how.order).signature, found.failure->result.signature);
  world_program right([] { return pays_once(true); });
  EXPECT_FALSE(explorer(right).explore(how).failure);
}

// -- verdicts ---------------------------------------------------------------------------------------------------------

TEST(FaultTest, AFaultThatNeverFiredIsAVerdict) {
  class world of;
  std::uint32_t line = 0;
  of.run([&]() -> task<void> {
    echo_host hosts;
    co_await yield();
    line = source::current().line() + 1;
    const fault refused = on(op::connect).to("web:80").nth(3).fail(ECONNREFUSED);
    co_await connect_to(web_80);
  });
  ASSERT_THAT(
      messages_of(of),
      ElementsAre("fault on connect to web:80 (nth 3, ECONNREFUSED) never fired; 1 operation was in its scope"));
  EXPECT_EQ(of.verdicts().front().kind, verdict_kind::unfired_fault);
  EXPECT_EQ(of.verdicts().front().where.line(), line);
}

TEST(FaultTest, AStandingFaultIsJudgedAtTheEnd) {
  class world of;
  of.run([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().network().add(on(op::read).at("web").forever().fail(ENOMEM));
    co_return;
  });
  EXPECT_THAT(messages_of(of),
              ElementsAre("fault on read at web (ENOMEM) never fired; 0 operations were in its scope"));
}

TEST(FaultTest, AStandingFaultOutlivesItsScope) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    { lockstep::world().network().add(on(op::connect).forever().fail(EACCES)); }
    EXPECT_EQ(co_await connect_to(web_80), "EACCES");
    EXPECT_EQ(co_await connect_to(web_80), "EACCES");
  });
}

TEST(FaultTest, OneThatNeedNotFireIsNoVerdict) {
  run_on_hosts([]() -> task<void> {
    const fault perhaps = on(op::connect).may_not_fire().fail(ECONNREFUSED);
    const fault rarely = on(op::connect).one_in(1000).fail(ECONNREFUSED);
    lockstep::world().network().add(on(op::bind).may_not_fire().fail(EACCES));
    co_return;
  });
}

TEST(FaultTest, OneThatNeedNotFireMayBeSaidToItsGuard) {
  run_on_hosts([]() -> task<void> {
    const auto lost = on(op::connect).fail(ECONNREFUSED).may_not_fire();
    co_return;
  });
}

TEST(FaultTest, SaysNothingWhereTheRunEndsByAnother) {
  class world of;
  const auto fails = []() -> task<void> {
    const fault refused = on(op::connect).fail(ECONNREFUSED);
    lockstep::world().network().add(on(op::bind).fail(EACCES));
    co_await yield();
    throw std::runtime_error("something else");
  };
  EXPECT_THROW(of.run(fails()), std::runtime_error);
  EXPECT_THAT(messages_of(of), IsEmpty());
  const auto waits = []() -> task<void> {
    const fault refused = on(op::connect).fail(ECONNREFUSED);
    event never;
    co_await never.wait();
  };
  EXPECT_THROW(of.run(waits()), misuse);
  ASSERT_EQ(of.verdicts().size(), 1u);
  EXPECT_EQ(of.verdicts().front().kind, verdict_kind::deadlock);
}

TEST(FaultTest, KnowsWhatLinuxCanDo) {
  const auto misuse_of = [](void (*wrong)()) -> std::string {
    class world of;
    EXPECT_THROW(of.run([wrong]() -> task<void> {
      wrong();
      co_return;
    }),
                 misuse);
    return of.verdicts().empty() ? "" : of.verdicts().front().message;
  };
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::listen).fail(ECONNREFUSED); }),
            "listen does not fail with ECONNREFUSED on Linux: it may with EADDRINUSE");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).hang(); }), "read cannot hang, as connect can");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).slow(1s); }),
            "read cannot be slow, as connect, accept and calls on files can");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).nth(0).fail(ENOMEM); }),
            "nth(0) is no call of a fault, as they count from 1");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).times(0).fail(ENOMEM); }),
            "a fault that is for times(0) never fires; make it 1 at least");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).one_in(0).fail(ENOMEM); }),
            "one_in(0) is no share of the calls; make it 1 at least, which is all of them");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::read).at("wbe").fail(ENOMEM); }),
            "there is no host \"wbe\": there are \"client\"");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::connect).to("client:http").fail(ECONNREFUSED); }),
            "\"client:http\" is no target of a fault, as \"db:5432\" is: its port is no number of 0 to 65535");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::connect).to("10.0.0.2:65536").fail(ECONNREFUSED); }),
            "\"10.0.0.2:65536\" is no target of a fault, as \"db:5432\" is: its port is no number of 0 to 65535");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::connect).to("/run/db").fail(ETIMEDOUT); }),
            "connect does not fail with ETIMEDOUT on Linux: it may with ECONNREFUSED, ENOENT, EAGAIN, EACCES, EPERM, "
            "EPROTOTYPE");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::connect).to("@db").hang(); }),
            "connect of Unix sockets cannot hang, as connect can");
  EXPECT_EQ(misuse_of([] { const fault wrong = on(op::connect).to(":80").fail(ECONNREFUSED); }),
            "\":80\" is no target of a fault, as \"db:5432\" is: it names nobody");
}

}  // namespace
}  // namespace lockstep::sim
