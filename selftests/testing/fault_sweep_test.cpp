#include <lockstep/testing/fault_sweep.hpp>

#include <lockstep/fs/whole_files.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/system/current.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace lockstep {
namespace {

using testing::HasSubstr;

const endpoint bank = "10.0.0.2:80";

// Adds up what is paid in, and answers each payment.
task<void> keep_account(int& balance) {
  tcp_listener listener = tcp_listener::bind(bank);
  for (;;) {
    tcp_stream peer = co_await listener.accept();
    try {
      std::array<char, 1> coin;
      while (co_await peer.read_some(coin) != 0) {
        ++balance;
        co_await peer.write("k");
      }
    } catch (const std::system_error&) {
    }
  }
}

task<void> pay_once() {
  tcp_stream to = co_await connect_tcp(bank);
  co_await to.write("1");
  std::array<char, 1> answer;
  co_await to.read_exactly(answer);
}

// A retry after any error: right where the payment was not sent, and wrong where only the answer was lost.
task<void> pay_until_it_is_done() {
  for (int i = 0; i < 3; ++i) {
    try {
      co_return co_await pay_once();
    } catch (const std::system_error&) {
    }
  }
}

task<void> pays_at_most_once() {
  int balance = 0;
  sim::host& there = world().host("bank", "10.0.0.2");
  {
    const scoped_value on_it = there.enter();
    spawn_daemon(keep_account(balance), "bank");
  }
  co_await yield();
  co_await pay_until_it_is_done();
  EXPECT_LE(balance, 1);
}

TEST(FaultSweepTest, PassesWhereEveryFaultIsBorne) {
  const testing::AssertionResult found = fault_sweep(on(op::connect).to("bank"), ECONNREFUSED, pays_at_most_once);
  EXPECT_TRUE(found);
  // Without a fault; call 1 alone, and 2, which does not come; the same from 1 and from 2 on.
  EXPECT_STREQ(found.message(), "5 runs passed");
}

// The planted bug: a retry that doubles a payment after a reset.
TEST(FaultSweepTest, FindsTheRetryThatPaysTwice) {
  const testing::AssertionResult found = fault_sweep(on(op::read).at("client"), ECONNRESET, pays_at_most_once);
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(),
              HasSubstr("the body fails where call 1 of read at client (ECONNRESET) (run 2 of the sweep):\n  "));
  EXPECT_THAT(found.message(), HasSubstr("actual: 2 vs 1"));
}

int open_for_reading(const char* path) { return current_system().openat(AT_FDCWD, path, O_RDONLY, 0); }

// One failure is borne, and more are not.
TEST(FaultSweepTest, LetsEachLaterCallFailAsWell) {
  const testing::AssertionResult found = fault_sweep(op::open, []() -> task<void> {
    const int first = open_for_reading("/tmp");
    const int fd = first >= 0 ? first : open_for_reading("/tmp");
    EXPECT_GE(fd, 0);
    current_system().close(fd);
    co_return;
  });
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(), testing::AllOf(HasSubstr("where call 1 of open"), HasSubstr(", and each later one")));
}

TEST(FaultSweepTest, NamesTheFileWhoseCallHasFailed) {
  const testing::AssertionResult found = fault_sweep(op::open, []() -> task<void> {
    current_system().close(open_for_reading("/tmp"));
    const int fd = open_for_reading("/");
    EXPECT_GE(fd, 0);
    current_system().close(fd);
    co_return;
  });
  EXPECT_THAT(found.message(), testing::AllOf(HasSubstr("where call 2 of open"), HasSubstr(", on / (")));
}

TEST(FaultSweepTest, FailsWhereNoCallIsInItsScope) {
  const testing::AssertionResult found = fault_sweep(on(op::connect).to("bnak"), ECONNREFUSED, pays_at_most_once);
  EXPECT_FALSE(found);
  EXPECT_STREQ(found.message(),
               "the sweep tests nothing: no call is in the scope of its rule on connect to bnak (ECONNREFUSED)");
}

TEST(FaultSweepTest, SaysThatABodyFailsByItself) {
  const testing::AssertionResult found = fault_sweep(op::connect, []() -> task<void> {
    EXPECT_EQ(1, 2);
    co_return;
  });
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(), HasSubstr("the body fails without any fault (run 1 of the sweep):\n  "));
}

TEST(FaultSweepTest, SaysThatAnExceptionLeftTheBody) {
  const testing::AssertionResult found = fault_sweep(op::socket, []() -> task<void> {
    const tcp_listener listener = tcp_listener::bind("10.0.0.1:80");
    co_return;
  });
  EXPECT_FALSE(found);
  EXPECT_THAT(found.message(), HasSubstr("where call 1 of socket (EMFILE) (run 2 of the sweep):\n  an exception left"));
}

// -- files ------------------------------------------------------------------------------------------------------------

