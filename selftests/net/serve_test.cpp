#include <lockstep/net/serve.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/net/udp.hpp>
#include <lockstep/net/unix.hpp>
#include <lockstep/runtime/exception_handler.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <cerrno>
#include <chrono>
#include <deque>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::MatchesRegex;
using testing::StartsWith;

template <class Stream>
task<void> echo(Stream peer) {
  std::array<std::byte, 64> buffer;
  while (const std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write(std::span(buffer).first(count));
  }
}

template <class Stream>
task<std::string> ask(Stream& server, std::string question) {
  co_await server.write(question);
  std::string answer(question.size(), '?');
  co_await server.read_exactly(answer);
  co_return answer;
}

template <class F>
void simulate(F body) {
  sim::world simulation;
  const auto main = [&]() -> task<void> { co_await body(); };
  simulation.run(main());
  for (const verdict& each : simulation.verdicts()) ADD_FAILURE() << each.message;
}

// -- serving ----------------------------------------------------------------------------------------------------------

task<void> serves_many() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  server web;
  auto running = spawn(web.run(std::move(listener), echo<tcp_stream>), "web");
  tcp_stream one = co_await connect_tcp(at);
  tcp_stream other = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(other, "other"), "other");
  EXPECT_EQ(co_await ask(one, "one"), "one");
  EXPECT_EQ(web.connections(), 2U);
  one.close();
  co_await settle();
  EXPECT_EQ(web.connections(), 1U);
  EXPECT_FALSE(web.stopped());
  web.stop();
  EXPECT_TRUE(web.stopped());
  co_await settle();
  EXPECT_EQ(error_of(co_await as_result(connect_tcp(at))), ECONNREFUSED);
  EXPECT_EQ(co_await ask(other, "still"), "still");
  EXPECT_FALSE(running.done());
  other.close();
  co_await running.join();
  EXPECT_EQ(web.connections(), 0U);
}

TEST(ServeTest, ServesEachConnectionToItsEnd) {
  run_in_both_worlds(serves_many);
  run_in_random_orders(serves_many);
}

task<void> serves_unix() {
  unix_listener listener = unix_listener::bind(unix_address());
  const unix_address at = listener.local();
  server local;
  auto running = spawn(local.run(std::move(listener), echo<unix_stream>), "local");
  {
    unix_stream client = connect_unix(at);
    EXPECT_EQ(co_await ask(client, "hello"), "hello");
  }
  local.stop();
  co_await running.join();
}

TEST(ServeTest, ServesUnixSocketsAsWell) { run_in_both_worlds(serves_unix); }

task<void> serves_who_has_gone() {
  unix_listener unnamed = unix_listener::bind(unix_address());
  tcp_listener listener = listener_on_loopback();
  static_cast<void>(connect_unix(unnamed.local()));
  (co_await connect_tcp(listener.local())).reset();
  int ended = 0;
  const auto read_to_the_end = [&ended](auto peer) -> task<void> {
    const auto read_one = [](auto& from) -> task<std::size_t> {
      std::array<std::byte, 1> byte;
      co_return co_await from.read_some(byte);
    };
    static_cast<void>(co_await as_result(read_one(peer)));
    ++ended;
  };
  server web;
  server local;
  auto running = spawn(web.run(std::move(listener), read_to_the_end), "web");
  auto running_local = spawn(local.run(std::move(unnamed), read_to_the_end), "local");
  co_await settle();
  EXPECT_EQ(ended, 2);
  web.stop();
  local.stop();
  co_await running.join();
  co_await running_local.join();
}

TEST(ServeTest, ServesWhoHasGone) { run_in_both_worlds(serves_who_has_gone); }

