// Pipes, eventfd and timerfd.
// Source: pipe(7), eventfd(2), timerfd_create(2).
#include "rows.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include <cstdint>
#include <string>

namespace lockstep::sockets {
namespace {

descriptor event(machine& m, unsigned value, int flags = 0) {
  return m.named(m.calls().eventfd(value, flags | EFD_NONBLOCK | EFD_CLOEXEC), "event");
}

// The eight bytes of an eventfd or a timerfd.
void give(machine& m, const descriptor& to, std::uint64_t value) {
  m.says(to.name() + " write of " + std::to_string(value), m.calls().write(to.number(), &value, sizeof value));
}
void take(machine& m, const descriptor& from) {
  std::uint64_t value = 0;
  const std::int64_t result = m.calls().read(from.number(), &value, sizeof value);
  m.says(from.name() + " read", result == sizeof value ? "value " + std::to_string(value) : result_text(result));
}

descriptor timer(machine& m, const std::string& name = "timer") {
  return m.named(m.calls().timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), name);
}

itimerspec spec(timespec value, timespec interval = {0, 0}) { return {interval, value}; }

void set_timer(machine& m, const descriptor& which, const itimerspec& how, int flags = 0) {
  m.says(which.name() + " settime", m.calls().timerfd_settime(which.number(), flags, &how, nullptr));
}

void time_left(machine& m, const descriptor& of) {
  itimerspec left{};
  const int result = m.calls().timerfd_gettime(of.number(), &left);
  const bool is_armed = left.it_value.tv_sec != 0 || left.it_value.tv_nsec != 0;
  m.says(of.name() + " gettime", result < 0 ? result_text(result) : is_armed ? "armed" : "not armed");
}

int queued(machine& m, const descriptor& of) {
  int count = -1;
  const int result = m.calls().ioctl(of.number(), FIONREAD, &count);
  return result < 0 ? result : count;
}

}  // namespace

std::vector<row> pipe_rows() {
  return {
      {"P1", "bytes go through",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         reader.read(9);
         reader.poll();
         writer.poll();
         writer.write("one");
         writer.write("two");
         writer.write("");
         reader.poll();
         m.says("reader FIONREAD", queued(m, reader));
         reader.read(4);
         reader.read(9);
         reader.read(9);
         reader.read(0);
       },
       R"(
reader read 9 -> EAGAIN
reader poll -> -
writer poll -> OUT
writer write "one" -> 3
writer write "two" -> 3
writer write "" -> 0
reader poll -> IN
reader FIONREAD -> 6
reader read 4 -> "onet"
reader read 9 -> "wo"
reader read 9 -> EAGAIN
reader read 0 -> 0
)"},
      {"P1", "each end is for one direction",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         reader.write("x");
         writer.read(9);
         reader.fcntl(F_GETFL, "F_GETFL");
         writer.fcntl(F_GETFL, "F_GETFL");
         int ends[2];
         m.says("pipe2 with flag 1", m.calls().pipe2(ends, 1));
       },
       R"(
reader write "x" -> EBADF
writer read 9 -> EBADF
reader F_GETFL -> 2048
writer F_GETFL -> 2049
pipe2 with flag 1 -> EINVAL
)"},
      {"P2", "the writer is closed",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.write("hello");
         writer.close();
         reader.poll();
         reader.read(9);
         reader.poll();
         reader.read(9);
       },
       R"(
writer write "hello" -> 5
writer close -> 0
reader poll -> IN|HUP
reader read 9 -> "hello"
reader poll -> HUP
reader read 9 -> 0
)"},
      {"P2", "the reader is closed",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.write("hello");
         reader.close();
         writer.poll();
         writer.write("x");
         writer.write("");
       },
       R"(
writer write "hello" -> 5
reader close -> 0
writer poll -> OUT|ERR
writer write "x" -> EPIPE
writer write "" -> 0
)"},
      {"P2", "a duplicate keeps the pipe open",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         descriptor again = m.named(m.calls().dup(writer.number()), "again");
         writer.close();
         reader.read(9);
         again.write("x");
         again.close();
         reader.read(9);
         reader.read(9);
       },
       R"(
writer close -> 0
reader read 9 -> EAGAIN
again write "x" -> 1
again close -> 0
reader read 9 -> "x"
reader read 9 -> 0
)"},
      {"P3", "how much fits",
       [](machine& m) {
         for (const std::size_t piece : {4096U, 1U, 3000U, 5000U}) {
           auto [reader, writer] = m.pipe();
           m.says("bytes by pieces of " + std::to_string(piece), static_cast<std::int64_t>(writer.fill(piece)));
         }
       },
       R"(
bytes by pieces of 4096 -> 65536
bytes by pieces of 1 -> 65536
bytes by pieces of 3000 -> 48000
bytes by pieces of 5000 -> 54096
)"},
      {"P3", "a full pipe is writable by pages",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.fill(4096);
         writer.poll();
         reader.read(1);
         writer.poll();
         writer.write("x");
         reader.read(4094);
         writer.poll();
         reader.read(1);
         writer.poll();
         writer.write(std::string(4096, 'x'));
         writer.poll();
       },
       R"(
