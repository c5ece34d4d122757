#include "talking_hosts.hpp"

#include <lockstep/fs/file.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Says when it is destroyed.
struct noted_end {
  std::string* into;
  std::string text;
  noted_end(std::string& log, std::string name) : into(&log), text(std::move(name)) {}
  noted_end(const noted_end&) = delete;
  noted_end& operator=(const noted_end&) = delete;
  ~noted_end() { *into += text; }
};

task<void> wait_for_ever(std::string& log) {
  const noted_end end(log, "gone ");
  try {
    co_await sleep_for(1000h);
  } catch (const cancelled&) {
    log += "cancelled ";
    throw;
  }
}

// -- crash ------------------------------------------------------------------------------------------------------------

TEST(HostFailuresTest, ACrashDestroysTheTasksAndCancelsNone) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    const auto own = hosts.web.spawn(wait_for_ever(log));
    const auto other = spawn(wait_for_ever(log));
    co_await yield();
    EXPECT_EQ(hosts.web.tasks().size(), 1u);
    hosts.web.crash();
    EXPECT_EQ(log, "gone ");
    EXPECT_TRUE(own.done());
    EXPECT_FALSE(other.done());
    EXPECT_TRUE(hosts.web.is_down());
    EXPECT_TRUE(hosts.web.tasks().empty());
    auto& left = const_cast<join_handle<void>&>(other);
    left.cancel();
    EXPECT_THROW(co_await left.join(), cancelled);
  });
}

TEST(HostFailuresTest, WhoJoinsATaskOfItIsCancelled) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    auto own = hosts.web.spawn(wait_for_ever(log));
    auto joins = spawn([](join_handle<void>& of) -> task<std::string> {
      try {
        co_await of.join();
      } catch (const cancelled& thrown) {
        co_return std::string(thrown.reason());
      }
      co_return "joined";
    }(own));
    co_await yield();
    hosts.web.crash();
    EXPECT_THAT(co_await joins.join(), HasSubstr("host \"web\" crashed"));
    EXPECT_TRUE(own.done());
  });
}

TEST(HostFailuresTest, ACrashedHostIsSilentUntilOthersTimeOut) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    client.user_timeout(30s);
    hosts.web.crash();
    co_await client.write("anybody there?");
    const time_point began = now();
    EXPECT_EQ(co_await read_from(client), "ETIMEDOUT");
    EXPECT_EQ(now() - began, 30s);
    EXPECT_EQ(co_await connect_to(web_80), "ETIMEDOUT");
  });
}

TEST(HostFailuresTest, DestructorsOfACrashedHostDoNothing) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    struct farewell {
      host* on;
      int fd;
      explicit farewell(host& of, int with) : on(&of), fd(with) {}
      farewell(const farewell&) = delete;
      farewell& operator=(const farewell&) = delete;
      ~farewell() {
        EXPECT_EQ(error_text(on->send(fd, "bye", 3, 0)), "EBADF");
        EXPECT_EQ(error_text(on->socket(AF_INET, SOCK_STREAM, 0)), "EMFILE");
      }
    };
    const auto serve = [](host& on) -> task<void> {
      tcp_listener listener = tcp_listener::bind(web_80);
      tcp_stream peer = co_await listener.accept();
      const farewell bye(on, peer.native_handle());
      co_await sleep_for(1000h);
    };
    const auto server = hosts.web.spawn(serve(hosts.web));
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    co_await sleep_for(1s);
    hosts.web.crash();
    client.user_timeout(1s);
    co_await client.write("hello");
    EXPECT_EQ(co_await read_from(client), "ETIMEDOUT");
    EXPECT_TRUE(server.done());
  });
}

// A name needs no descriptor.
struct tidying {
  host& on;
  explicit tidying(host& own) : on(own) {}
  tidying(const tidying&) = delete;
  tidying& operator=(const tidying&) = delete;
  ~tidying() {
    EXPECT_EQ(error_text(on.unlinkat(AT_FDCWD, "/lock", 0)), "EIO");
    EXPECT_EQ(error_text(on.renameat2(AT_FDCWD, "/lock", AT_FDCWD, "/other", 0)), "EIO");
    EXPECT_EQ(error_text(on.mkdirat(AT_FDCWD, "/folder", S_IRWXU)), "EIO");
    EXPECT_EQ(error_text(on.truncate("/lock", 0)), "EIO");
    on.sync();
  }
};

