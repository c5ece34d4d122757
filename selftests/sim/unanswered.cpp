// For how long who gets no answer waits for one, and what it comes to then. Where Linux was measured (6.18,
// tcp_retries2 and tcp_syn_retries as they are) the times are its, but for how long a fill takes.
#include "talking_hosts.hpp"

#include <lockstep/sim/clog.hpp>
#include <lockstep/sim/netstat.hpp>
#include <lockstep/sim/network_trace.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

// "web" accepts at port 80, and says nothing. A packet takes 10 ms.
task<void> accepts() {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:80");
  std::vector<tcp_stream> all;
  for (;;) all.push_back(co_await listener.accept());
}

struct silent_host : two_hosts {
  silent_host() {
    web.spawn_daemon(accepts());
    lockstep::world().link("client", "web").latency(10ms);
  }
  task<void> lives_again() {
    web.crash();
    auto life = web.restart([]() -> task<void> { co_await yield(); });
    co_await life.join();
  }
};

// "ETIMEDOUT after 127 s", or "nothing" within ten hours.
template <class F>
task<std::string> end_of(F call) {
  const time_point before = now();
  std::string came_to;
  try {
    co_await with_timeout(10h, call());
    came_to = "ok";
  } catch (const timed_out&) {
    co_return "nothing";
  } catch (const std::system_error& failed) {
    came_to = strerrorname_np(failed.code().value());
  }
  co_return fmt::format("{} after {} ms", came_to, (now() - before) / 1ms);
}

struct tcp_socket_options_of_test {
  int name;
  int value;
};

// To port 80 of "web", with that option.
task<void> connects(tcp_socket_options_of_test with) {
  host& here = lockstep::world().network().first_host();
  const file client = tcp(here);
  client.set(IPPROTO_TCP, with.name, with.value);
  EXPECT_EQ(client.connect("10.0.0.2:80"), "EINPROGRESS");
  while (client.ready() == "-") co_await sleep_for(500ms);
  const std::string error = client.error();
  client.close();
  if (error != "0") throw std::system_error(error == "ETIMEDOUT" ? ETIMEDOUT : EIO, std::system_category());
}

task<std::string> end_of_connect() {
  return end_of([]() -> task<void> { const tcp_stream made = co_await connect_tcp("10.0.0.2:80"); });
}
task<std::string> end_of_read(tcp_stream& from) {
  return end_of([&from]() -> task<void> {
    std::byte into{};
    co_await from.read_exactly(std::span(&into, 1));
  });
}
task<std::string> end_of_write(tcp_stream& to) {
  return end_of([&to]() -> task<void> { co_await to.write("x"); });
}

void ask_after_10s(tcp_stream& of) {
  of.keep_alive(true);
  for (const auto& [name, value] : {std::pair(TCP_KEEPIDLE, 10), {TCP_KEEPINTVL, 1}, {TCP_KEEPCNT, 3}})
    current_system().setsockopt(of.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
}

// Of the sockets of a host, each with a space behind it.
std::string states_at(std::string_view host) {
  std::string all;
  for (const socket_status& each : lockstep::world().netstat().sockets()) {
    if (each.host == host) all += each.state + " ";
  }
  return all;
}

// How many bytes the one connection of "web" has in its buffer.
std::size_t come_to_web() {
  for (const socket_status& each : lockstep::world().netstat().sockets()) {
    if (each.host == "web" && each.state == "ESTAB") return each.receive_queue;
  }
  return 0;
}

task<void> fill(tcp_stream& to) {
  const std::string many(100'000, 'x');
  while ((co_await as_result(with_timeout(1s, to.write_some(many)))).has_value()) {
  }
}

// -- a connection that is being made ----------------------------------------------------------------------------------

TEST(UnansweredTest, IsAConnectionWhoseAnswerIsLost) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    const partition cut = partition::one_way("web", "client");
    EXPECT_EQ(co_await end_of_connect(), "ETIMEDOUT after 131000 ms");
    EXPECT_EQ(co_await end_of([]() -> task<void> { const tcp_stream made = co_await connect_tcp("10.0.0.2:81"); }),
              "ETIMEDOUT after 131000 ms")
        << "that was refused";
  });
}

TEST(UnansweredTest, IsAConnectionOfWhichTheAnswerIsCutOff) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    std::optional<partition> cut;
    const auto later = [&cut]() -> task<void> {
      co_await sleep_for(15ms);
      cut.emplace("client", "web");
    };
    auto cutting = spawn(co_invoke(later));
    EXPECT_EQ(co_await end_of_connect(), "ETIMEDOUT after 131000 ms");
    co_await cutting.join();
    cut.reset();
    co_await sleep_for(1s);
    EXPECT_EQ(co_await end_of_connect(), "ok after 20 ms");
  });
}