task<void> saves_atomically() {
  sim::plain_files disk = world().fs();
  disk.write_file("/etc/setting", "old");
  const result<void> saved = co_await as_result(write_file_atomically("/etc/setting", "new"));
  const std::string durable = disk.durable_image().text_of("/etc/setting");
  if (saved) {
    EXPECT_EQ(durable, "new");
  } else {
    EXPECT_THAT(disk.read_file("/etc/setting"), testing::AnyOf("old", "new"));
  }
  EXPECT_EQ(disk.image().find("/etc")->names.size(), 1u) << disk.tree();
}

TEST(FaultSweepTest, PassesAFileThatIsReplacedAsAWhole) {
  for (const op what : {op::open, op::file_write, op::sync, op::rename}) {
    for (const int error : {EIO, ENOSPC}) {
      const testing::AssertionResult found = fault_sweep(on(what), error, saves_atomically);
      EXPECT_TRUE(found) << found.message();
    }
  }
}

// The same by calls of the system. The planted bugs: what write() says is not looked at, or what fsync() says.
bool save(bool looks_at_write, bool looks_at_sync) {
  system_calls& system = current_system();
  const auto synced = [&](int fd) { return system.fsync(fd) == 0 || !looks_at_sync; };
  const int fd = system.openat(AT_FDCWD, "/etc/setting.new", O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);
  bool saved = system.write(fd, "new", 3) == 3 || !looks_at_write;
  saved = synced(fd) && saved;
  system.close(fd);
  if (!saved || system.renameat2(AT_FDCWD, "/etc/setting.new", AT_FDCWD, "/etc/setting", 0) != 0) return false;
  const int directory = system.openat(AT_FDCWD, "/etc", O_RDONLY, 0);
  saved = synced(directory);
  system.close(directory);
  return saved;
}

task<void> saves(bool looks_at_write, bool looks_at_sync) {
  sim::plain_files disk = world().fs();
  disk.write_file("/etc/setting", "old");
  const bool saved = save(looks_at_write, looks_at_sync);
  EXPECT_EQ(saved ? disk.durable_image().text_of("/etc/setting") : "new", "new");
  co_return;
}

TEST(FaultSweepTest, FindsCallsOnFilesThatAreNotLookedAtAndNamesTheFile) {
  const auto right = [] { return saves(true, true); };
  const auto never_writes = [] { return saves(false, true); };
  const auto never_syncs = [] { return saves(true, false); };
  for (const int error : {EIO, ENOSPC}) {
    EXPECT_TRUE(fault_sweep(on(op::file_write), error, right));
    EXPECT_TRUE(fault_sweep(on(op::sync), error, right));
    const std::string name = strerrorname_np(error);
    EXPECT_THAT(fault_sweep(on(op::file_write), error, never_writes).message(),
                HasSubstr("the body fails where call 1 of file_write (" + name +
                          "), on /etc/setting.new (run 2 of the sweep):\n"));
    EXPECT_THAT(
        fault_sweep(on(op::sync), error, never_syncs).message(),
        HasSubstr("the body fails where call 1 of sync (" + name + "), on /etc/setting.new (run 2 of the sweep):\n"));
  }
  EXPECT_THAT(fault_sweep(on(op::file_write).to("/etc/*.new"), EIO, never_writes).message(),
              HasSubstr("call 1 of file_write of /etc/*.new (EIO), on /etc/setting.new (run 2"));
  EXPECT_THAT(fault_sweep(on(op::file_write).to("/etc/setting.new"), EIO, never_writes).message(),
              HasSubstr("call 1 of file_write of /etc/setting.new (EIO) (run 2"));
}

TEST(FaultSweepTest, NamesTheFileOfItsOwnFault) {
  const auto has_a_fault_of_its_own = []() -> task<void> {
    const fault own = on(op::open).to("/first").fail(EACCES);
    const result<file> first = co_await as_result(open("/first", {.write = true, .create = true}));
    EXPECT_FALSE(first);
    const file second = co_await open("/second", {.write = true, .create = true});
  };
  EXPECT_THAT(fault_sweep(on(op::open).to("/sec*"), EIO, has_a_fault_of_its_own).message(),
              HasSubstr("where call 1 of open of /sec* (EIO), on /second (run 2"));
}

TEST(FaultSweepTest, EndsWithABodyThatTriesForEver) {
  sweep_options how;
  how.calls_max = 5;
  const testing::AssertionResult found = fault_sweep(
      on(op::connect), ECONNREFUSED,
      []() -> task<void> {
        for (int i = 0; i < 10; ++i) {
          try {
            const tcp_stream nobody = co_await connect_tcp("10.0.0.1:81");
          } catch (const std::system_error&) {
          }
        }
      },
      how);
  EXPECT_FALSE(found);
  EXPECT_STREQ(found.message(), "the sweep does not end: there is a call number 6 of connect");
}

TEST(FaultSweepTest, TakesEachCallWhateverTheTriggerOfItsRule) {
  const testing::AssertionResult found =
      fault_sweep(on(op::connect).to("bank").nth(9).one_in(3), ECONNREFUSED, pays_at_most_once);
  EXPECT_TRUE(found);
  EXPECT_STREQ(found.message(), "5 runs passed");
}

}  // namespace
}  // namespace lockstep
