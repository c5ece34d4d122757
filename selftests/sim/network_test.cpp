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
