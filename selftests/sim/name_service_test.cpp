#include <lockstep/sim/name_service.hpp>

#include "udp_calls.hpp"

#include <lockstep/net/resolver.hpp>

#include <netdb.h>

#include <functional>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// What came of a look-up, and how long it took.
struct outcome {
  int error = 0;
  std::vector<std::string> addresses;
  duration took{};
};

task<outcome> found(std::string name, address_family family = address_family::any) {
  outcome result;
  const time_point began = now();
  try {
    for (const ip_address& each : co_await resolver({.family = family}).look_up(name)) {
      result.addresses.push_back(each.text());
    }
  } catch (const std::system_error& error) {
    result.error = error.code().value();
  }
  result.took = now() - began;
  co_return result;
}

TEST(NameServiceTest, KnowsHostsByThemselves) {
  in_network([](network& net) -> task<void> {
    net.add_host("web", {"10.0.0.2", "fd00::2"});
    net.dns().add("web", "10.9.9.9");  // the hosts file goes first
    net.dns().add_to_hosts("printer", "10.0.0.77");
    EXPECT_THAT((co_await found("web")).addresses, ElementsAre("fd00::2", "10.0.0.2"));
    EXPECT_THAT((co_await found("web", address_family::v4)).addresses, ElementsAre("10.0.0.2"));
    EXPECT_THAT((co_await found("Client")).addresses, ElementsAre("10.0.0.1"));
    EXPECT_THAT((co_await found("localhost")).addresses, ElementsAre("::1", "127.0.0.1"));
    EXPECT_THAT((co_await found("PRINTER.")).addresses, ElementsAre("10.0.0.77"));
    EXPECT_EQ((co_await found("client", address_family::v6)).error, EAI_NODATA);
  });
}

TEST(NameServiceTest, FailsAsTheCLibraryDoes) {
  in_network([](network& net) -> task<void> {
    name_service& dns = net.dns();
    dns.add("four.example", "10.0.0.7");
    EXPECT_EQ((co_await found("nobody.example")).error, EAI_NONAME);
    EXPECT_EQ((co_await found("a..b")).error, EAI_NONAME);
    EXPECT_EQ((co_await found("four.example", address_family::v6)).error, EAI_NODATA);
    for (const auto& [failure, error] : std::map<name_failure, int>{{name_failure::no_such_name, EAI_NONAME},
                                                                    {name_failure::no_data, EAI_NODATA},
                                                                    {name_failure::server_failure, EAI_AGAIN},
                                                                    {name_failure::refused, EAI_AGAIN}}) {
      dns.fail("four.example", {.failure = failure});
      const outcome failed = co_await found("four.example");
      EXPECT_EQ(failed.error, error);
      EXPECT_EQ(failed.took, 0s);
    }
    dns.heal("four.example");
    EXPECT_EQ((co_await found("four.example")).error, 0);
    dns.fail_with("four.example", EAI_MEMORY);
    EXPECT_EQ((co_await found("four.example")).error, EAI_MEMORY);
    dns.fail_with("four.example", EAI_SYSTEM, EMFILE);
    EXPECT_EQ((co_await found("four.example")).error, EMFILE);
  });
}

TEST(NameServiceTest, GivesUpOnASilentServerAfterTenSeconds) {
  in_network([](network& net) -> task<void> {
    name_service& dns = net.dns();
    dns.add("db.example", "10.0.0.7");
    dns.fail("db.example", {.failure = name_failure::timeout});
    const outcome silent = co_await found("db.example");
    EXPECT_EQ(silent.error, EAI_AGAIN);
    EXPECT_EQ(silent.took, 10s);
    dns.fail("db.example", {.failure = name_failure::timeout, .count = 1});
    const outcome second_round = co_await found("db.example");
    EXPECT_THAT(second_round.addresses, ElementsAre("10.0.0.7"));
    EXPECT_EQ(second_round.took, 5s);
    // One family that never answers holds up the other.
    dns.heal("db.example");
    dns.fail("db.example", {.failure = name_failure::timeout, .family = AF_INET6});
    const outcome half = co_await found("db.example");
    EXPECT_THAT(half.addresses, ElementsAre("10.0.0.7"));
    EXPECT_EQ(half.took, 15s);
  });
}

TEST(NameServiceTest, MakesOneAnswerOfTwo) {
  using enum name_failure;
  struct row {
    name_failure v4;
    name_failure v6;
    int error;
    duration took;
  };
  constexpr row rows[] = {
      {server_failure, no_such_name, EAI_NONAME, 0s},
      {no_data, server_failure, EAI_NODATA, 0s},
      {server_failure, no_data, EAI_NODATA, 0s},
      {no_data, no_such_name, EAI_NONAME, 0s},
      {no_such_name, timeout, EAI_NONAME, 15s},
      {no_data, timeout, EAI_NODATA, 15s},
      {timeout, no_data, EAI_AGAIN, 15s},
      {timeout, none, EAI_AGAIN, 15s},
      {timeout, server_failure, EAI_AGAIN, 10s},
      {server_failure, timeout, EAI_AGAIN, 10s},
      {server_failure, none, 0, 0s},
      {none, no_such_name, 0, 0s},
  };
  in_network([&](network& net) -> task<void> {
    for (const row& each : rows) {
      name_service& dns = net.dns();
      dns.remove("db.example");
      if (each.v4 == none) dns.add("db.example", "10.0.0.7");
      if (each.v6 == none) dns.add("db.example", "fd00::7");
      dns.fail("db.example", {.failure = each.v4, .family = AF_INET});
      dns.fail("db.example", {.failure = each.v6, .family = AF_INET6});
      const outcome came = co_await found("db.example");
      EXPECT_EQ(came.error, each.error) << static_cast<int>(each.v4) << " and " << static_cast<int>(each.v6);
      EXPECT_EQ(came.took, each.took) << static_cast<int>(each.v4) << " and " << static_cast<int>(each.v6);
    }
  });
}

