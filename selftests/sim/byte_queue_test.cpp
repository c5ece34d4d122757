#include <lockstep/sim/byte_queue.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace lockstep::sim {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string take(byte_queue& from, std::size_t count) {
  std::string into(count, '\0');
  from.pop(std::as_writable_bytes(std::span(into)));
  return into;
}

TEST(ByteQueueTest, GivesBackWhatCameInItsOrder) {
  byte_memory memory;
  byte_queue queue(memory);
  queue.push(bytes_of("hello"));
  queue.push(bytes_of(" world"));
  EXPECT_EQ(queue.size(), 11);
  EXPECT_EQ(take(queue, 3), "hel");
  EXPECT_EQ(take(queue, 8), "lo world");
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueTest, PeeksWithoutTaking) {
  byte_memory memory;
  byte_queue queue(memory);
  queue.push(bytes_of("abcdef"));
  std::string into(2, '\0');
  queue.peek(std::as_writable_bytes(std::span(into)), 3);
  EXPECT_EQ(into, "de");
  EXPECT_EQ(take(queue, 6), "abcdef");
}

TEST(ByteQueueTest, DropsAtEitherEnd) {
  byte_memory memory;
  byte_queue queue(memory);
  queue.push(bytes_of("abcdef"));
  queue.drop_front(1);
  queue.drop_back(2);
  EXPECT_EQ(take(queue, 3), "bcd");
}

// Goes round the end of its block, and grows while it does.
TEST(ByteQueueTest, IsAStreamWhateverTheSizes) {
  byte_memory memory;
  byte_queue queue(memory);
  std::uint64_t state = 7;
  std::uint8_t next_in = 0;
  std::uint8_t next_out = 0;
  for (int round = 0; round < 200; ++round) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::string more(state >> 52, '\0');
    for (char& each : more) each = static_cast<char>(next_in++);
    queue.push(bytes_of(more));
    const std::size_t taken = std::min<std::size_t>(queue.size(), (state >> 40) & 4095);
    for (const char each : take(queue, taken)) ASSERT_EQ(static_cast<std::uint8_t>(each), next_out++);
  }
}

TEST(ByteQueueTest, LeavesItsMemoryToOthersWhenItIsEmpty) {
  byte_memory memory;
  byte_queue one(memory);
  constexpr unsigned order = byte_memory::least_order + 1;
  const std::string much(std::size_t{1} << order, 'x');
  one.push(bytes_of(much));
  take(one, much.size());
  std::byte* const left = memory.take(order);
  memory.give(left, order);
  byte_queue other(memory);
  other.push(bytes_of(much));
  std::byte* const more = memory.take(order);
  EXPECT_NE(more, left);
  memory.give(more, order);
}

// -- lending ----------------------------------------------------------------------------------------------------------

TEST(ByteQueueTest, TakesWhatIsLentFromWhereItIs) {
  byte_memory memory;
  byte_queue queue(memory);
  queue.push(bytes_of("ab"));
  std::string lent = "cdef";
  queue.lend(bytes_of(lent));
  lent[0] = 'C';
  EXPECT_EQ(queue.size(), 6);
  EXPECT_EQ(take(queue, 3), "abC");
  queue.keep();
  lent = "....";
  EXPECT_EQ(take(queue, 3), "def");
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueTest, KeepsWhatWasLentBeforeItIsLentMore) {
  byte_memory memory;
  byte_queue queue(memory);
  std::string first = "abc";
  const std::string second = "de";
  queue.lend(bytes_of(first));
  queue.lend(bytes_of(second));
  first = "...";
  queue.drop_back(1);
  std::string into(2, '\0');
  queue.peek(std::as_writable_bytes(std::span(into)), 2);
  EXPECT_EQ(into, "cd");
  queue.keep();
  EXPECT_EQ(take(queue, 4), "abcd");
}

}  // namespace
}  // namespace lockstep::sim
