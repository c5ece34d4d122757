// A resolver that others have written, c-ares, as it comes from the distribution, on simulated sockets and time: its
// calls are made on a host, and what it takes for the clock of the machine is the virtual one.
#include "two_hosts.hpp"

#include <lockstep/net/udp.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/testing/testing.hpp>

#include <ares.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// While it is on, this thread reads the virtual clock for the machine's.
thread_local bool virtual_clock = false;

timespec virtual_time() {
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t since = now().time_since_epoch().count() + 1'000 * second;  // as c-ares knows no 0
  return {since / second, since % second};
}

class on_the_virtual_clock {
 public:
  on_the_virtual_clock() { virtual_clock = true; }
  on_the_virtual_clock(const on_the_virtual_clock&) = delete;
  on_the_virtual_clock& operator=(const on_the_virtual_clock&) = delete;
  ~on_the_virtual_clock() { virtual_clock = false; }
};

}  // namespace
}  // namespace lockstep::sim

extern "C" int clock_gettime(clockid_t clock, timespec* into) noexcept {
  if (!lockstep::sim::virtual_clock) return static_cast<int>(syscall(SYS_clock_gettime, clock, into));
  *into = lockstep::sim::virtual_time();
  return 0;
}

namespace lockstep::sim {
namespace {

// One channel of c-ares on a host.
class ares {
 public:
  ares(host& on, const std::vector<std::string>& servers, int timeout_ms = 5'000, int tries = 4) : host_(on) {
    const on_the_virtual_clock turned;
    ares_options how{};
    how.timeout = timeout_ms;
    how.tries = tries;
    how.lookups = lookups_.data();
    how.sock_state_cb = [](void* self, ares_socket_t fd, int reads, int writes) {
      static_cast<ares*>(self)->awaits(fd, reads != 0, writes != 0);
    };
    how.sock_state_cb_data = this;
    std::vector<in_addr> addresses;
    for (const std::string& each : servers) {
      sockaddr_storage name;
      endpoint(ip_address(each.c_str()), 53).to(name);
      addresses.push_back(reinterpret_cast<const sockaddr_in&>(name).sin_addr);
    }
    how.servers = addresses.data();
    how.nservers = static_cast<int>(addresses.size());
    EXPECT_EQ(ares_init_options(
                  &channel_, &how,
                  ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_SERVERS),
              ARES_SUCCESS);
    static const ares_socket_functions calls{
        [](int domain, int type, int protocol, void* self) {
          return result(calls_of(self).socket(domain, type, protocol));
        },
        [](ares_socket_t fd, void* self) { return result(calls_of(self).close(fd)); },
        [](ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* self) {
          return result(calls_of(self).connect(fd, to, size));
        },
        [](ares_socket_t fd, void* into, std::size_t size, int flags, sockaddr* from, ares_socklen_t* from_size,
           void* self) {
          iovec piece{into, size};
          msghdr message{};
          message.msg_iov = &piece;
          message.msg_iovlen = 1;
          message.msg_name = from;
          message.msg_namelen = from_size != nullptr ? *from_size : 0;
          const std::int64_t got = calls_of(self).recvmsg(fd, &message, flags);
          if (got >= 0 && from_size != nullptr) *from_size = message.msg_namelen;
          return result(got);
        },
        [](ares_socket_t fd, const iovec* from, int count, void* self) {
          return result(calls_of(self).writev(fd, from, count));
        }};
    ares_set_socket_functions(channel_, &calls, this);
  }
  ares(const ares&) = delete;
  ares& operator=(const ares&) = delete;
  ~ares() {
    const on_the_virtual_clock turned;
    ares_destroy(channel_);
  }

  // What the name stands for, or why that is not known.
  task<std::string> look_up(std::string name, int family = AF_INET) {
    std::optional<std::string> found;
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_flags = ARES_AI_NOSORT;
    const auto done = [](void* into, int status, int, ares_addrinfo* all) {
      static_cast<std::optional<std::string>*>(into)->emplace(text_of(status, all));
    };
    {
      const on_the_virtual_clock turned;
      ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, done, &found);
    }
    while (!found) co_await go_on();
    co_return *found;
  }