TEST(UnansweredTest, IsAConnectionToAHostThatCrashesMeanwhile) {
  run_on_hosts([]() -> task<void> {
    silent_host hosts;
    const auto later = [&hosts]() -> task<void> {
      co_await sleep_for(15ms);
      hosts.web.crash();
      co_await sleep_for(1min);
      auto life = hosts.web.restart([]() -> task<void> {
        tcp_listener listener = tcp_listener::bind("10.0.0.2:80");
        tcp_stream one = co_await listener.accept();
        co_await one.write("new");
      });
      co_await life.join();
    };
    auto crashing = spawn(co_invoke(later));
    tcp_stream made = co_await connect_tcp("10.0.0.2:80");
    EXPECT_EQ(now(), time_point{60035ms}) << "it asks again, and the new life answers";
    EXPECT_EQ(co_await read_from(made), "new");
    EXPECT_EQ(co_await read_from(made), "end");
    co_await crashing.join();
  });
}

// As Linux 6.18 did.
TEST(UnansweredTest, IsAConnectionForAsLongAsItsOptionsSay) {
  struct row {
    int option;
    int value;
    const char* end;
  };
  for (const row& each : {row{TCP_USER_TIMEOUT, 3'000, "ETIMEDOUT after 3000 ms"},
                          {TCP_USER_TIMEOUT, 500, "ETIMEDOUT after 1000 ms"},
                          {TCP_USER_TIMEOUT, 1'000'000, "ETIMEDOUT after 131000 ms"},
                          {TCP_SYNCNT, 1, "ETIMEDOUT after 3000 ms"},
                          {TCP_SYNCNT, 2, "ETIMEDOUT after 7000 ms"},
                          {TCP_SYNCNT, 3, "ETIMEDOUT after 19000 ms"},
                          {TCP_SYNCNT, 5, "ETIMEDOUT after 67000 ms"},
                          {TCP_SYNCNT, 8, "ETIMEDOUT after 371000 ms"}}) {
    const auto ends = [&each](const char* how) -> task<void> {
      tcp_socket_options_of_test of{each.option, each.value};
      EXPECT_EQ(co_await end_of([&of]() -> task<void> { co_await connects(of); }), each.end)
          << how << ", option " << each.option << " = " << each.value;
    };
    run_on_hosts([&]() -> task<void> {
      const silent_host hosts;
      {
        const partition cut("client", "web");
        co_await ends("a partition");
      }
      {
        const black_hole lost("web:80");
        co_await ends("a port that answers nobody");
      }
      lockstep::world().link("client", "web").loss(1);
      co_await ends("all is lost");
    });
  }
}

TEST(UnansweredTest, IsForgottenByWhoHasAnsweredAndHeardNoMore) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    const partition cut = partition::one_way("web", "client");
    auto connecting = spawn(end_of_connect());
    co_await sleep_for(63s);
    EXPECT_EQ(states_at("client") + states_at("web"), "SYN-SENT LISTEN SYN-RECV ");
    co_await sleep_for(11ms);
    EXPECT_EQ(states_at("client") + states_at("web"), "SYN-SENT LISTEN ");
    EXPECT_EQ(co_await connecting.join(), "ETIMEDOUT after 131000 ms");
  });
}

// -- one that there is ------------------------------------------------------------------------------------------------

TEST(UnansweredTest, IsEachKindOfQuestion) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    tcp_stream asking = co_await connect_tcp("10.0.0.2:80");
    tcp_stream closing = co_await connect_tcp("10.0.0.2:80");
    tcp_stream reading = co_await connect_tcp("10.0.0.2:80");
    co_await sleep_for(1s);
    ask_after_10s(asking);
    const partition cut = partition::one_way("web", "client");
    closing.shutdown_write();
    auto closed = spawn(end_of_read(closing));
    auto read = spawn(end_of_read(reading));
    EXPECT_EQ(co_await end_of_read(asking), "ETIMEDOUT after 11960 ms");
    EXPECT_EQ(co_await closed.join(), "ETIMEDOUT after 924600 ms");
    EXPECT_EQ(co_await read.join(), "nothing") << "it has asked for nothing";
  });
}