task<void> names_handlers() {
  tcp_listener listener = listener_on_loopback();
  unix_listener unnamed = unix_listener::bind(unix_address());
  const endpoint at = listener.local();
  const unix_address at_unix = unnamed.local();
  std::vector<std::string> names;
  const auto note_name = [&names](auto) -> task<void> {
    names.push_back(current_task().name());
    co_return;
  };
  server web;
  server local;
  auto running = spawn(web.run(std::move(listener), note_name), "web");
  auto running_local = spawn(local.run(std::move(unnamed), note_name), "local");
  const tcp_stream client = co_await connect_tcp(at);
  co_await settle();
  const unix_stream other = connect_unix(at_unix);
  co_await settle();
  EXPECT_THAT(names, ElementsAre(client.local().text(), "connection 1"));
  web.stop();
  local.stop();
  co_await running.join();
  co_await running_local.join();
}

TEST(ServeTest, NamesHandlersAfterTheirPeers) { run_in_both_worlds(names_handlers); }

task<void> limits_connections() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  server web({.connections_max = 1});
  auto running = spawn(web.run(std::move(listener), echo<tcp_stream>), "web");
  tcp_stream first = co_await connect_tcp(at);
  tcp_stream second = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(first, "first"), "first");
  auto asked = spawn(ask(second, "second"), "asked");
  co_await settle();
  EXPECT_FALSE(asked.done());
  EXPECT_EQ(web.connections(), 1U);
  first.close();
  EXPECT_EQ(co_await asked.join(), "second");
  web.stop();
  second.close();
  co_await running.join();
}

TEST(ServeTest, LeavesConnectionsInTheBacklogAboveTheMaximum) {
  run_in_both_worlds(limits_connections);
  run_in_random_orders(limits_connections);
}

// -- stopping ---------------------------------------------------------------------------------------------------------

// Writes what becomes of it.
struct diary {
  std::vector<std::string> entries;

  task<void> wait_for_end(tcp_stream peer) {
    try {
      co_await echo(std::move(peer));
      entries.push_back("served");
    } catch (const cancelled&) {
      entries.push_back("cancelled");
      throw;
    }
  }
  auto handler() {
    return [this](tcp_stream peer) { return wait_for_end(std::move(peer)); };
  }
};

task<void> cancels_at_the_limit() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  diary kept;
  server web({.stop_limit = 2ms});
  auto running = spawn(web.run(std::move(listener), kept.handler()), "web");
  tcp_stream client = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(client, "hello"), "hello");
  const time_point before = now();
  web.stop();
  co_await running.join();
  EXPECT_GE(now() - before, 2ms);
  EXPECT_THAT(kept.entries, ElementsAre("cancelled"));
  std::array<char, 1> end;
  EXPECT_EQ(co_await client.read_some(end), 0U);
}

TEST(ServeTest, CancelsHandlersAtTheStopLimit) {
  run_in_both_worlds(cancels_at_the_limit);
  run_in_random_orders(cancels_at_the_limit);
}

task<void> stops_now() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  diary kept;
  server web;
  auto running = spawn(web.run(std::move(listener), kept.handler()), "web");
  tcp_stream client = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(client, "hello"), "hello");
  web.stop();
  co_await settle();
  EXPECT_FALSE(running.done());
  web.stop_now();
  co_await running.join();
  EXPECT_THAT(kept.entries, ElementsAre("cancelled"));
  EXPECT_EQ(error_of(co_await as_result(connect_tcp(at))), ECONNREFUSED);
}

TEST(ServeTest, CancelsHandlersAtOnceIfItIsToldTo) {
  run_in_both_worlds(stops_now);
  run_in_random_orders(stops_now);
}

task<void> is_cancelled() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  diary kept;
  auto running = spawn(serve(std::move(listener), kept.handler()), "web");
  tcp_stream client = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(client, "hello"), "hello");
  running.cancel();
  EXPECT_TRUE((co_await as_result(running.join())).was_cancelled());
  EXPECT_THAT(kept.entries, ElementsAre("cancelled"));
  EXPECT_EQ(error_of(co_await as_result(connect_tcp(at))), ECONNREFUSED);
}

TEST(ServeTest, CancelsHandlersWhenItIsCancelled) {
  run_in_both_worlds(is_cancelled);
  run_in_random_orders(is_cancelled);
}

task<void> is_stopped_before_it_runs() {
  server web;
  web.stop();
  co_await web.run(listener_on_loopback(), echo<tcp_stream>);
}

