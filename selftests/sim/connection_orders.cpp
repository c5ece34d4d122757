// Whether a search that knows what calls on connections touch comes to all that one comes to which tries every order of
// their steps.
#include "../explore/explored.hpp"
#include "two_hosts.hpp"

#include <lockstep/base/hash.hpp>
#include <lockstep/net/udp.hpp>
#include <lockstep/sim/netstat.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

// A listener, a connection, and a socket that is yet to be bound, of which tasks make calls.
class shared_sockets {
 public:
  shared_sockets()
      : listener_(listening(hosts_.web, "10.0.0.2:80", 0)), here_(tcp(hosts_.client)), late_(tcp(hosts_.client)),
        bound_(tcp(hosts_.web)) {
    here_.connect("10.0.0.2:80");
    there_ = listener_.accept();
    here_.set(SOL_SOCKET, SO_SNDBUF, 1);  // which is 4608
  }
  ~shared_sockets() {
    for (const auto& each : lockstep::world().network().hosts()) each->close_all();
  }

  // Any of them, and what it came to.
  std::string call(std::uint64_t which) {
    switch (which % 15) {
      case 0: return here_.send("ab");
      case 1: return there_.recv(1);
      case 2: return there_.ready();
      case 3: return here_.send(std::string(200'000, 'x'));
      case 4: return error_text(there_.on->shutdown(there_.fd, SHUT_WR));
      case 5: return here_.recv(1);
      case 6: return error_text(there_.on->close(there_.fd));
      case 7: return late_.connect("10.0.0.2:80") + late_.ready();
      case 8: return listener_.accept().fd >= 0 ? "accepted" : "none";
      case 9: return listener_.ready();
      case 10: return bound_.bind("10.0.0.2:80");
      case 11: return error_text(listener_.on->close(listener_.fd));
      case 12: between_.there.cut() ? between_.there.heal() : between_.there.add_cut(); return "cut or healed";
      case 13: return here_.ready();
      default: return std::to_string(there_.recv(150'000).size());
    }
  }

 private:
  two_hosts hosts_;
  link& between_ = lockstep::world().link("client", "web");
  file listener_;
  file here_;
  file late_;
  file bound_;
  file there_{};
};

// What each of two tasks calls.
using calls_of_tasks = std::array<std::vector<std::uint64_t>, 2>;

searched_program program_of(calls_of_tasks calls) {
  return [calls](std::string& outcome) -> task<void> {
    shared_sockets sockets;
    std::array<std::string, 2> came_to;
    const auto work = [&](std::size_t which) -> task<void> {
      for (const std::uint64_t each : calls[which]) {
        co_await yield();
        came_to[which] += sockets.call(each) + ' ';
      }
    };
    auto one = spawn(work(0));
    auto other = spawn(work(1));
    co_await one.join();
    co_await other.join();
    outcome = came_to[0] + "/ " + came_to[1];
  };
}

// How many outcomes there are.
std::size_t expect_all_found(const searched_program& program) {
  class world of;
  const explored all = explore_all(of, program, {.reduced_by = reduction::none});
  const explored some = explore_all(of, program, {.all_shared_declared = true});
  EXPECT_TRUE(all.complete && some.complete);
  EXPECT_EQ(some.outcomes, all.outcomes);
  EXPECT_LE(some.runs, all.runs);
  return all.outcomes.size();
}
std::size_t expect_all_found(const calls_of_tasks& calls) { return expect_all_found(program_of(calls)); }

TEST(ConnectionOrdersTest, ComeToAllThatTheirCallsComeTo) {
  std::size_t several = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    calls_of_tasks calls;
    for (std::uint64_t i = 0; i < 6; ++i) {
      const std::uint64_t kind = hash_of(seed, i) % 3;  // few different ones, so that they meet
      calls[i / 3].push_back(hash_of(seed, 100 + kind));
    }
    if (expect_all_found(calls) > 1) ++several;
  }
  EXPECT_GT(several, 20u);
}

TEST(ConnectionOrdersTest, SeeTheBytesThatTheOtherHasSent) { EXPECT_EQ(expect_all_found({{{0}, {1}}}), 2u); }
TEST(ConnectionOrdersTest, SeeThatThereIsRoomAgain) { EXPECT_EQ(expect_all_found({{{12, 3, 13}, {12}}}), 2u); }
TEST(ConnectionOrdersTest, SeeWhoConnectsBeforeTheListenerCloses) { EXPECT_EQ(expect_all_found({{{7, 7}, {11}}}), 3u); }
TEST(ConnectionOrdersTest, SeeWhoIsAccepted) { EXPECT_EQ(expect_all_found({{{7}, {8}}}), 2u); }
TEST(ConnectionOrdersTest, SeeACutBeforeAndAfter) { EXPECT_EQ(expect_all_found({{{0, 2}, {12}}}), 2u); }

// The port is free as long as nobody has finished first: the connection that goes holds it for a minute.
TEST(ConnectionOrdersTest, SeeWhoHasThePort) {
  const auto program = [](std::string& outcome) -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    listener.close();
    here.close();
    const file late = tcp(hosts.web);
    const auto close = [](file of) -> task<void> {
      of.close();
      co_return;
    };
    const auto bind = [](file of, std::string& came_to) -> task<void> {
      came_to = of.bind("10.0.0.2:80");
      co_return;
    };
    auto one = spawn(close(there));
    auto other = spawn(bind(late, outcome));
    co_await one.join();
    co_await other.join();
    late.close();
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

TEST(ConnectionOrdersTest, SeeALinkThatBecomesSlow) {
  const auto program = [](std::string& outcome) -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web");
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file here = tcp(hosts.client);
    here.connect("10.0.0.2:80");
    const file there = listener.accept();
    const auto send = [](file from, file to, std::string& came_to) -> task<void> {
      from.send("x");
      came_to = to.recv();
      co_return;
    };
    const auto slow_down = [](link& way) -> task<void> {
      way.latency(5ms);
      co_return;
    };
    auto one = spawn(send(here, there, outcome));
    auto other = spawn(slow_down(between));
    co_await one.join();
    co_await other.join();
    for (const file& each : {listener, here, there}) each.close();
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

TEST(ConnectionOrdersTest, SeeWhoSendsFirstOverANarrowLink) {
  const auto program = [](std::string& outcome) -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const std::array<file, 2> here{tcp(hosts.client), tcp(hosts.client)};
    std::array<file, 2> there{};
    for (std::size_t i = 0; i < 2; ++i) {
      here[i].connect("10.0.0.2:80");
      there[i] = listener.accept();
    }
    lockstep::world().link("client", "web").bandwidth(1'000'000);
    const auto send = [](file from) -> task<void> {
      from.send(std::string(1000, 'x'));
      co_return;
    };
    auto one = spawn(send(here[0]));
    auto other = spawn(send(here[1]));
    co_await one.join();
    co_await other.join();
    co_await sleep_for(1500us);
    outcome = there[0].ready() + " " + there[1].ready();
    for (const file& each : {listener, here[0], here[1], there[0], there[1]}) each.close();
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

TEST(ConnectionOrdersTest, SeeWhoConnectsBeforeSomebodyListens) {
  const auto program = [](std::string& outcome) -> task<void> {
    two_hosts hosts;
    const file listener = tcp(hosts.web);
    listener.bind("10.0.0.2:80");
    const file here = tcp(hosts.client);
    const auto listen = [](file of) -> task<void> {
      of.on->listen(of.fd, 1);
      co_return;
    };
    const auto connect = [](file of, std::string& came_to) -> task<void> {
      of.connect("10.0.0.2:80");
      came_to = of.error();
      co_return;
    };
    auto one = spawn(listen(listener));
    auto other = spawn(connect(here, outcome));
    co_await one.join();
    co_await other.join();
    listener.close();
    here.close();
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

// -- what is asked of the network -------------------------------------------------------------------------------------

// Whether a change and a look, each a step of a task of its own, are tried in both orders.
void expect_both_orders(const char* what, std::function<void()> change, std::function<std::string()> look) {
  SCOPED_TRACE(what);
  const auto program = [=](std::string& outcome) -> task<void> {
    const auto changes = [](const std::function<void()>& of) -> task<void> {
      co_await yield();
      of();
    };
    const auto looks = [](const std::function<std::string()>& of, std::string& into) -> task<void> {
      co_await yield();
      into = of();
    };
    auto one = spawn(changes(change));
    auto other = spawn(looks(look, outcome));
    co_await one.join();
    co_await other.join();
    for (const auto& each : lockstep::world().network().hosts()) each->close_all();
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

TEST(QuestionOrdersTest, SeeWhatAHostIsToldAndAsked) {
  const auto here = []() -> host& { return lockstep::world().network().first_host(); };
  expect_both_orders(
      "routes", [=] { here().refuse_route("10.9.0.0", 16, EHOSTUNREACH); },
      [=] {
        const file made{&here(), here().socket(AF_INET, SOCK_DGRAM, 0)};
        return made.connect("10.9.0.1:7");
      });
  expect_both_orders(
      "buffers", [=] { here().buffers(9'000, 9'000); },
      [=] {
        int size = 0;
        socklen_t room = sizeof size;
        here().getsockopt(here().socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET, SO_SNDBUF, &size, &room);
        return std::to_string(size);
      });
  expect_both_orders(
      "somaxconn", [=] { here().set_somaxconn(1); }, [=] { return std::to_string(here().somaxconn()); });
}

TEST(QuestionOrdersTest, SeeWhatTheNetworkIsToldAndAsked) {
  const auto net = []() -> network& { return lockstep::world().network(); };
  expect_both_orders(
      "hosts", [=] { net().add_host("late"); }, [=] { return std::to_string(net().find("late") != nullptr); });
  expect_both_orders(
      "addresses", [=] { net().add_host("late", {"10.7.0.1"}); },
      [=] { return std::to_string(net().host_of("10.7.0.1") != nullptr); });
  expect_both_orders(
      "netstat",
      [=] {
        const file made{&net().first_host(), net().first_host().socket(AF_INET, SOCK_DGRAM, 0)};
        made.bind("10.0.0.1:7");
      },
      [=] { return lockstep::world().netstat().text(); });
}

// -- what happens at one instant --------------------------------------------------------------------------------------

// What a run of `program` may come to.
std::set<std::string> outcomes_of(const searched_program& program) {
  class world of;
  const explored all = explore_all(of, program, {.all_shared_declared = true});
  EXPECT_TRUE(all.complete);
  return all.outcomes;
}

TEST(InstantOrdersTest, AnAnswerComesBeforeOrAfterTheLimitOfWhoWaitsForIt) {
  const auto program = [](std::string& outcome) -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms);
    udp_socket here = udp_socket::bind("10.0.0.1:7");
    const file there{&hosts.web, hosts.web.socket(AF_INET, SOCK_DGRAM, 0)};
    there.bind("10.0.0.2:7");
    there.connect("10.0.0.1:7");
    there.send("x");
    co_await sleep_for(2ms);
    std::array<std::byte, 8> into;
    try {
      co_await with_timeout(3ms, here.receive_from(into));
      outcome = "in time";
    } catch (const timed_out&) {
      outcome = "too late";
    }
    there.close();
  };
  EXPECT_EQ(outcomes_of(program), (std::set<std::string>{"in time", "too late"}));
}

// Writes its letter when it is due, and disarms another.
struct letter : timer {
  letter(char of, cause whose, std::string& all, timer* ends = nullptr) noexcept
      : timer(&write, whose), is(of), into(all), ended(ends) {}
  static void write(timer& due) noexcept {
    letter& self = static_cast<letter&>(due);
    self.into += self.is;
    if (self.ended != nullptr && self.ended->armed()) detail::current_context->owner->timers().disarm(*self.ended);
  }
  char is;
  std::string& into;
  timer* ended;
};

std::set<std::string> orders_of(const std::vector<timer::cause>& kinds, bool first_ends_second = false) {
  return outcomes_of([&](std::string& outcome) -> task<void> {
    std::vector<std::unique_ptr<letter>> all;
    for (std::size_t i = kinds.size(); i-- != 0;) {
      timer* const ended = i == 0 && first_ends_second ? all.back().get() : nullptr;
      all.push_back(std::make_unique<letter>(static_cast<char>('a' + i), kinds[i], outcome, ended));
    }
    const time_point due = now() + 1ms;
    for (auto each = all.rbegin(); each != all.rend(); ++each) {
      detail::current_context->owner->timers().arm(**each, due);
    }
    co_await sleep_for(2ms);
  });
}

TEST(InstantOrdersTest, WhatHappensAndWhoWaitsComeInAnyOrderButEachInTheirOwn) {
  using enum timer::cause;
  using several = std::set<std::string>;
  EXPECT_EQ(orders_of({event, event, event}), several{"abc"});
  EXPECT_EQ(orders_of({wait, wait}), several{"ab"});
  EXPECT_EQ(orders_of({event, wait}), (several{"ab", "ba"}));
  EXPECT_EQ(orders_of({event, wait, event}), (several{"abc", "bac", "acb"}));
  EXPECT_EQ(orders_of({wait, wait, event}), (several{"abc", "acb", "cab"}));
  EXPECT_EQ(orders_of({event, event, wait, wait}), (several{"abcd", "acbd", "acdb", "cabd", "cadb", "cdab"}));
}

TEST(InstantOrdersTest, WhatIsDisarmedMeanwhileDoesNotHappen) {
  using enum timer::cause;
  EXPECT_EQ(orders_of({event, wait, event}, true), (std::set<std::string>{"ac", "bac"}));
}

}  // namespace
}  // namespace lockstep::sim