task<void> writes_and_tidies_up(host& own) {
  const tidying at_the_end(own);
  own.truncate("/lock", 5);
  co_await sleep_for(1000h);
}

TEST(HostFailuresTest, DestructorsOfItsTasksChangeNoFile) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    plain_files files = lockstep::world().fs("web");
    files.crash_model(strict_sync);
    files.write_file("/lock", "held");
    const auto killed = hosts.web.spawn(writes_and_tidies_up(hosts.web));
    co_await yield();
    hosts.web.kill();
    EXPECT_EQ(files.tree(), "/lock 5 bytes\n/tmp/\n");
    const auto crashed = hosts.web.restart([&] { return writes_and_tidies_up(hosts.web); });
    co_await yield();
    hosts.web.crash();
    EXPECT_EQ(files.tree(), "/lock 4 bytes\n/tmp/\n");
    EXPECT_TRUE(killed.done() && crashed.done());
  });
}

TEST(HostFailuresTest, AHostMayCrashItself) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    const auto suicide = [](host& own, std::string& into) -> task<void> {
      const noted_end end(into, "gone ");
      own.crash();
      into += "still here ";
      co_await sleep_for(0s);
      into += "never ";
    };
    const auto dies = hosts.web.spawn(suicide(hosts.web, log));
    co_await sleep_for(1s);
    EXPECT_EQ(log, "still here gone ");
    EXPECT_TRUE(dies.done());
  });
}

// -- restart ----------------------------------------------------------------------------------------------------------

TEST(HostFailuresTest, ANewLifeServesAndResetsConnectionsOfTheOld) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream old = co_await connect_tcp(web_80);
    tcp_stream silent = co_await connect_tcp(web_80);
    hosts.web.crash();
    co_await old.write("anybody there?");
    co_await sleep_for(1s);
    auto life = hosts.web.restart([]() -> task<void> { co_await echo_at("10.0.0.2:80"); });
    EXPECT_FALSE(hosts.web.is_down());
    co_await yield();
    EXPECT_EQ(co_await read_from(old), "ECONNRESET");
    tcp_stream fresh = co_await connect_tcp(web_80);
    co_await fresh.write("hello");
    EXPECT_EQ(co_await read_from(fresh), "hello");
    co_await silent.write("me too");
    EXPECT_EQ(co_await read_from(silent), "ECONNRESET");
    life.cancel();
    EXPECT_THROW(co_await life.join(), cancelled);
  });
}

TEST(HostFailuresTest, LinksOfACrashedHostAreCutWheneverTheyAreMade) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    hosts.web.crash();
    host& late = lockstep::world().host("late");
    EXPECT_TRUE(lockstep::world().network().lane_between(late, hosts.web)->cut());
    auto life = hosts.web.restart([]() -> task<void> { co_return; });
    EXPECT_FALSE(lockstep::world().network().lane_between(late, hosts.web)->cut());
    co_await life.join();
  });
}

TEST(HostFailuresTest, ACrashedHostHasNoPortsInTimeWait) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    there.close();
    here.close();
    listener.close();
    file again = tcp(hosts.web);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "EADDRINUSE");
    hosts.web.crash();
    co_await hosts.web.restart([]() -> task<void> { co_return; }).join();
    again = tcp(hosts.web);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "0");
    again.close();
  });
}

// -- kill -------------------------------------------------------------------------------------------------------------

TEST(HostFailuresTest, TheSystemOfAKilledProcessClosesItsDescriptors) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    co_await client.write("hello");
    EXPECT_EQ(co_await read_from(client), "hello");
    hosts.web.kill();
    EXPECT_EQ(co_await read_from(client), "end");
    EXPECT_EQ(co_await connect_to(web_80), "ECONNREFUSED");
    EXPECT_FALSE(hosts.web.is_down());
  });
}