 private:
  struct awaited final : private readiness_watch {
    awaited(ares& of, int fd, unsigned events) : of_(of), fd_(fd) {
      set_events(events);
      of.host_.watch(fd, events, *this);
    }
    ~awaited() {
      if (linked()) unlink();
    }

   private:
    void may_be_ready() noexcept override {
      of_.ready_.push_back(fd_);
      of_.something_.set();
    }
    void was_closed() noexcept override {}

    ares& of_;
    int fd_;
  };

  static host& calls_of(void* self) { return static_cast<ares*>(self)->host_; }
  template <class Result>
  static Result result(Result of) {
    if (of >= 0) return of;
    errno = static_cast<int>(-of);
    return -1;
  }

  static std::string text_of(int status, ares_addrinfo* all) {
    if (status != ARES_SUCCESS) return ares_strerror(status);
    std::string text;
    for (const ares_addrinfo_node* each = all->nodes; each != nullptr; each = each->ai_next) {
      text += (text.empty() ? "" : " ") + endpoint::from(each->ai_addr, each->ai_addrlen).value().address().text();
    }
    ares_freeaddrinfo(all);
    return text;
  }

  void awaits(ares_socket_t fd, bool reads, bool writes) {
    watched_.erase(fd);
    const unsigned events = (reads ? unsigned{POLLIN} : 0u) | (writes ? unsigned{POLLOUT} : 0u);
    if (events != 0) watched_.try_emplace(fd, *this, fd, events);
  }

  // Until a socket is ready, or its next time is up.
  task<void> go_on() {
    timeval left{};
    bool has_limit = false;
    {
      const on_the_virtual_clock turned;
      has_limit = ares_timeout(channel_, nullptr, &left) != nullptr;
    }
    const duration limit =
        has_limit ? std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) : duration::max();
    try {
      co_await with_timeout(limit, something_.wait());
    } catch (const timed_out&) {
    }
    something_.clear();
    const on_the_virtual_clock turned;
    std::vector<int> ready = std::exchange(ready_, {});
    for (const int each : ready) {
      pollfd now{each, POLLIN | POLLOUT, 0};
      host_.poll(&now, 1);
      const bool reads = (now.revents & ~POLLOUT) != 0;
      ares_process_fd(channel_, reads ? each : ARES_SOCKET_BAD, (now.revents & POLLOUT) != 0 ? each : ARES_SOCKET_BAD);
    }
    if (ready.empty()) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }

  host& host_;
  std::array<char, 2> lookups_{'b', '\0'};
  ares_channel channel_ = nullptr;
  event something_;
  std::vector<int> ready_;
  std::map<int, awaited> watched_;
};

// A server that hears questions, each at its time, and answers none.
task<void> hear(host& at, std::string address, std::vector<std::string>& heard) {
  udp_socket here = udp_socket::bind(endpoint(address.c_str()));
  std::array<char, 512> question;
  for (;;) {
    co_await here.receive_from(std::span<char>(question));
    heard.push_back(fmt::format("{} {}", at.name(), to_text(now().time_since_epoch())));
  }
}

class CAresTest : public testing::Test {
 protected:
  network& net_ = lockstep::world().network();
  host& here_ = net_.first_host();
  host& there_ = net_.add_host("ns", {"10.0.0.53"});
};

CO_TEST_F(CAresTest, FindsWhatTheServerKnows) {
  net_.dns().serve_on(there_);
  net_.dns().add("db.example", "10.0.0.7");
  net_.dns().add("db.example", "10.0.0.8");
  net_.dns().add("db.example", "fd00::7");
  net_.dns().alias("www.example", "db.example");
  lockstep::world().link("client", "ns").latency(25ms);
  ares resolver(here_, {"10.0.0.53"});
  EXPECT_EQ(co_await resolver.look_up("db.example"), "10.0.0.7 10.0.0.8");
  EXPECT_EQ(now(), time_point{50ms});
  EXPECT_EQ(co_await resolver.look_up("www.example"), "10.0.0.7 10.0.0.8");
  EXPECT_EQ(co_await resolver.look_up("db.example", AF_INET6), "fd00::7");
  EXPECT_EQ(now(), time_point{150ms});
  EXPECT_EQ(co_await resolver.look_up("nobody.example"), "Domain name not found");
}