// Without latency all but the answer is there at once.
TEST(UnansweredTest, IsAnEndAlsoWhereItComesAtOnce) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    lockstep::world().link("client", "web").latency(0ms);
    co_await yield();
    tcp_stream lost = co_await connect_tcp("10.0.0.2:80");
    tcp_stream answered_late = co_await connect_tcp("10.0.0.2:80");
    std::optional<partition> cut(partition::one_way("web", "client"));
    answered_late.shutdown_write();
    co_await sleep_for(10s);
    cut.reset();
    cut.emplace(partition::one_way("web", "client"));
    lost.shutdown_write();
    auto waiting = spawn(end_of_read(answered_late));
    EXPECT_EQ(co_await end_of_read(lost), "ETIMEDOUT after 924600 ms");
    EXPECT_EQ(co_await waiting.join(), "nothing");
  });
}

TEST(UnansweredTest, IsAskedForFromWhenItIsSaid) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    tcp_stream asking = co_await connect_tcp("10.0.0.2:80");
    tcp_stream sending = co_await connect_tcp("10.0.0.2:80");
    co_await sleep_for(1s);
    const partition cut("client", "web");
    co_await sending.write("x");
    co_await sleep_for(1s);
    ask_after_10s(asking);
    sending.user_timeout(2s);
    EXPECT_EQ(co_await end_of_read(sending), "ETIMEDOUT after 2000 ms");
    EXPECT_EQ(co_await end_of_read(asking), "ETIMEDOUT after 8980 ms") << "it was heard last a little after 0 s";
  });
}

// A user timeout goes before the number of questions, as on Linux 6.18; the first of them comes 4 s after what was
// heard.
TEST(UnansweredTest, IsAskedForUntilTheUserTimeout) {
  for (const auto& [timeout, count, end] : {std::tuple(0s, 9, "ETIMEDOUT after 22000 ms"),
                                            {5s, 9, "ETIMEDOUT after 6000 ms"},
                                            {1s, 9, "ETIMEDOUT after 6000 ms"},
                                            {30s, 2, "ETIMEDOUT after 30000 ms"}}) {
    run_on_hosts([&, limit = timeout, questions = count, wanted = end]() -> task<void> {
      const silent_host hosts;
      lockstep::world().link("client", "web").latency(0ms);
      co_await yield();
      tcp_stream asking = co_await connect_tcp("10.0.0.2:80");
      asking.keep_alive(true);
      for (const auto& [name, value] : {std::pair(TCP_KEEPIDLE, 4), {TCP_KEEPINTVL, 2}, {TCP_KEEPCNT, questions}})
        current_system().setsockopt(asking.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
      asking.user_timeout(limit);
      const partition cut("client", "web");
      EXPECT_EQ(co_await end_of_read(asking), wanted);
    });
  }
}

TEST(UnansweredTest, IsAskedForInVainWhereAllIsLost) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    link& between = lockstep::world().link("client", "web");
    tcp_stream asking = co_await connect_tcp("10.0.0.2:80");
    ask_after_10s(asking);
    co_await sleep_for(1h);
    between.loss(1);
    EXPECT_THAT(co_await end_of_read(asking), testing::StartsWith("ETIMEDOUT after "));
    between.loss(0);
    tcp_stream other = co_await connect_tcp("10.0.0.2:80");
    ask_after_10s(other);
    between.loss(1);
    co_await sleep_for(5s);
    between.loss(0);
    EXPECT_EQ(co_await end_of_read(other), "nothing");
  });
}

// Whose socket was closed, and nobody answers: of its own end for a minute, and of what it has sent a little longer.
TEST(UnansweredTest, IsAnEndThatNobodyHasAnyMore) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    {
      const tcp_stream ended = co_await connect_tcp("10.0.0.2:80");
      co_await sleep_for(1s);
    }
    co_await sleep_for(59s);
    EXPECT_EQ(states_at("client"), "FIN-WAIT-2 ");
    co_await sleep_for(2s);
    EXPECT_EQ(states_at("client"), "");
    std::optional<partition> cut;
    {
      const tcp_stream unheard = co_await connect_tcp("10.0.0.2:80");
      co_await sleep_for(1s);
      cut.emplace("client", "web");
    }
    co_await sleep_for(102s);
    EXPECT_EQ(states_at("client"), "FIN-WAIT-1 ");
    co_await sleep_for(1s);
    EXPECT_EQ(states_at("client"), "");
  });
}

// -- what is lost and sent again --------------------------------------------------------------------------------------

