#include <lockstep/net/resolver.hpp>

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netdb.h>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

template <class F>
void in_a_network(F body) {
  sim::world simulation;
  const auto main = [&]() -> task<void> { co_await body(simulation.network()); };
  simulation.run(main());
}

TEST(ResolverTest, GivesEachAddressThePort) {
  in_a_network([](sim::network& net) -> task<void> {
    net.add_host("web", {"10.0.0.2", "fd00::2"});
    EXPECT_THAT(co_await resolver().resolve("web", 80), ElementsAre(endpoint("[fd00::2]:80"), endpoint("10.0.0.2:80")));
    EXPECT_THAT(co_await resolver({.family = address_family::v4}).resolve("web", 80),
                ElementsAre(endpoint("10.0.0.2:80")));
  });
}

TEST(ResolverTest, AsksNobodyForAnAddressThatIsWrittenOut) {
  in_a_network([](sim::network& net) -> task<void> {
    net.dns().fail("10.9.9.9", {.failure = sim::name_failure::timeout, .may_not_fire = true});
    EXPECT_THAT(co_await resolver().look_up("10.9.9.9"), ElementsAre(ip_address("10.9.9.9")));
    EXPECT_THAT(co_await resolver().look_up("fe80::1%2"), ElementsAre(ip_address("fe80::1%2")));
    try {
      co_await resolver({.family = address_family::v6}).look_up("10.9.9.9");
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::error_code(EAI_ADDRFAMILY, getaddrinfo_category()));
    }
    EXPECT_EQ(now().time_since_epoch(), 0s);
  });
}

// What the C library makes of a name without asking anybody; "none" if it does not.
std::string numeric(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* given = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &wanted, &given) != 0) return "none";
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(given, &freeaddrinfo);
  return endpoint::from(given->ai_addr, given->ai_addrlen).value().address().text();
}

TEST(ResolverTest, TakesForAnAddressWhatTheCLibraryTakesForOne) {
  in_a_network([](sim::network&) -> task<void> {
    for (const char* name : {"10.1", "10.1.2", "1", "0x7f.1", "0X7F000001", "010.0.0.2", "10.0.0.010", "10.0.0.256",
                             "10.", "10.0.0.0.1", "1e2", "0x", "x", "::1", "::ffff:10.1", "10.1 ", "4294967296"}) {
      std::string found = "none";
      try {
        found = (co_await resolver().look_up(name)).front().text();
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::error_code(EAI_NONAME, getaddrinfo_category())) << name;
      }
      EXPECT_EQ(found, numeric(name)) << name;
    }
  });
}

TEST(ResolverTest, ThrowsWhatGetaddrinfoSays) {
  in_a_network([](sim::network& net) -> task<void> {
    try {
      co_await resolver().resolve("nobody", 80);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::error_code(EAI_NONAME, getaddrinfo_category()));
      EXPECT_THAT(error.what(), HasSubstr("no address of \"nobody\""));
      EXPECT_THAT(error.what(), HasSubstr(gai_strerror(EAI_NONAME)));
    }
    net.dns().fail_with("nobody", EAI_SYSTEM, EMFILE);
    try {
      co_await resolver().resolve("nobody", 80);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::error_code(EMFILE, std::system_category()));
    }
  });
}

}  // namespace
}  // namespace lockstep
