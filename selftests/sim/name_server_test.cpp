#include <lockstep/sim/name_server.hpp>

#include "dns_text.hpp"
#include "udp_calls.hpp"

#include <lockstep/net/resolver.hpp>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// What it answers by UDP at once; nothing if it does not.
std::string asked(host& from, int fd, std::string_view name, int type) {
  EXPECT_GT(send_to(from, fd, dns_question_text(name, type), "10.0.0.53:53"), 0);
  const received got = receive(from, fd);
  return got.result < 0 ? "" : dns_answer_text(got.text);
}

host& with_server(network& net) {
  host& ns = net.add_host("ns", {"10.0.0.53"});
  net.dns().serve_on(ns);
  return ns;
}

TEST(NameServerTest, AnswersWhatTheNameServiceKnows) {
  in_network([](network& net) -> task<void> {
    with_server(net);
    host& here = net.first_host();
    name_service& dns = net.dns();
    dns.add("db.example", "10.0.0.7", 30s);
    dns.alias("www.example", "db.example", 60s);
    const int fd = open_udp(here);
    EXPECT_EQ(asked(here, fd, "DB.example", type_a), "rcode 0: DB.example 30 10.0.0.7");
    EXPECT_EQ(asked(here, fd, "db.example", type_aaaa), "rcode 0:");
    EXPECT_EQ(asked(here, fd, "db.example", type_mx), "rcode 0:");
    EXPECT_EQ(asked(here, fd, "www.example", type_a), "rcode 0: www.example 60 -> db.example db.example 30 10.0.0.7");
    EXPECT_EQ(asked(here, fd, "client", type_a), "rcode 0: client 0 10.0.0.1");
    EXPECT_EQ(asked(here, fd, "client", type_mx), "rcode 0:");
    EXPECT_EQ(asked(here, fd, "nobody", type_a), "rcode 3:");
    dns.fail("db.example", {.failure = name_failure::server_failure, .count = 1});
    EXPECT_EQ(asked(here, fd, "db.example", type_a), "rcode 2:");
    dns.fail("db.example", {.failure = name_failure::timeout, .count = 1});
    EXPECT_EQ(asked(here, fd, "db.example", type_a), "");
    EXPECT_EQ(asked(here, fd, "db.example", type_a), "rcode 0: db.example 30 10.0.0.7");
    co_return;
  });
}

TEST(NameServerTest, AnswersLateIfAskedTo) {
  in_network([](network& net) -> task<void> {
    with_server(net);
    host& here = net.first_host();
    net.dns().add("db.example", "10.0.0.7");
    net.dns().fail("db.example", {.delay = 2s});
    const int fd = open_udp(here);
    EXPECT_EQ(asked(here, fd, "db.example", type_a), "");
    co_await sleep_for(2s - 1ns);
    EXPECT_THAT(receive_all(here, fd), IsEmpty());
    co_await sleep_for(1ns);
    EXPECT_EQ(receive_all(here, fd).size(), 1u);
  });
}

TEST(NameServerTest, AnswersOverTcpWhatIsTooLong) {
  in_network([](network& net) -> task<void> {
    with_server(net);
    host& here = net.first_host();
    for (int i = 0; i < 40; ++i) net.dns().add("many.example", ip_address::v4(0x0A010000u + static_cast<unsigned>(i)));
    net.dns().add("db.example", "10.0.0.7");
    const int udp = open_udp(here);
    EXPECT_EQ(asked(here, udp, "many.example", type_a), "rcode 0: cut short");
    const int tcp = here.socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(here, tcp, "10.0.0.53:53"), -EINPROGRESS);
    EXPECT_EQ(connect_to(here, tcp, "10.0.0.53:53"), 0);
    // Two at once, the first of them in pieces.
    std::string questions;
    for (const char* each : {"many.example", "db.example"}) {
      const std::string question = dns_question_text(each, type_a);
      questions += std::string{0, static_cast<char>(question.size())} + question;
    }
    EXPECT_EQ(send(here, tcp, questions.substr(0, 5)), 5);
    EXPECT_GT(send(here, tcp, questions.substr(5)), 0);
    std::string came(4'096, ' ');
    const std::int64_t size = here.recv(tcp, came.data(), came.size(), 0);
    const auto length = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(came[at])) << 8 |
             static_cast<unsigned char>(came[at + 1]);
    };
    const std::size_t first = length(0);
    EXPECT_THAT(dns_answer_text(std::string_view(came).substr(2, first)), testing::EndsWith(" 10.1.0.39"));
    const std::size_t second = length(2 + first);
    EXPECT_EQ(dns_answer_text(std::string_view(came).substr(4 + first, second)), "rcode 0: db.example 0 10.0.0.7");
    EXPECT_EQ(static_cast<std::size_t>(size), 4 + first + second);
    here.close(tcp);
    co_return;
  });
}

TEST(NameServerTest, StandsStillWithItsHost) {
  in_network([](network& net) -> task<void> {
    host& ns = with_server(net);
    host& here = net.first_host();
    net.dns().add("db.example", "10.0.0.7");
    const int udp = open_udp(here);
    const int tcp = here.socket(AF_INET, SOCK_STREAM, 0);
    connect_to(here, tcp, "10.0.0.53:53");
    ns.pause();
    EXPECT_EQ(asked(here, udp, "db.example", type_a), "");
    const std::string question = dns_question_text("db.example", type_a);
    EXPECT_GT(send(here, tcp, std::string{0, static_cast<char>(question.size())} + question), 0);
    std::string came(4'096, ' ');
    EXPECT_EQ(here.recv(tcp, came.data(), came.size(), 0), -EAGAIN);
    ns.resume();
    EXPECT_EQ(dns_answer_text(receive(here, udp).text), "rcode 0: db.example 0 10.0.0.7");
    EXPECT_GT(here.recv(tcp, came.data(), came.size(), 0), 0);
    here.close(tcp);
    here.close(udp);
    co_return;
  });
}

TEST(NameServerTest, IsNoLeakAndNoneThatStaysWhenItMoves) {
  world simulation;
  const auto main = [&]() -> task<void> {
    network& net = simulation.network();
    host& ns = with_server(net);
    host& other = net.add_host("other", {"10.0.0.54"});
    net.dns().serve_on(other);
    net.dns().add("db.example", "10.0.0.7");
    const int taken = open_udp(ns, "10.0.0.53:53");
    ns.close(taken);
    EXPECT_THAT(co_await resolver().look_up("db.example"), ElementsAre(ip_address("10.0.0.7")));
  };
  simulation.run(main());
  EXPECT_THAT(simulation.verdicts(), IsEmpty());
}

TEST(NameServerTest, NeedsItsPort) {
  world simulation;
  const auto main = [&]() -> task<void> {
    network& net = simulation.network();
    host& here = net.first_host();
    const int fd = open_udp(here, "0.0.0.0:53");
    EXPECT_THROW(net.dns().serve_on(here), misuse);
    here.close(fd);
    co_return;
  };
  simulation.run(main());
}

}  // namespace
}  // namespace lockstep::sim
