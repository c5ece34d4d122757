// Rules for calls on Unix sockets, by their names or by none.
#include "two_hosts.hpp"

#include <lockstep/sim/fault.hpp>

#include <gtest/gtest.h>

#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;

TEST(FaultsOfUnixSocketsTest, IsForUnixSocketsByTheirNames) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    sockaddr_un names[3] = {};
    const char* const paths[] = {"/tmp/one.sock", "/tmp/two.sock", "\0three"};
    std::vector<fault> in_force;
    in_force.push_back(on(op::bind).to("/tmp/two.sock").fail(EADDRINUSE));
    in_force.push_back(on(op::connect).to("/tmp/two.sock").fail(EACCES));
    in_force.push_back(on(op::connect).to("@three").fail(ECONNREFUSED));
    in_force.push_back(on(op::accept).to("@three").fail(EMFILE));
    in_force.push_back(on(op::write).to("@three").fail(ENOBUFS));
    in_force.push_back(on(op::connect).to("/tmp/four.sock").may_not_fire().fail(ECONNREFUSED));
    std::vector<std::string> said;
    for (std::size_t i = 0; i < 3; ++i) {
      names[i].sun_family = AF_UNIX;
      const std::size_t length = std::strlen(paths[i] + 1) + 1;
      std::memcpy(names[i].sun_path, paths[i], length);
      const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
      const auto* const name = reinterpret_cast<const sockaddr*>(&names[i]);
      const auto until_it_goes = [&said](const auto& call) {
        while (said.emplace_back(error_text(call())) != "0") {
        }
      };
      const int listener = hosts.client.socket(AF_UNIX, SOCK_STREAM, 0);
      until_it_goes([&] { return hosts.client.bind(listener, name, size); });
      EXPECT_EQ(hosts.client.listen(listener, 1), 0);
      const int connecting = hosts.client.socket(AF_UNIX, SOCK_STREAM, 0);
      until_it_goes([&] { return hosts.client.connect(connecting, name, size); });
      int accepted = -1;
      until_it_goes([&] {
        accepted = hosts.client.accept4(listener, nullptr, nullptr, 0);
        return std::min(accepted, 0);
      });
      until_it_goes([&] { return std::min<std::int64_t>(hosts.client.send(connecting, "x", 1, 0), 0); });
      for (const int each : {listener, connecting, accepted}) EXPECT_EQ(hosts.client.close(each), 0);
    }
    EXPECT_THAT(said, ElementsAre("0", "0", "0", "0",                          // one
                                  "EADDRINUSE", "0", "EACCES", "0", "0", "0",  // two
                                  "0", "ECONNREFUSED", "0", "EMFILE", "0", "ENOBUFS", "0"));
    co_return;
  });
}

TEST(FaultsOfUnixSocketsTest, EndsAConnection) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    int pair[2];
    EXPECT_EQ(hosts.client.socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const fault reset = on(op::read).fail(ECONNRESET);
    const auto timeout = on(op::read).fail(ETIMEDOUT).may_not_fire();  // which no Unix socket meets with
    const file one{&hosts.client, pair[0]};
    const file other{&hosts.client, pair[1]};
    EXPECT_EQ(one.send("lost"), "4");
    EXPECT_EQ(other.recv(), "ECONNRESET");
    EXPECT_EQ(other.recv(), "end");
    EXPECT_EQ(one.recv(), "ECONNRESET");
    EXPECT_EQ(one.send("x"), "EPIPE");
    one.close();
    other.close();
    co_return;
  });
}

// As the shell finds it: from the working directory on, and by links.
TEST(FaultsOfUnixSocketsTest, FindsThePathThatANameLeadsTo) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    host& on_it = hosts.client;
    const auto name_of = [](const char* path) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::strncpy(name.sun_path, path, sizeof name.sun_path - 1);
      return name;
    };
    const auto at = [](const sockaddr_un& name) { return reinterpret_cast<const sockaddr*>(&name); };
    const int listener = on_it.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(on_it.mkdirat(AT_FDCWD, "/run", 0777), 0);
    const sockaddr_un real = name_of("/run/db.sock");
    EXPECT_EQ(on_it.bind(listener, at(real), sizeof real), 0);
    EXPECT_EQ(on_it.listen(listener, 10), 0);
    EXPECT_EQ(on_it.symlinkat("/run/db.sock", AT_FDCWD, "/link"), 0);
    EXPECT_EQ(on_it.chdir("/run"), 0);
    const fault refused = on(op::connect).to("/run/*.sock").forever().fail(ECONNREFUSED);
    for (const char* const each : {"/run/db.sock", "db.sock", "/run/../run/./db.sock", "/link"}) {
      const int connecting = on_it.socket(AF_UNIX, SOCK_STREAM, 0);
      const sockaddr_un name = name_of(each);
      EXPECT_EQ(on_it.connect(connecting, at(name), sizeof name), -ECONNREFUSED) << each;
      EXPECT_EQ(on_it.close(connecting), 0);
    }
    EXPECT_EQ(refused.fired(), 4u);
    EXPECT_EQ(on_it.close(listener), 0);
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
