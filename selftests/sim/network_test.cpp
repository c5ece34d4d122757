#include <lockstep/sim/network.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using testing::HasSubstr;

std::string misuse_of(task<void> body) {
  class world of;
  EXPECT_THROW(of.run(std::move(body)), misuse);
  return of.verdicts().empty() ? "" : of.verdicts().front().message;
}

TEST(NetworkTest, BeginsWithTheHostOnWhichTheTestRuns) {
  run_on_hosts([]() -> task<void> {
    network& of = lockstep::world().network();
    EXPECT_EQ(of.first_host().name(), "client");
    EXPECT_EQ(of.first_host().address(), "10.0.0.1");
    EXPECT_EQ(&current_system(), &of.first_host());
    co_return;
  });
}

TEST(NetworkTest, FindsHostsByNameAndByAddress) {
  run_on_hosts([]() -> task<void> {
    network& of = lockstep::world().network();
    host& web = of.add_host("web", {"10.0.0.7", "2001:db8::7"});
    host& db = of.add_host("db");
    EXPECT_EQ(db.address(), "10.0.0.2");
    EXPECT_EQ(&of.at("web"), &web);
    EXPECT_EQ(of.host_of("2001:db8::7"), &web);
    EXPECT_EQ(of.host_of("10.0.0.9"), nullptr);
    EXPECT_EQ(of.find("nobody"), nullptr);
    co_return;
  });
}

TEST(NetworkTest, IsNewInEachRun) {
  class world of;
  for (int i = 0; i < 2; ++i) {
    of.run([]() -> task<void> {
      EXPECT_EQ(lockstep::world().network().hosts().size(), 1);
      lockstep::world().host("web");
      co_return;
    });
  }
}

TEST(NetworkTest, RefusesNamesAndAddressesThatAreTaken) {
  EXPECT_EQ(misuse_of([]() -> task<void> {
              lockstep::world().host("client");
              co_return;
            }()),
            "there is a host \"client\" already, which network().at(\"client\") finds");
  EXPECT_EQ(misuse_of([]() -> task<void> {
              lockstep::world().host("web", "10.0.0.1");
              co_return;
            }()),
            "10.0.0.1 is the address of host \"client\"");
  EXPECT_EQ(misuse_of([]() -> task<void> {
              lockstep::world().host("web", "127.0.0.1");
              co_return;
            }()),
            "127.0.0.1 can be no address of a host");
  EXPECT_EQ(misuse_of([]() -> task<void> {
              lockstep::world().link("client", "client");
              co_return;
            }()),
            "host \"client\" has no link to itself");
  for (const char* const name : {"", "web:80", "/run/db", "[::1]"}) {
    const auto made = [](std::string of) -> task<void> {
      lockstep::world().host(of);
      co_return;
    };
    EXPECT_THAT(misuse_of(made(name)), HasSubstr("\" is no name of a host"));
  }
}

TEST(NetworkTest, RefusesRoutesThatAreNone) {
  const auto refused = [](ip_address network, unsigned bits, int error) -> task<void> {
    lockstep::world().network().first_host().refuse_route(network, bits, error);
    co_return;
  };
  EXPECT_EQ(misuse_of(refused("10.0.0.0", 33, EACCES)), "10.0.0.0/33 is no network: it has 32 bits");
  EXPECT_EQ(misuse_of(refused("fd00::", 129, EACCES)), "fd00::/129 is no network: it has 128 bits");
  EXPECT_THAT(misuse_of(refused("10.0.0.0", 8, EIO)), HasSubstr("a route does not fail with error 5"));
}

TEST(NetworkTest, TellsOfSocketsThatWereNotClosed) {
  class world of;
  of.run([]() -> task<void> {
    const two_hosts hosts;
    const file left = listening(hosts.web, "10.0.0.2:80");
    hosts.web.opened_at(left.fd, source::current());
    co_return;
  });
  ASSERT_EQ(of.verdicts().size(), 1);
  EXPECT_EQ(of.verdicts().front().kind, verdict_kind::leaked_descriptor);
  EXPECT_EQ(of.verdicts().front().message,
            "listening tcp socket 10.0.0.2:80 of host \"web\" was still open at the end, as descriptor 3");
  EXPECT_THAT(file_and_line(of.verdicts().front().where), HasSubstr("network_test.cpp"));
}

// How the first verdict on that body, which leaves a file open, goes on behind what it is of.
template <class F>
std::string opener_told_of(F body) {
  class world of;
  of.run(body());
  if (of.verdicts().empty()) return "nothing";
  const verdict& found = of.verdicts().front();
  const std::string ends = "as descriptor 3";
  const std::string text = found.message.substr(found.message.find(ends) + ends.size());
  return text + (found.where.line() == 0 ? "" : " at " + file_and_line(found.where));
}

TEST(NetworkTest, TellsWhereWhatADirectCallOpenedWasOpened) {
  EXPECT_EQ(opener_told_of([]() -> task<void> {
              current_system().socket(AF_INET, SOCK_STREAM, 0);
              co_return;
            }),
            ", opened by a direct call of the system in network_test.cpp in a lambda");
  unsigned line = 0;
  const auto opens = [&line]() -> task<void> {
    line = source::current().line() + 1;
    co_await yield();
    current_system().eventfd(0, 0);
  };
  const std::string told = opener_told_of([&]() -> task<void> {
    auto opener = spawn(opens(), "opener");
    co_await opener.join();
  });
  const std::string place = "network_test.cpp:" + std::to_string(line);
  EXPECT_EQ(told, ", opened by a direct call of the system behind " + place + " at " + place);
  EXPECT_EQ(opener_told_of([]() -> task<void> {
              const auto opens_a_pair = []() -> task<void> {
                int fds[2];
                current_system().pipe2(fds, 0);
                co_return;
              };
              co_await spawn(opens_a_pair()).join();
            }),
            ", opened by a direct call of the system in network_test.cpp in a lambda");
}

// Each of ten thousand is a client of one server.
TEST(NetworkTest, HasHostsInThousands) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80", 4096);
    std::vector<file> all;
    for (int i = 0; i < 10'000; ++i) {
      host& one = lockstep::world().host("host " + std::to_string(i));
      all.push_back(tcp(one));
      all.back().connect("10.0.0.2:80");
      hosts.web.descriptors().set_limit(100'000);
      all.push_back(listener.accept());
      EXPECT_EQ(all[all.size() - 2].send("hello"), "5");
      EXPECT_EQ(all.back().recv(), "hello");
    }
    for (const file& each : all) each.close();
    listener.close();
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