TEST(HostFailuresTest, WhatAKilledProcessHasNotReadMakesAReset) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const auto serve = []() -> task<void> {
      tcp_listener listener = tcp_listener::bind(web_80);
      tcp_stream peer = co_await listener.accept();
      co_await sleep_for(1000h);
    };
    const auto server = hosts.web.spawn(serve());
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    co_await sleep_for(1s);
    co_await client.write("never read");
    hosts.web.kill();
    EXPECT_EQ(co_await read_from(client), "ECONNRESET");
    EXPECT_TRUE(server.done());
  });
}

// -- pause ------------------------------------------------------------------------------------------------------------

TEST(HostFailuresTest, APausedHostAnswersAndDoesNothing) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    hosts.web.pause();
    tcp_stream client = co_await connect_tcp(web_80);  // the system takes it
    co_await client.write("hello");
    auto answer = spawn(read_from(client));
    co_await sleep_for(1h);
    EXPECT_FALSE(answer.done());
    hosts.web.resume();
    EXPECT_EQ(co_await answer.join(), "hello");
    EXPECT_EQ(now(), time_point{1h});
  });
}

TEST(HostFailuresTest, WhatIsSpawnedOnAPausedHostWaits) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    hosts.web.pause();
    auto later = hosts.web.spawn([](std::string& into) -> task<void> {
      into += "ran ";
      co_return;
    }(log));
    co_await sleep_for(1s);
    EXPECT_EQ(log, "");
    hosts.web.resume();
    co_await later.join();
    EXPECT_EQ(log, "ran ");
  });
}

TEST(HostFailuresTest, APausedHostMayCrash) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    const auto own = hosts.web.spawn([](std::string& into) -> task<void> {
      const noted_end end(into, "gone ");
      co_await sleep_for(1s);
      into += "never ";
    }(log));
    co_await yield();
    hosts.web.pause();
    co_await sleep_for(2s);
    hosts.web.crash();
    EXPECT_EQ(log, "gone ");
    co_await sleep_for(1s);
    EXPECT_TRUE(own.done());
  });
}

TEST(HostFailuresTest, AHostThatIsPausedForGoodIsADeadlock) {
  class world of;
  const auto waits = []() -> task<void> {
    two_hosts hosts;
    auto own = hosts.web.spawn([]() -> task<void> { co_await sleep_for(1s); }());
    co_await yield();
    hosts.web.pause();
    co_await own.join();
  };
  EXPECT_THROW(of.run(waits()), misuse);
  ASSERT_EQ(of.verdicts().size(), 1u);
  ASSERT_EQ(of.verdicts().front().tasks.size(), 2u);
  EXPECT_EQ(of.verdicts().front().tasks[1].waits_for, "its host, which is paused");
}

TEST(HostFailuresTest, AHostMayRestartItself) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string log;
    join_handle<void> second;
    const auto first = hosts.web.spawn([](host& own, std::string& into, join_handle<void>& next) -> task<void> {
      const noted_end end(into, "gone ");
      next = own.restart([&into]() -> task<void> {
        into += "second life ";
        co_return;
      });
      co_await sleep_for(0s);
      into += "never ";
    }(hosts.web, log, second));
    co_await sleep_for(1s);
    EXPECT_EQ(log, "second life gone ");
    EXPECT_TRUE(first.done());
    co_await second.join();
    EXPECT_GE(hosts.web.socket(AF_INET, SOCK_STREAM, 0), 0);
    hosts.web.close(3);
  });
}