writer poll -> -
reader read 1 -> "x"
writer poll -> -
writer write "x" -> EAGAIN
reader read 4094 -> 4094 bytes
writer poll -> -
reader read 1 -> "x"
writer poll -> OUT
writer write 4096 bytes -> 4096
writer poll -> -
)"},
      {"P3", "a small write is whole or not at all",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.write(std::string(65'535, 'x'));
         writer.poll();
         writer.write("xy");
         writer.write("x");
         writer.write("x");
       },
       R"(
writer write 65535 bytes -> 65535
writer poll -> -
writer write "xy" -> EAGAIN
writer write "x" -> 1
writer write "x" -> EAGAIN
)"},
      {"P3", "a large write takes what fits",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.write(std::string(100'000, 'x'));
         reader.read(4096);
         writer.write(std::string(5'000, 'x'));
         writer.write(std::string(5'000, 'x'));
         reader.read(100'000);
       },
       R"(
writer write 100000 bytes -> 65536
reader read 4096 -> 4096 bytes
writer write 5000 bytes -> 4096
writer write 5000 bytes -> EAGAIN
reader read 100000 -> 65536 bytes
)"},
      {"P4", "the size is changed",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         writer.fcntl(F_GETPIPE_SZ, "F_GETPIPE_SZ");
         writer.fcntl(F_SETPIPE_SZ, "F_SETPIPE_SZ 4096", 4096);
         reader.fcntl(F_GETPIPE_SZ, "F_GETPIPE_SZ");
         m.says("bytes", static_cast<std::int64_t>(writer.fill(1)));
         writer.fcntl(F_SETPIPE_SZ, "F_SETPIPE_SZ 12289", 12'289);
         writer.poll();
         m.says("bytes more", static_cast<std::int64_t>(writer.fill(4096)));
         writer.fcntl(F_SETPIPE_SZ, "F_SETPIPE_SZ 8192", 8192);
         reader.read(20'000);
         writer.fcntl(F_SETPIPE_SZ, "F_SETPIPE_SZ 1", 1);
         writer.fcntl(F_SETPIPE_SZ, "F_SETPIPE_SZ 0", 0);
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.fcntl(F_GETPIPE_SZ, "F_GETPIPE_SZ");
       },
       R"(
writer F_GETPIPE_SZ -> 65536
writer F_SETPIPE_SZ 4096 -> 4096
reader F_GETPIPE_SZ -> 4096
bytes -> 4096
writer F_SETPIPE_SZ 12289 -> 16384
writer poll -> OUT
bytes more -> 12288
writer F_SETPIPE_SZ 8192 -> EBUSY
reader read 20000 -> 16384 bytes
writer F_SETPIPE_SZ 1 -> 4096
writer F_SETPIPE_SZ 0 -> 4096
a F_GETPIPE_SZ -> EBADF
)"},
      {"P4", "packets in a pipe",
       [](machine& m) {
         int ends[2] = {-1, -1};
         m.says("pipe2 O_DIRECT", m.calls().pipe2(ends, O_NONBLOCK | O_CLOEXEC | O_DIRECT));
         descriptor reader = m.named(ends[0], "reader"), writer = m.named(ends[1], "writer");
         writer.write("first");
         writer.write("second");
         reader.read(3);
         reader.read(9);
         reader.read(9);
       },
       R"(
pipe2 O_DIRECT -> 0
writer write "first" -> 5
writer write "second" -> 6
reader read 3 -> "fir"
reader read 9 -> "second"
reader read 9 -> EAGAIN
)"},
      {"E1", "an eventfd counts",
       [](machine& m) {
         descriptor counts = event(m, 2);
         counts.poll();
         give(m, counts, 3);
         take(m, counts);
         take(m, counts);
         counts.poll();
         give(m, counts, 0);
         take(m, counts);
       },
       R"(
event poll -> IN|OUT
event write of 3 -> 8
event read -> value 5
event read -> EAGAIN
event poll -> OUT
event write of 0 -> 8
event read -> EAGAIN
)"},
      {"E1", "an eventfd as a semaphore",
       [](machine& m) {
         descriptor semaphore = event(m, 2, EFD_SEMAPHORE);
         take(m, semaphore);
         semaphore.poll();
         take(m, semaphore);
         take(m, semaphore);
         give(m, semaphore, 1);
         take(m, semaphore);
       },
       R"(
event read -> value 1
event poll -> IN|OUT
event read -> value 1
event read -> EAGAIN
event write of 1 -> 8
event read -> value 1
)"},
      {"E1", "an eventfd is full",
       [](machine& m) {
         descriptor counts = event(m, 0);
         give(m, counts, UINT64_MAX);
         give(m, counts, UINT64_MAX - 1);
         counts.poll();
         give(m, counts, 1);
         give(m, counts, 0);
         take(m, counts);
         give(m, counts, UINT64_MAX - 2);
         counts.poll();
         give(m, counts, 2);
         give(m, counts, 1);
       },
       R"(
event write of 18446744073709551615 -> EINVAL
event write of 18446744073709551614 -> 8
event poll -> IN
event write of 1 -> EAGAIN
event write of 0 -> 8
event read -> value 18446744073709551614
event write of 18446744073709551613 -> 8
event poll -> IN|OUT
event write of 2 -> EAGAIN
event write of 1 -> 8
)"},
      {"E1", "wrong sizes and flags of an eventfd",
       [](machine& m) {
         descriptor counts = event(m, 1);
         counts.read(7);
         counts.write("seven..");
         counts.read(16);
         m.says("eventfd with flag 2", m.calls().eventfd(0, 2));
         m.says("event FIONREAD", queued(m, counts));
       },
       R"(
event read 7 -> EINVAL
event write "seven.." -> EINVAL
event read 16 -> "\0\0\0\0\0\0\0"
eventfd with flag 2 -> EINVAL
event FIONREAD -> ENOTTY
)"},
      {"T1", "a timer fires once",
       [](machine& m) {
         descriptor once = timer(m);
         once.poll();
         take(m, once);
         time_left(m, once);
         set_timer(m, once, spec({0, 1}));
         once.wait(POLLIN);
         once.poll();
         time_left(m, once);
         take(m, once);
         take(m, once);
         once.poll();
       },
       R"(
timer poll -> -
timer read -> EAGAIN
timer gettime -> not armed
timer settime -> 0
timer poll -> IN
timer gettime -> not armed
timer read -> value 1
timer read -> EAGAIN
timer poll -> -
)"},
      {"T1", "a time that has passed",
       [](machine& m) {
         descriptor once = timer(m);
         set_timer(m, once, spec({0, 1}), TFD_TIMER_ABSTIME);
         once.wait(POLLIN);
         take(m, once);
       },
       R"(
timer settime -> 0
timer read -> value 1
)"},
      {"T1", "a timer is disarmed and armed again",
       [](machine& m) {
         descriptor once = timer(m);
         set_timer(m, once, spec({1000, 0}, {7, 0}));
         time_left(m, once);
         const itimerspec off{};
         itimerspec before{};
         m.says("timer settime", m.calls().timerfd_settime(once.number(), 0, &off, &before));
         m.says("interval before", before.it_interval.tv_sec);
         m.says("rest before", before.it_value.tv_sec >= 900 ? "about all" : "not all");
         time_left(m, once);
         set_timer(m, once, spec({0, 1}));
         once.wait(POLLIN);
         set_timer(m, once, spec({1000, 0}));
         once.poll();
         take(m, once);
         set_timer(m, once, spec({0, 0}, {1, 0}));
         time_left(m, once);
       },
       R"(
timer settime -> 0
timer gettime -> armed
timer settime -> 0
interval before -> 7
rest before -> about all
timer gettime -> not armed
timer settime -> 0
timer settime -> 0
timer poll -> -
timer read -> EAGAIN
timer settime -> 0
timer gettime -> not armed
)"},
      {"T1", "wrong arguments of a timer",
       [](machine& m) {
         descriptor once = timer(m);
         once.read(7);
         once.write("12345678");
         set_timer(m, once, spec({0, 1'000'000'000}));
         set_timer(m, once, spec({0, -1}));
         set_timer(m, once, spec({-1, 0}));
         set_timer(m, once, spec({1, 0}, {0, 1'000'000'000}));
         set_timer(m, once, spec({1, 0}), 64);
         m.says("timerfd_create of clock 99", m.calls().timerfd_create(99, 0));
         m.says("timerfd_create with flag 1", m.calls().timerfd_create(CLOCK_MONOTONIC, 1));
         auto [reader, writer] = m.pipe();
         set_timer(m, reader, spec({1, 0}));
         time_left(m, writer);
       },
       R"(
timer read 7 -> EINVAL
timer write "12345678" -> EINVAL
timer settime -> EINVAL
timer settime -> EINVAL
timer settime -> EINVAL
timer settime -> EINVAL
timer settime -> EINVAL
timerfd_create of clock 99 -> EINVAL
timerfd_create with flag 1 -> EINVAL
reader settime -> EINVAL
writer gettime -> EINVAL
)"},
      {"T2", "a timer counts how often it fired",
       [](machine& m) {
         descriptor often = timer(m, "often"), once = timer(m, "once");
         set_timer(m, often, spec({1, 0}, {1, 0}));
         set_timer(m, once, spec({3, 500'000'000}));
         once.wait(POLLIN);
         take(m, often);
         take(m, often);
         time_left(m, often);
         often.wait(POLLIN);
         take(m, often);
       },
       R"(
often settime -> 0
once settime -> 0
often read -> value 3
often read -> EAGAIN
often gettime -> armed
often read -> value 1
)",
       needs::simulation, "depends on how late a process runs"},
  };
}

}  // namespace lockstep::sockets