TEST(NameServiceTest, AsksOnceMoreWhenTheServerFails) {
  in_network([](network& net) -> task<void> {
    name_service& dns = net.dns();
    dns.add("db.example", "10.0.0.7");
    dns.fail("db.example", {.failure = name_failure::server_failure, .count = 1});
    EXPECT_THAT((co_await found("db.example")).addresses, ElementsAre("10.0.0.7"));
    dns.heal("db.example");
    dns.fail("db.example", {.failure = name_failure::server_failure, .family = AF_INET6});
    EXPECT_THAT((co_await found("db.example")).addresses, ElementsAre("10.0.0.7"));
    EXPECT_EQ((co_await found("db.example", address_family::v6)).error, EAI_AGAIN);
  });
}

TEST(NameServiceTest, TakesARoundTripAndOverTcpTwoMore) {
  in_network([](network& net) -> task<void> {
    lane_traits slow;
    slow.latency_min = slow.latency_max = 10ms;
    net.set_default_traits(slow);
    name_service& dns = net.dns();
    dns.serve_on(net.add_host("ns"));
    dns.add("db.example", "10.0.0.7");
    EXPECT_EQ((co_await found("db.example")).took, 20ms);
    dns.fail("db.example", {.failure = name_failure::truncated});
    const outcome long_one = co_await found("db.example");
    EXPECT_THAT(long_one.addresses, ElementsAre("10.0.0.7"));
    EXPECT_EQ(long_one.took, 60ms);
    dns.heal("db.example");
    dns.fail("db.example", {.delay = 1s, .family = AF_INET6});
    EXPECT_EQ((co_await found("db.example")).took, 1s + 20ms);
    EXPECT_EQ((co_await found("db.example", address_family::v4)).took, 20ms);
  });
}

TEST(NameServiceTest, HearsNothingOverALaneThatIsCutOrLoses) {
  in_network([](network& net) -> task<void> {
    host& ns = net.add_host("ns");
    name_service& dns = net.dns();
    dns.serve_on(ns);
    dns.add("db.example", "10.0.0.7");
    lane& back = *net.lane_between(ns, net.first_host());
    back.add_cut();
    const outcome cut = co_await found("db.example");
    EXPECT_EQ(cut.error, EAI_AGAIN);
    EXPECT_EQ(cut.took, 10s);
    back.heal();
    EXPECT_EQ((co_await found("db.example")).took, 0s);
  });
  named_choices first_lost({{"client -> ns loss", {1, 0}}});
  in_network(
      [](network& net) -> task<void> {
        host& ns = net.add_host("ns");
        net.dns().serve_on(ns);
        net.dns().add("db.example", "10.0.0.7");
        lane_traits losing;
        losing.loss = 100;
        net.lane_between(net.first_host(), ns)->set_traits(losing);
        EXPECT_EQ((co_await found("db.example", address_family::v4)).took, 5s);
      },
      &first_lost);
}

TEST(NameServiceTest, KeepsAnAnswerForItsTimeToLiveOnEachHost) {
  in_network([](network& net) -> task<void> {
    name_service& dns = net.dns();
    host& web = net.add_host("web");
    dns.add("db.example", "10.0.0.7", 30s);
    dns.add("now.example", "10.0.0.7");
    co_await found("db.example");
    co_await found("now.example");
    for (const char* each : {"db.example", "now.example"}) {
      dns.remove(each);
      dns.add(each, "10.0.0.8", 30s);
    }
    EXPECT_THAT((co_await found("now.example")).addresses, ElementsAre("10.0.0.8"));
    EXPECT_THAT((co_await web.spawn(found("db.example")).join()).addresses, ElementsAre("10.0.0.8"));
    co_await sleep_for(30s - 1ns);
    EXPECT_THAT((co_await found("db.example")).addresses, ElementsAre("10.0.0.7"));
    co_await sleep_for(1ns);
    EXPECT_THAT((co_await found("db.example")).addresses, ElementsAre("10.0.0.8"));
  });
}

