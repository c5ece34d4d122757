#include <lockstep/sim/dns_message.hpp>

#include "dns_text.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>

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

// -- for who asks -----------------------------------------------------------------------------------------------------

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// "A none 30 s 10.0.0.7", or "nothing".
std::string read_back(const std::string& message) {
  const std::optional<dns_answer> read = parse_answer(message_bytes(message));
  if (!read) return "nothing";
  constexpr const char* names[] = {"none",    "no such name", "no data",  "server failure",
                                   "refused", "timeout",      "cut short"};
  std::string text = std::string(read->family == AF_INET    ? "A "
                                 : read->family == AF_INET6 ? "AAAA "
                                                            : "? ") +
                     names[static_cast<int>(read->what.failure)];
  if (!read->what.addresses.empty()) text += " " + to_text(read->what.ttl);
  for (const ip_address& each : read->what.addresses) text += " " + each.text();
  return text;
}

TEST(DnsMessageTest, AsksAsAResolverDoes) {
  EXPECT_EQ(text_of(encode_question("db.example", AF_INET)), dns_question_text("db.example", type_a, 1));
  EXPECT_EQ(text_of(encode_question("db.example", AF_INET6)), dns_question_text("db.example", type_aaaa, 28));
}

TEST(DnsMessageTest, ReadsWhatItWrites) {
  const dns_question four = parse_question(encode_question("www.example", AF_INET)).value();
  const dns_question six = parse_question(encode_question("www.example", AF_INET6)).value();
  name_answer answer;
  answer.aliases.push_back({"www.example", "db.example", 20s});
  answer.addresses = {"10.0.0.7", "10.0.0.8"};
  answer.ttl = 30s;
  EXPECT_EQ(read_back(encoded(four, answer)), "A none 20 s 10.0.0.7 10.0.0.8");
  answer.aliases.clear();
  answer.addresses = {"fd00::7"};
  EXPECT_EQ(read_back(encoded(six, answer)), "AAAA none 30 s fd00::7");
  using enum name_failure;
  for (const auto& [failure, text] : {std::pair(no_such_name, "A no such name"),
                                      {no_data, "A no data"},
                                      {server_failure, "A server failure"},
                                      {refused, "A refused"},
                                      {truncated, "A cut short"}}) {
    EXPECT_EQ(read_back(encoded(four, name_answer::failed(failure))), text);
  }
  dns_question strange = four;
  strange.readable = false;
  EXPECT_EQ(read_back(encoded(strange, answer)), "A server failure") << "of a question that it could not read";
}

TEST(DnsMessageTest, IsSaidInWords) {
  EXPECT_EQ(text_of_dns(encode_question("db.example", AF_INET6)), "AAAA db.example?");
  EXPECT_EQ(text_of_dns(message_bytes(dns_question_text("db.example", type_mx))), "other db.example?");
  const dns_question question = parse_question(encode_question("db.example", AF_INET)).value();
  name_answer answer;
  answer.addresses = {"10.0.0.7", "10.0.0.8"};
  EXPECT_EQ(text_of_dns(encode_answer(question, answer, 512)), "A db.example: 10.0.0.7, 10.0.0.8");
  EXPECT_EQ(text_of_dns(encode_answer(question, name_answer::failed(name_failure::no_such_name), 512)),
            "A db.example: no such name");
  EXPECT_EQ(text_of_dns(message_bytes("hello")), "");
}

TEST(DnsMessageTest, ReadsNoHalfAnswer) {
  const dns_question question = parse_question(encode_question("db.example", AF_INET)).value();
  EXPECT_EQ(read_back(text_of(encode_question("db.example", AF_INET))), "nothing") << "it is a question";
  name_answer answer;
  answer.addresses = {"10.0.0.7", "10.0.0.8"};
  answer.ttl = 30s;
  const std::string whole = encoded(question, answer);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(read_back(whole.substr(0, size)), "nothing") << size;
  // A name that points to where it stood already, as other servers write it.
  std::string pointing = whole.substr(0, 28);
  for (const char last : {'\7', '\x8'}) pointing += std::string("\xC0\x0C\0\1\0\1\0\0\0\x1E\0\4\n\0\0", 15) + last;
  EXPECT_EQ(read_back(pointing), "A none 30 s 10.0.0.7 10.0.0.8");
}

}  // namespace
}  // namespace lockstep::sim
