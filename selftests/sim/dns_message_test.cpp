#include <lockstep/sim/dns_message.hpp>

#include "dns_text.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> message_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string encoded(const dns_question& to, const name_answer& answer, std::size_t size_max = 512) {
  const std::vector<std::byte> made = encode_answer(to, answer, size_max);
  return {reinterpret_cast<const char*>(made.data()), made.size()};
}

TEST(DnsMessageTest, ReadsAQuestion) {
  const std::string text = dns_question_text("Db.Example", type_aaaa, 0xABCD);
  const dns_question read = parse_question(message_bytes(text)).value();
  EXPECT_TRUE(read.readable);
  EXPECT_TRUE(read.recursion_desired);
  EXPECT_EQ(read.id, 0xABCD);
  EXPECT_EQ(read.name, "Db.Example");
  EXPECT_EQ(read.family(), AF_INET6);
  EXPECT_EQ(encoded(read, {}).substr(12), text.substr(12));  // as it was written
}

TEST(DnsMessageTest, ReadsNothingThatIsNone) {
  const std::string text = dns_question_text("db.example", type_a);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string part = text.substr(0, size);
    const std::optional<dns_question> read = parse_question(message_bytes(part));
    EXPECT_EQ(read.has_value(), size >= 12);
    if (read) {
      EXPECT_FALSE(read->readable) << size;
      EXPECT_EQ(dns_answer_text(encoded(*read, {})), "rcode 1:");
    }
  }
  std::string answer = text;
  answer[2] = static_cast<char>(0x80);
  EXPECT_FALSE(parse_question(message_bytes(answer)));
  std::string pointer = text;
  pointer[12] = static_cast<char>(0xC0);
  EXPECT_FALSE(parse_question(message_bytes(pointer))->readable);
}

TEST(DnsMessageTest, WritesAliasesThenAddresses) {
  const std::string text = dns_question_text("www.example", type_a);
  const dns_question question = parse_question(message_bytes(text)).value();
  name_answer answer;
  answer.aliases.push_back({"www.example", "db.example", 60s});
  answer.addresses = {"10.0.0.7", "10.0.0.8"};
  answer.ttl = 1500ms;
  EXPECT_EQ(dns_answer_text(encoded(question, answer)),
            "rcode 0: www.example 60 -> db.example db.example 1 10.0.0.7 db.example 1 10.0.0.8");
  EXPECT_EQ(dns_answer_text(encoded(question, name_answer::failed(name_failure::no_such_name))), "rcode 3:");
  EXPECT_EQ(dns_answer_text(encoded(question, name_answer::failed(name_failure::no_data))), "rcode 0:");
  EXPECT_EQ(dns_answer_text(encoded(question, name_answer::failed(name_failure::server_failure))), "rcode 2:");
  EXPECT_EQ(dns_answer_text(encoded(question, name_answer::failed(name_failure::refused))), "rcode 5:");
  EXPECT_EQ(dns_answer_text(encoded(question, name_answer::failed(name_failure::truncated))), "rcode 0: cut short");
}

TEST(DnsMessageTest, IsCutShortWhereItDoesNotFit) {
  const std::string text = dns_question_text("db.example", type_a);
  const dns_question question = parse_question(message_bytes(text)).value();
  name_answer answer;
  answer.addresses.assign(40, "10.0.0.7");
  EXPECT_EQ(dns_answer_text(encoded(question, answer)), "rcode 0: cut short");
  EXPECT_GT(encoded(question, answer, 65'535).size(), 512u);
}

}  // namespace
}  // namespace lockstep::sim