TEST(HostFailuresTest, RunsNothingWhileItIsDown) {
  class world of;
  const auto wrong = []() -> task<void> {
    two_hosts hosts;
    hosts.web.crash();
    const auto never = hosts.web.spawn([]() -> task<void> { co_return; }());
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  ASSERT_FALSE(of.verdicts().empty());
  EXPECT_EQ(of.verdicts().front().message, "host \"web\" is down, and runs nothing until restart()");
}

TEST(HostFailuresTest, TheFirstHostRunsTheTest) {
  class world of;
  const auto wrong = []() -> task<void> {
    two_hosts().client.crash();
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  EXPECT_EQ(of.verdicts().front().message, "host \"client\" runs the test itself; let another one fail");
}

// -- buffers ----------------------------------------------------------------------------------------------------------

TEST(HostFailuresTest, TinyBuffersTakeByteByByte) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    hosts.client.buffers(1, 1);
    hosts.web.buffers(1, 1);
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    const file server = listener.accept();
    EXPECT_EQ(client.send("hello"), "1");
    EXPECT_EQ(client.send("ello"), "1");
    EXPECT_EQ(client.send("llo"), "EAGAIN");
    EXPECT_EQ(server.recv(), "h");
    EXPECT_EQ(server.recv(), "e");
    EXPECT_EQ(client.send("llo"), "1");
    for (const file& each : {listener, client, server}) each.close();
    co_return;
  });
}

// -- what a new life finds --------------------------------------------------------------------------------------------

task<void> stands_elsewhere() {
  system_calls& system = current_system();
  system.mkdirat(AT_FDCWD, "/job", S_IRWXU);
  system.chdir("/job");
  system.umask(0777);
  co_return;
}

task<void> tells_where_it_stands(std::string& into) {
  char path[64] = {};
  current_system().getcwd(path, sizeof path);
  into += fmt::format("{} {:o} ", path, current_system().umask(0));
  co_return;
}

TEST(HostFailuresTest, ANewLifeStandsAtTheRoot) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::string found;
    for (const bool power_cut : {false, true}) {
      co_await hosts.web.spawn(stands_elsewhere()).join();
      power_cut ? hosts.web.crash() : hosts.web.kill();
      auto life = hosts.web.restart([&found]() -> task<void> { co_await tells_where_it_stands(found); });
      co_await life.join();
    }
    EXPECT_EQ(found, "/ 22 / 22 ");
  });
}

task<void> writes_pages(int count, duration* took) {
  const int fd = current_system().openat(AT_FDCWD, "/a", O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
  const std::string text(static_cast<std::size_t>(count) * page_bytes, 'a');
  const time_point before = now();
  current_system().pwrite(fd, text.data(), text.size(), 0);
  if (took != nullptr) current_system().fsync(fd);
  if (took != nullptr) *took = now() - before;
  current_system().close(fd);
  co_return;
}

TEST(HostFailuresTest, WhatWasInMemoryTakesTheNewLifeNoTime) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    plain_files files = lockstep::world().fs("web");
    files.crash_model(strict_sync);
    files.write_file("/a", "");
    files.pace({.bytes_per_second = 10 * page_bytes});
    co_await hosts.web.spawn(writes_pages(50, nullptr)).join();
    const auto syncs = hosts.web.spawn([]() -> task<void> {
      lockstep::file other = co_await open("/b", {.write = true, .create = true});
      co_await other.write_at(std::string(50 * page_bytes, 'b'), 0);
      co_await other.sync();
    }());
    co_await sleep_for(1s);
    EXPECT_FALSE(syncs.done()) << "the disk has more to do";
    hosts.web.crash();
    duration took{};
    auto life = hosts.web.restart([&took]() -> task<void> { co_await writes_pages(1, &took); });
    co_await life.join();
    EXPECT_EQ(took, 100ms);
  });
}

TEST(HostFailuresTest, APredicateMayCutThePower) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    int writes = 0;
    const auto cuts = [&](const attempted_call&) {
      if (++writes == 2) hosts.web.crash();
      return false;
    };
    const fault watched = on(op::file_write).at("web").when(cuts).may_not_fire().fail(EIO);
    std::string came_to;
    const auto work = hosts.web.spawn([](std::string& into) -> task<void> {
      const int fd = current_system().openat(AT_FDCWD, "/a", O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
      for (int i = 0; i < 2; ++i) into += fmt::format("{} ", current_system().write(fd, "x", 1));
      co_return;
    }(came_to));
    co_await yield();
    co_await yield();
    EXPECT_EQ(came_to, "1 -5 ");
    EXPECT_TRUE(hosts.web.is_down());
  });
}

}  // namespace
}  // namespace lockstep::sim