// Its schedule doubles with each round through its servers.
CO_TEST_F(CAresTest, AsksAServerThatIsSilentAgainInTime) {
  std::vector<std::string> heard;
  there_.spawn_daemon(hear(there_, "10.0.0.53:53", heard));
  lockstep::world().link("client", "ns").latency(10ms);
  ares resolver(here_, {"10.0.0.53"});
  EXPECT_EQ(co_await resolver.look_up("db.example"), "Timeout while contacting DNS servers");
  EXPECT_EQ(now(), time_point{75s});
  EXPECT_THAT(heard, ElementsAre("ns 10 ms", "ns 5.01 s", "ns 15.01 s", "ns 35.01 s"));
}

CO_TEST_F(CAresTest, AsksTwoServersInTurn) {
  host& second = net_.add_host("ns2", {"10.0.0.54"});
  std::vector<std::string> heard;
  there_.spawn_daemon(hear(there_, "10.0.0.53:53", heard));
  second.spawn_daemon(hear(second, "10.0.0.54:53", heard));
  ares resolver(here_, {"10.0.0.53", "10.0.0.54"}, 1'500, 2);
  co_await yield();
  EXPECT_EQ(co_await resolver.look_up("db.example"), "Timeout while contacting DNS servers");
  EXPECT_EQ(now(), time_point{9s});
  EXPECT_THAT(heard, ElementsAre("ns 0 ns", "ns2 1.5 s", "ns 3 s", "ns2 6 s"));
}

CO_TEST_F(CAresTest, GoesToTheNextServerWhereTheFirstIsNotThere) {
  host& second = net_.add_host("ns2", {"10.0.0.54"});
  net_.dns().serve_on(second);
  net_.dns().add("db.example", "10.0.0.7");
  ares resolver(here_, {"10.0.0.53", "10.0.0.54"});
  EXPECT_EQ(co_await resolver.look_up("db.example"), "10.0.0.7") << "port 53 of the first is unreachable";
  EXPECT_EQ(now(), time_point{});
}

CO_TEST_F(CAresTest, StandsWhatGoesWrongWithAServer) {
  net_.dns().serve_on(there_);
  net_.dns().add("db.example", "10.0.0.7");
  net_.dns().fail("db.example", {.failure = name_failure::timeout, .count = 1});
  ares resolver(here_, {"10.0.0.53"});
  EXPECT_EQ(co_await resolver.look_up("db.example"), "10.0.0.7");
  EXPECT_EQ(now(), time_point{5s}) << "the first answer was lost";
  net_.dns().fail("db.example", {.failure = name_failure::server_failure});
  EXPECT_EQ(co_await resolver.look_up("db.example"), "Could not contact DNS servers");
}

// An answer that does not fit is asked for again over TCP.
CO_TEST_F(CAresTest, TakesALongAnswerOverTcp) {
  net_.dns().serve_on(there_);
  std::string all;
  for (int i = 1; i <= 60; ++i) {
    const std::string address = fmt::format("10.0.1.{}", i);
    net_.dns().add("many.example", ip_address(address.c_str()));
    all += (i == 1 ? "" : " ") + address;
  }
  ares resolver(here_, {"10.0.0.53"});
  EXPECT_EQ(co_await resolver.look_up("many.example"), all);
}

CO_TEST_F(CAresTest, IsCutOffAndComesBack) {
  net_.dns().serve_on(there_);
  net_.dns().add("db.example", "10.0.0.7");
  ares resolver(here_, {"10.0.0.53"});
  const auto heals = []() -> task<void> {
    const partition cut("client", "ns");
    co_await sleep_for(12s);
  };
  auto healing = spawn(heals());
  co_await yield();
  EXPECT_EQ(co_await resolver.look_up("db.example"), "10.0.0.7");
  EXPECT_EQ(now(), time_point{15s}) << "at its third try";
  co_await healing.join();
}

}  // namespace
}  // namespace lockstep::sim