TEST(ServeTest, ServesNobodyWhenItWasStoppedBefore) { run_in_both_worlds(is_stopped_before_it_runs); }

task<void> is_stopped_by_a_handler() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  server web;
  const auto last = [&web](tcp_stream peer) -> task<void> {
    web.stop();
    co_await peer.write("bye");
  };
  auto running = spawn(web.run(std::move(listener), last), "web");
  tcp_stream client = co_await connect_tcp(at);
  EXPECT_EQ(co_await read_bytes(client, 3), "bye");
  co_await running.join();
}

TEST(ServeTest, MayBeStoppedByAHandler) { run_in_both_worlds(is_stopped_by_a_handler); }

// -- failures ---------------------------------------------------------------------------------------------------------

task<void> fail(tcp_stream) {
  co_await yield();
  throw std::runtime_error("the handler's own fault");
}

task<void> survives_a_handler() {
  std::vector<std::string> told;
  set_exception_handler([&told](const exception_context& found) { told.push_back(found.as_verdict.message); });
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  server web;
  bool failed = false;
  const auto fail_once = [&failed](tcp_stream peer) -> task<void> {
    if (!std::exchange(failed, true)) return fail(std::move(peer));
    return echo(std::move(peer));
  };
  auto running = spawn(web.run(std::move(listener), fail_once), "web");
  tcp_stream first = co_await connect_tcp(at);
  EXPECT_EQ(co_await read_piece(first), "");
  tcp_stream second = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(second, "hello"), "hello");
  EXPECT_THAT(told, ElementsAre("the handler of " + first.local().text() + " failed: the handler's own fault"));
  web.stop_now();
  co_await running.join();
}

TEST(ServeTest, OutlivesTheFailureOfAHandler) { run_in_both_worlds(survives_a_handler); }

TEST(ServeTest, MakesTheFailureOfAHandlerAVerdict) {
  sim::world simulation;
  const auto main = []() -> task<void> {
    tcp_listener listener = listener_on_loopback();
    const endpoint at = listener.local();
    server web;
    auto running = spawn(web.run(std::move(listener), fail), "web");
    tcp_stream client = co_await connect_tcp(at);
    EXPECT_EQ(co_await read_piece(client), "");
    web.stop();
    co_await running.join();
  };
  simulation.run(main());
  ASSERT_EQ(simulation.verdicts().size(), 1U);
  EXPECT_EQ(simulation.verdicts().front().kind, verdict_kind::unhandled_exception);
  EXPECT_THAT(simulation.verdicts().front().message,
              MatchesRegex("the handler of 127.0.0.1:[0-9]+ failed: the handler's own fault"));
}

task<void> ends_with_a_handler() {
  tcp_listener listener = listener_on_loopback();
  const endpoint at = listener.local();
  diary kept;
  bool first = true;
  const auto fail_second = [&](tcp_stream peer) -> task<void> {
    if (std::exchange(first, false)) return kept.wait_for_end(std::move(peer));
    return fail(std::move(peer));
  };
  server web({.ends_with_failure = true});
  auto running = spawn(web.run(std::move(listener), fail_second), "web");
  tcp_stream client = co_await connect_tcp(at);
  EXPECT_EQ(co_await ask(client, "hello"), "hello");
  const tcp_stream other = co_await connect_tcp(at);
  try {
    co_await running.join();
    ADD_FAILURE();
  } catch (const std::runtime_error& failed) {
    EXPECT_STREQ(failed.what(), "the handler's own fault");
  }
  EXPECT_THAT(kept.entries, ElementsAre("cancelled"));
}

TEST(ServeTest, EndsWithTheFailureOfAHandlerIfItIsAsked) {
  run_in_both_worlds(ends_with_a_handler);
  run_in_random_orders(ends_with_a_handler);
}

// -- errors of accept() -----------------------------------------------------------------------------------------------

// Its accept() fails like that, one after the other, and then waits for ever.
class failing_listener {
 public:
  class accepting final : public primitive<accepting> {
   public:
    explicit accepting(int error) noexcept : primitive(operation_kind::accept), error_(error) {}
    bool try_now() const noexcept { return error_ != 0; }
    void enqueue() noexcept override {}
    void withdraw() noexcept override {}
    tcp_stream result() const { detail::throw_system_error(error_, "accept"); }

