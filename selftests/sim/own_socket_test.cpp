#include <lockstep/sim/own_socket.hpp>

#include "two_hosts.hpp"

#include <lockstep/sim/udp_socket.hpp>

#include <gtest/gtest.h>

#include <string>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Sends back what comes, and ends itself after the last.
class echoing final : public own_socket {
 public:
  echoing(host& on, std::unique_ptr<echoing>& self)
      : own_socket(new udp_socket(on, on.number(), false, O_RDWR | O_NONBLOCK), POLLIN), self_(self) {}

  void may_be_ready() noexcept override {
    std::vector<std::byte> message;
    endpoint from;
    while (receive(message, 100, &from) >= 0) {
      send(message, &from);
      if (text_of(message) == "last") return self_.reset();
    }
  }

 private:
  std::unique_ptr<echoing>& self_;
};

TEST(OwnSocketTest, IsToldOfWhatComesAndMayEndThen) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::unique_ptr<echoing> server;
    server = std::make_unique<echoing>(hosts.web, server);
    EXPECT_EQ(server->bind("10.0.0.2:7"), 0);
    const file client{&hosts.client, hosts.client.socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_EQ(client.connect("10.0.0.2:7"), "0");
    client.send("one");
    EXPECT_EQ(client.recv(), "one");
    client.send("last");
    EXPECT_EQ(client.recv(), "last");
    EXPECT_EQ(server, nullptr);
    client.send("nobody");
    EXPECT_EQ(client.recv(), "ECONNREFUSED");
    client.close();
    co_return;
  });
}

TEST(OwnSocketTest, AStreamOfDnsIsMessagesWithTheirLengths) {
  const std::string all = text_of(dns_stream::framed(bytes_of("one"))) + text_of(dns_stream::framed(bytes_of(""))) +
                          text_of(dns_stream::framed(bytes_of(std::string(300, 'x'))));
  EXPECT_EQ(all.substr(0, 5), std::string("\0\3one", 5));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4}, all.size()}) {
    dns_stream come;
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      come.add(bytes_of(all.substr(at, piece)));
      for (std::vector<std::byte> message; come.take(message);) messages.push_back(text_of(message));
    }
    EXPECT_THAT(messages, ElementsAre("one", "", std::string(300, 'x')));
  }
}

}  // namespace
}  // namespace lockstep::sim
