#include <lockstep/sim/host.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

task<const system_calls*> whose() { co_return &current_system(); }
task<const system_calls*> whose_of_a_child() { co_return co_await spawn(whose()).join(); }

TEST(HostTest, RunsWhatIsSpawnedOnItAndWhatThatSpawns) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    auto there = hosts.web.spawn(whose_of_a_child());
    EXPECT_EQ(co_await there.join(), &hosts.web);
    EXPECT_EQ(co_await whose(), &hosts.client);
  });
}

TEST(HostTest, IsTheCurrentOneWhileAScopeLives) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    {
      const auto here = hosts.web.enter();
      EXPECT_EQ(co_await whose(), &hosts.web);
      EXPECT_EQ(co_await spawn(whose()).join(), &hosts.web);
    }
    EXPECT_EQ(co_await whose(), &hosts.client);
  });
}

// Its tasks are destroyed within a step of another's.
TEST(HostTest, IsTheCurrentOneInDestructorsOfItsTasks) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    struct asking {
      const system_calls*& found;
      explicit asking(const system_calls*& into) : found(into) {}
      asking(const asking&) = delete;
      asking& operator=(const asking&) = delete;
      ~asking() { found = &current_system(); }
    };
    const auto wait = [](const system_calls*& found) -> task<void> {
      const asking end(found);
      co_await sleep_for(std::chrono::hours(1));
    };
    const system_calls* found = nullptr;
    const auto there = hosts.web.spawn(wait(found));
    co_await yield();
    hosts.web.crash();
    EXPECT_EQ(found, &hosts.web);
    EXPECT_EQ(&current_system(), &hosts.client);
  });
}

TEST(HostTest, HasDescriptorsOfItsOwn) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file one = tcp(hosts.client);
    const file other = tcp(hosts.web);
    EXPECT_EQ(one.fd, other.fd);
    one.close();
    EXPECT_EQ(hosts.client.close(one.fd), -EBADF);
    other.close();
    co_return;
  });
}

TEST(HostTest, ReservesLowPortsUnlessItIsPrivileged) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    hosts.web.set_privileged(false);
    const file one = tcp(hosts.web);
    EXPECT_EQ(one.bind("10.0.0.2:80"), "EACCES");
    EXPECT_EQ(one.bind("10.0.0.2:8080"), "0");
    one.close();
    co_return;
  });
}

TEST(HostTest, ReachesItselfByAnyOfItsAddresses) {
  run_on_hosts([]() -> task<void> {
    host& web = lockstep::world().host("web", {"10.0.0.7", "2001:db8::7"});
    const file listener = listening(web, "[::]:80");
    for (const endpoint& to : {endpoint("10.0.0.7:80"), endpoint("127.0.0.1:80")}) {
      const file client = tcp(web);
      EXPECT_EQ(client.connect(to), "EINPROGRESS");
      const file server = listener.accept();
      sockaddr_storage name{};
      socklen_t size = sizeof name;
      EXPECT_EQ(web.getpeername(server.fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
      EXPECT_EQ(endpoint::from(reinterpret_cast<sockaddr*>(&name), size)->address(), to.address().mapped());
      client.close();
      server.close();
    }
    listener.close();
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