TEST(NameServiceTest, BeginsWithWhicheverAddressIsPicked) {
  named_choices second({{"order of db.example", {1}}});
  in_network(
      [](network& net) -> task<void> {
        for (const char* each : {"10.0.0.7", "10.0.0.8", "10.0.0.9", "fd00::7"}) net.dns().add("db.example", each);
        EXPECT_THAT((co_await found("db.example")).addresses,
                    ElementsAre("fd00::7", "10.0.0.8", "10.0.0.9", "10.0.0.7"));
        EXPECT_THAT((co_await found("db.example")).addresses,
                    ElementsAre("fd00::7", "10.0.0.7", "10.0.0.8", "10.0.0.9"));
      },
      &second);
}

TEST(NameServiceTest, FollowsAnAliasToAHost) {
  in_network([](network& net) -> task<void> {
    net.add_host("web", {"10.0.0.2"});
    net.dns().alias("www.example", "web");
    EXPECT_THAT((co_await found("www.example")).addresses, ElementsAre("10.0.0.2"));
  });
}

TEST(NameServiceTest, ForgetsWhoWantsNoAnswerAnyMore) {
  in_network([](network& net) -> task<void> {
    net.dns().fail("db.example", {.failure = name_failure::timeout});
    EXPECT_FALSE(co_await as_result(with_timeout(1s, resolver().look_up("db.example"))));
    EXPECT_EQ(now().time_since_epoch(), 1s);
    co_await sleep_for(20s);
  });
}

// -- faults that never happen -----------------------------------------------------------------------------------------

// What is said of a run whose test does that with names of which one is "db.example".
std::vector<std::string> said_with_names(std::function<task<void>(name_service&)> test) {
  class world of;
  try {
    of.run([&test]() -> task<void> {
      name_service& dns = lockstep::world().network().dns();
      dns.add("db.example", "10.0.0.7");
      co_await test(dns);
    });
  } catch (const misuse&) {
  }
  std::vector<std::string> all;
  for (const verdict& each : of.verdicts()) all.push_back(each.message);
  return all;
}

const std::string never_asked = "fault on the name \"db.example\" never fired: its server was not asked for it";

TEST(NameServiceTest, AFaultThatNeverFiredIsAVerdict) {
  using enum name_failure;
  EXPECT_THAT(
      said_with_names([](name_service& dns) -> task<void> {
        dns.fail("db.example", {.failure = timeout});
        dns.heal("db.example");
        dns.fail("db.example", {.failure = refused});
        dns.fail("db.example", {.failure = none, .may_not_fire = true});  // in its place
        dns.fail_with("db.example", EAI_MEMORY);
        dns.heal("db.example");
        co_return;
      }),
      ElementsAre(never_asked, never_asked, "fault on the name \"db.example\" never fired: no host looked it up"));
  EXPECT_THAT(said_with_names([](name_service& dns) -> task<void> {
                dns.fail("db.example", {.delay = 1s});
                dns.fail_with("db.example", EAI_MEMORY);
                co_return;
              }),
              ElementsAre(never_asked, "fault on the name \"db.example\" never fired: no host looked it up"))
      << "when the run ends";
  EXPECT_THAT(said_with_names([](name_service& dns) -> task<void> {
                dns.fail("db.example", {.failure = refused});
                dns.fail("db.example", {.failure = refused, .family = AF_INET});  // of one family it stands still
                co_await found("db.example", address_family::v6);
              }),
              ElementsAre(never_asked));
}

TEST(NameServiceTest, OneThatFiredOrNeedNotIsNone) {
  using enum name_failure;
  EXPECT_THAT(said_with_names([](name_service& dns) -> task<void> {
                dns.fail("db.example", {.failure = refused});
                co_await found("db.example", address_family::v4);
                dns.fail("db.example", {});  // says nothing, and heals
                EXPECT_EQ((co_await found("db.example")).error, 0);
                dns.fail_with("db.example", EAI_MEMORY);
                EXPECT_EQ((co_await found("db.example")).error, EAI_MEMORY);
                dns.fail("other.example", {.failure = timeout, .may_not_fire = true});
              }),
              IsEmpty());
}

TEST(NameServiceTest, IsMisusedByWhatIsNone) {
  EXPECT_THAT(said_with_names([](name_service& dns) -> task<void> {
                EXPECT_THROW(dns.add("a..b", "10.0.0.7"), misuse);
                EXPECT_THROW(dns.alias("www.example", ""), misuse);
                EXPECT_THROW(dns.add_to_hosts("x y", "10.0.0.7"), misuse);
                EXPECT_THROW(dns.fail("", {.delay = 1s}), misuse);
                EXPECT_THROW(dns.fail("db.example", {.delay = -1s}), misuse);
                EXPECT_THROW(dns.fail("db.example", {.delay = 1s, .count = 0}), misuse);
                EXPECT_THROW(dns.fail_with("db.example", 0), misuse);
                EXPECT_THROW(dns.fail_with("db.example", ENOMEM), misuse);
                EXPECT_THROW(dns.fail_with("db.example", EAI_SYSTEM), misuse);
                EXPECT_THROW(dns.fail_with("db.example", EAI_AGAIN, EMFILE), misuse);
                EXPECT_THROW(dns.add("db.example", "10.0.0.7", -1s), misuse);
                co_return;
              }).size(),
              11u);
}

}  // namespace
}  // namespace lockstep::sim