   private:
    int error_;
  };

  failing_listener(std::deque<int> errors, std::vector<duration>& called)
      : errors_(std::move(errors)), called_(&called) {}

  accepting accept() {
    called_->push_back(now().time_since_epoch());
    const int error = errors_.empty() ? 0 : errors_.front();
    if (!errors_.empty()) errors_.pop_front();
    return accepting(error);
  }
  void close() {}

 private:
  std::deque<int> errors_;
  std::vector<duration>* called_;
};

TEST(ServeTest, GoesOnAfterErrorsThatPass) {
  simulate([]() -> task<void> {
    std::vector<duration> called;
    server web;
    auto running = spawn(
        web.run(failing_listener({ECONNABORTED, EMFILE, EPROTO, ENOBUFS, ENFILE}, called), echo<tcp_stream>), "web");
    co_await sleep_for(10s);
    EXPECT_THAT(called, ElementsAre(0s, 0s, 1s, 1s, 2s, 3s));
    web.stop();
    co_await running.join();
  });
}

TEST(ServeTest, IsStoppedWithinThePause) {
  simulate([]() -> task<void> {
    std::vector<duration> called;
    server web({.accept_pause = 1h});
    auto running = spawn(web.run(failing_listener({EMFILE}, called), echo<tcp_stream>), "web");
    co_await settle();
    web.stop();
    co_await running.join();
    EXPECT_EQ(now().time_since_epoch(), 0s);
  });
}

TEST(ServeTest, ThrowsErrorsThatDoNotPass) {
  simulate([]() -> task<void> {
    std::vector<duration> called;
    server web;
    failing_listener listener({EINVAL}, called);
    auto running = web.run(std::move(listener), echo<tcp_stream>);
    EXPECT_EQ(co_await error_of_task(std::move(running)), EINVAL);
  });
}

TEST(ServeTest, AcceptsAgainWhenThereAreDescriptors) {
  simulate([]() -> task<void> {
    tcp_listener listener = listener_on_loopback();
    const endpoint at = listener.local();
    server web;
    auto running = spawn(web.run(std::move(listener), echo<tcp_stream>), "web");
    tcp_stream client = co_await connect_tcp(at);
    EXPECT_EQ(co_await ask(client, "hello"), "hello");
    sim::descriptor_table& table = world().network().first_host().descriptors();
    const std::size_t before = table.limit();
    const int free = udp_socket::bind().native_handle();  // which is closed at once
    table.set_limit(static_cast<std::size_t>(free) + 1);
    tcp_stream late = co_await connect_tcp(at);
    auto asked = spawn(ask(late, "hello"), "asked");
    co_await sleep_for(1500ms);
    EXPECT_FALSE(asked.done());
    table.set_limit(before);
    EXPECT_EQ(co_await asked.join(), "hello");
    EXPECT_EQ(now().time_since_epoch(), 2s);
    web.stop_now();
    co_await running.join();
  });
}

// -- misuse -----------------------------------------------------------------------------------------------------------

TEST(ServeTest, IsMisusedByASecondRun) {
  sim::world simulation;
  const auto main = []() -> task<void> {
    server web;
    web.stop();
    co_await web.run(listener_on_loopback(), echo<tcp_stream>);
    co_await web.run(listener_on_loopback(), echo<tcp_stream>);
  };
  EXPECT_THROW(simulation.run(main()), misuse);
  ASSERT_EQ(simulation.verdicts().size(), 1U);
  EXPECT_THAT(simulation.verdicts().front().message, StartsWith("run() of a server that has run, or runs, already"));
}

TEST(ServeTest, IsMisusedIfItMayServeNobody) {
  sim::world simulation;
  const auto main = []() -> task<void> {
    server web({.connections_max = 0});
    co_return;
  };
  EXPECT_THROW(simulation.run(main()), misuse);
}

}  // namespace
}  // namespace lockstep
