// What the resolver does on the operating system: names that need no network.
#include <lockstep/net/resolver.hpp>

#include <lockstep/lockstep.hpp>
#include <lockstep/real/world.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netdb.h>

namespace lockstep {
namespace {

using testing::Contains;
using testing::ElementsAre;

TEST(ResolverOnTheSystemTest, AsksGetaddrinfo) {
  real::world world;
  const auto ask = []() -> task<std::vector<endpoint>> {
    co_return co_await resolver({.family = address_family::v4}).resolve("localhost", 80);
  };
  EXPECT_THAT(world.run(ask()), ElementsAre(endpoint("127.0.0.1:80")));
}

TEST(ResolverOnTheSystemTest, ThrowsItsErrors) {
  real::world world;
  const auto ask = []() -> task<std::error_code> {
    try {
      co_await resolver().look_up("a..b");
    } catch (const std::system_error& error) {
      co_return error.code();
    }
    co_return std::error_code();
  };
  EXPECT_EQ(world.run(ask()), std::error_code(EAI_NONAME, getaddrinfo_category()));
}

}  // namespace
}  // namespace lockstep