// Each time anew: where nothing is lost any more, it comes with the next time.
TEST(UnansweredTest, IsSentAgainOverTheLinkAsItIsThen) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    link& between = lockstep::world().link("client", "web");
    between.loss(1);
    auto connecting = spawn(end_of_connect());
    co_await sleep_for(1500ms);
    between.loss(0);
    EXPECT_EQ(co_await connecting.join(), "ok after 2020 ms");

    co_await yield();
    tcp_stream one = co_await connect_tcp("10.0.0.2:80");
    co_await sleep_for(10ms);
    between.loss(1);
    co_await one.write("x");
    co_await sleep_for(500ms);
    const network_trace seen;
    between.loss(0);
    co_await sleep_for(1h);
    EXPECT_THAT(seen.text("client"),
                testing::HasSubstr(">> web  tcp 10.0.0.1:32769 -> 10.0.0.2:80  PA 0:1, ack 0, 1 byte \"x\"\n"));
    EXPECT_EQ(lockstep::world().netstat().sockets().back().receive_queue, 1u);
  });
}

TEST(UnansweredTest, IsNotSeenBeforeItIsSent) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    tcp_stream one = co_await connect_tcp("10.0.0.2:80");
    co_await sleep_for(1s);
    lockstep::world().link("client", "web").loss(1);
    const network_trace seen;
    co_await one.write("x");
    one.reset();
    co_await sleep_for(1h);
    const std::string text = seen.text("client");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << text;
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(">>"))) << "who was reset sends nothing again, nor is a reset";
  });
}

TEST(UnansweredTest, IsNotTheLastWordOfAHandshake) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    tcp_stream made = co_await connect_tcp("10.0.0.2:80");
    const partition cut("client", "web");
    EXPECT_EQ(co_await end_of_read(made), "nothing");
  });
}

TEST(UnansweredTest, IsWhetherThereIsRoom) {
  run_on_hosts([]() -> task<void> {
    const silent_host hosts;
    tcp_stream patient = co_await connect_tcp("10.0.0.2:80");
    tcp_stream impatient = co_await connect_tcp("10.0.0.2:80");
    impatient.user_timeout(3s);
    co_await fill(impatient);
    EXPECT_EQ(co_await end_of_write(impatient), "ETIMEDOUT after 2000 ms") << "the first has waited for a second";
    co_await fill(patient);
    auto still_full = spawn(end_of_write(patient));
    co_await sleep_for(1h);
    const partition cut("client", "web");
    EXPECT_EQ(co_await still_full.join(), "ETIMEDOUT after 4524600 ms") << "an hour later than if nobody had answered";
  });
}

// Its peer lives, and takes nothing: of what was sent to it before there was no room, and of what comes when there is
// none.
TEST(UnansweredTest, IsWhetherThereIsRoomFromTheFirstByteOnThatFindsNone) {
  for (const duration latency : {0ms, 10ms}) {
    run_on_hosts([latency]() -> task<void> {
      silent_host hosts;
      lockstep::world().link("client", "web").latency(latency);
      hosts.web.buffers(10'000, 10'000);
      co_await yield();
      tcp_stream filled = co_await connect_tcp("10.0.0.2:80");
      co_await fill(filled);
      const std::string just_enough(come_to_web(), 'x');
      tcp_stream at_once = co_await connect_tcp("10.0.0.2:80");
      tcp_stream later = co_await connect_tcp("10.0.0.2:80");
      at_once.user_timeout(3s);
      later.user_timeout(3s);
      co_await at_once.write(just_enough + "x");
      EXPECT_EQ(co_await end_of_read(at_once), latency == 0ms ? "ETIMEDOUT after 3000 ms" : "ETIMEDOUT after 3010 ms");
      co_await later.write(just_enough);
      co_await sleep_for(1s);
      co_await later.write("x");
      EXPECT_EQ(co_await end_of_read(later), "ETIMEDOUT after 3000 ms");
    });
  }
}

// -- an end that has lost its memory ----------------------------------------------------------------------------------

TEST(UnansweredTest, IsNoQuestionToANewLife) {
  run_on_hosts([]() -> task<void> {
    silent_host hosts;
    tcp_stream asking = co_await connect_tcp("10.0.0.2:80");
    tcp_stream closing = co_await connect_tcp("10.0.0.2:80");
    tcp_stream full = co_await connect_tcp("10.0.0.2:80");
    tcp_stream reading = co_await connect_tcp("10.0.0.2:80");
    co_await fill(full);
    ask_after_10s(asking);
    co_await hosts.lives_again();
    closing.shutdown_write();
    EXPECT_EQ(co_await end_of_read(closing), "ECONNRESET after 20 ms");
    EXPECT_EQ(co_await end_of_write(full), "ECONNRESET after 190 ms");
    EXPECT_THAT(co_await end_of_read(asking), testing::StartsWith("ECONNRESET after "));
    EXPECT_EQ(co_await end_of_read(reading), "nothing");
  });
}

}  // namespace
}  // namespace lockstep::sim
