#include <lockstep/runtime/any.hpp>

#include "judged_run.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/testing/testing.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Runs `draw` as the main task under the given oracle.
template <class F>
void run_under(oracle& choices, F draw) {
  const auto main = [&]() -> task<void> {
    draw();
    co_return;
  };
  EXPECT_EQ(judge(main, {.choices = &choices}).messages(), "");
}

// Answers the questions of a domain in turn, all further ones with 0, and keeps how many options there were.
class scripted final : public oracle {
 public:
  explicit scripted(std::map<std::string, std::vector<std::uint64_t>> answers) : answers_(std::move(answers)) {}

  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    asked.emplace_back(point.name, options);
    const auto found = answers_.find(std::string(point.name));
    if (found == answers_.end() || found->second.size() < point.nth) return 0;
    return found->second[point.nth - 1];
  }
  std::vector<std::pair<std::string, std::uint64_t>> asked;

 private:
  std::map<std::string, std::vector<std::uint64_t>> answers_;
};

// All values of any_int() in the order of its answers.
template <class T>
std::vector<T> all_of_any_int(T lowest, T highest) {
  std::vector<T> all;
  for (std::uint64_t answer = 0;; ++answer) {
    scripted choices({{"n", {answer}}});
    run_under(choices, [&] { all.push_back(any_int("n", lowest, highest)); });
    if (choices.asked.empty() || answer + 1 == choices.asked.front().second) return all;
  }
}

TEST(AnyTest, IntegersComeInTheOrderOfTheirDistanceFromZero) {
  EXPECT_THAT(all_of_any_int(-3, 5), ElementsAre(0, 1, -1, 2, -2, 3, -3, 4, 5));
  EXPECT_THAT(all_of_any_int(-5, 3), ElementsAre(0, 1, -1, 2, -2, 3, -3, -4, -5));
  EXPECT_THAT(all_of_any_int(-2, 2), ElementsAre(0, 1, -1, 2, -2));
  EXPECT_THAT(all_of_any_int(3, 6), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(all_of_any_int(-6, -3), ElementsAre(-3, -4, -5, -6));
  EXPECT_THAT(all_of_any_int(-2, 0), ElementsAre(0, -1, -2));
  EXPECT_THAT(all_of_any_int(0, 2), ElementsAre(0, 1, 2));
  EXPECT_THAT(all_of_any_int(7, 7), ElementsAre(7));
  EXPECT_THAT(all_of_any_int(2u, 4u), ElementsAre(2u, 3u, 4u));
}

TEST(AnyTest, IntegersReachBothEndsOfEveryType) {
  const std::vector<std::int8_t> bytes = all_of_any_int<std::int8_t>(-128, 127);
  EXPECT_EQ(std::set<std::int8_t>(bytes.begin(), bytes.end()).size(), 256u);
  EXPECT_EQ(bytes.back(), -128);
  contrary last;
  run_under(last, [] {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(any_int<std::int64_t>(least, 0), least);
    EXPECT_EQ(any_int<std::int64_t>(least + 1, most), least + 1);
    EXPECT_EQ(any_int<std::int64_t>(least, least + 1), least);
    EXPECT_EQ(any_int(most - 1, most), most);
    EXPECT_EQ(any_int<std::uint64_t>(1, ~std::uint64_t{0}), ~std::uint64_t{0});
    EXPECT_EQ(any_int<std::uint8_t>(0, 255), 255);
  });
}

TEST(AnyTest, TheWholeOf64BitsLacksTheFarthestFromZeroOnly) {
  contrary last;
  run_under(last, [] {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(any_int(std::numeric_limits<std::int64_t>::min(), most), -most);
    EXPECT_EQ(any_int<std::uint64_t>(0, ~std::uint64_t{0}), ~std::uint64_t{0} - 1);
  });
}

CO_TEST(AnyTest, ThePlainRunDrawsTheDullest) {
  EXPECT_EQ(any_int(-5, 5), 0);
  EXPECT_EQ(any_int("port", 1024, 65535), 1024);
  EXPECT_FALSE(any_bool());
  EXPECT_FALSE(any_bool("late"));
  EXPECT_EQ(any_of(7, 8, 9), 7);
  EXPECT_EQ(any_duration(-1s, 1s), 0s);
  EXPECT_EQ(any_duration("delay", 5ms, 1s), 5ms);
  EXPECT_THAT(any_bytes(10), IsEmpty());
  EXPECT_EQ(any_string(10), "");
  EXPECT_THAT(any_vector(10, [] { return 1; }), IsEmpty());
  co_return;
}

TEST(AnyTest, AlternativesAreARangeAListOrValues) {
  scripted choices({{"any-main", {0, 1, 2, 1, 1, 1}}, {"verb", {1, 2}}});
  run_under(choices, [] {
    const std::array<int, 3> numbers = {10, 20, 30};
    EXPECT_EQ(any_of(numbers), 10);
    EXPECT_EQ(any_of(std::list<std::string>{"a", "b"}), "b");
    EXPECT_EQ(any_of({1.5, 2.5, 3.5}), 3.5);
    EXPECT_EQ(any_of(std::string("one"), std::string("two")), "two");
    EXPECT_EQ(std::string(any_of("one", "three")), "three");  // two values, and no label
    EXPECT_TRUE(any_of(std::vector<bool>{false, true}));
    EXPECT_EQ(std::string(any_of("verb", {"get", "put"})), "put");
    EXPECT_EQ(any_of("verb", numbers), 30);
  });
  EXPECT_EQ(choices.asked.size(), 8u);
}

TEST(AnyTest, TextsAndSequencesDrawTheirSizeAndThenTheirElements) {
  scripted choices({{"bytes", {2, 0, 255}}, {"name", {3, 0, 26, 94}}, {"any-main", {2, 1, 2, 3, 1, 1}}});
  run_under(choices, [] {
    EXPECT_THAT(any_bytes("bytes", 4), ElementsAre(std::byte{0}, std::byte{255}));
    EXPECT_EQ(any_string("name", 8), "aA~");
    EXPECT_THAT(any_vector(3, [] { return any_int(-9, 9); }), ElementsAre(1, -1));
    EXPECT_EQ(any_string(3, "01"), "110");
  });
  const std::pair<std::string, std::uint64_t> expected[] = {{"bytes", 5}, {"bytes", 256}, {"bytes", 256}, {"name", 9}};
  for (std::size_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(choices.asked[i], expected[i]);
}

TEST(AnyTest, ThePrintableCharactersAreAllOfAscii) {
  std::set<char> all(printable_characters.begin(), printable_characters.end());
  EXPECT_EQ(all.size(), printable_characters.size());
  EXPECT_EQ(all.size(), 95u);
  EXPECT_EQ(*all.begin(), ' ');
  EXPECT_EQ(*all.rbegin(), '~');
}

// What two tasks draw, four times each; one of them may draw more in between.
std::vector<std::vector<int>> draws_of_two(bool more) {
  const auto choices = make_oracle(schedule::random, 17);
  std::vector<std::vector<int>> drawn(2);
  const auto draw = [&](std::size_t who) -> task<void> {
    for (int i = 0; i < 4; ++i) {
      if (more && who == 0) static_cast<void>(any_bool());
      drawn[who].push_back(any_int(0, 1'000'000));
      drawn[who].push_back(any_int("shared", 0, 1'000'000));
      co_await yield();
    }
  };
  const auto main = [&]() -> task<void> {
    auto one = spawn(draw(0));
    auto other = spawn(draw(1));
    co_await one.join();
    co_await other.join();
  };
  EXPECT_EQ(judge(main, {.order = ordering::fifo, .choices = choices.get()}).messages(), "");
  return drawn;
}

TEST(AnyTest, DrawsOfOneTaskDoNotShiftThoseOfAnotherOrOfALabel) {
  const auto without = draws_of_two(false);
  const auto with = draws_of_two(true);
  EXPECT_EQ(with[1], without[1]);
  EXPECT_NE(with[0], without[0]);
  for (std::size_t i = 1; i < with[0].size(); i += 2) EXPECT_EQ(with[0][i], without[0][i]);
  EXPECT_NE(without[0][0], without[1][0]);
}

TEST(AnyTest, OneValueIsNoChoice) {
  dullest asked;
  run_under(asked, [] {
    EXPECT_EQ(any_int(7, 7), 7);
    EXPECT_EQ(any_of({7}), 7);
    EXPECT_EQ(any_duration(1s, 1s), 1s);
    EXPECT_EQ(any_string(0), "");
  });
  EXPECT_EQ(asked.value_picks, 0);
}

TEST(AnyTest, IsPartOfTheTrace) {
  const auto hash_with = [](oracle* choices) {
    const auto main = []() -> task<void> {
      static_cast<void>(any_int(1, 6));
      co_return;
    };
    return judge(main, {.choices = choices}).summary.trace_hash;
  };
  dullest lowest;
  contrary highest;
  EXPECT_EQ(hash_with(nullptr), hash_with(&lowest));
  EXPECT_NE(hash_with(nullptr), hash_with(&highest));
}

TEST(AnyTest, NothingToChooseFromIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(any_int("n", 5, 4), misuse);
    EXPECT_THROW(any_int(5u, 4u), misuse);
    EXPECT_THROW(any_duration(1s, 0s), misuse);
    EXPECT_THROW(any_of("verb", std::vector<int>()), misuse);
    EXPECT_THROW(any_of(std::vector<int>()), misuse);
    EXPECT_THROW(any_string(0, ""), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: the range of \"n\" is empty: its highest value is below its lowest\n"
            "misuse: the range is empty: its highest value is below its lowest\n"
            "misuse: the range is empty: its highest value is below its lowest\n"
            "misuse: there are no alternatives of \"verb\" to choose from\n"
            "misuse: there are no alternatives to choose from\n"
            "misuse: there are no alternatives to choose from\n");
}

TEST(AnyTest, NeedsALoop) {
  EXPECT_THROW(any_int(0, 1), misuse);
  EXPECT_THROW(any_int(1, 0), misuse);
  EXPECT_THROW(any_of(std::vector<int>()), misuse);
  EXPECT_THROW(any_bool(), misuse);
}

// -- a property that does not hold ------------------------------------------------------------------------------------

// Explores `main`, which throws where its property does not hold, and shrinks what was found.
std::string least_failure_of(const std::function<task<void>()>& main) {
  world_program code(main);
  const exploration found = explorer(code).explore({.runs_max = 5'000});
  if (!found.failure) return "nothing was found";
  const token whole = token_of_answers(code, 0x1234, ordering::any_order, found.failure->answers);
  const shrunk_run least = shrink(code, whole, found.failure->result.signature);
  EXPECT_TRUE(least.finished);
  return to_text(least.replay);
}

void require(bool holds) {
  if (!holds) throw std::runtime_error("the property does not hold");
}

TEST(AnyTest, AFailureIsShrunkToTheLeastNumber) {
  const auto too_large = []() -> task<void> {
    require(any_int("n", -1'000'000, 1'000'000) <= 500);
    co_return;
  };
  EXPECT_EQ(least_failure_of(too_large), "ls1:1234:plain:n#1=1001:;");  // 501
  const auto too_small = []() -> task<void> {
    require(any_int("n", -1'000'000, 1'000'000) > -77);
    co_return;
  };
  EXPECT_EQ(least_failure_of(too_small), "ls1:1234:plain:n#1=154:;");  // -77
}

TEST(AnyTest, AFailureIsShrunkToTheLeastText) {
  const auto no_digit = []() -> task<void> {
    const std::string name = any_string("name", 12);
    require(name.find_first_of("0123456789") == std::string::npos);
    co_return;
  };
  EXPECT_EQ(least_failure_of(no_digit), "ls1:1234:plain:name#1=1,name#2=52:;");  // "0"
}

// A race that shows only with certain data: both withdraw, and together more than there is.
TEST(AnyTest, DataAndOrdersAreFoundAndShrunkTogether) {
  const auto overdraw = []() -> task<void> {
    int balance = 100;
    const auto withdraw = [&](int amount) -> task<void> {
      if (balance < amount) co_return;
      co_await yield();
      balance -= amount;
    };
    const int amount = any_int("amount", 0, 90);
    auto one = spawn(withdraw(amount));
    co_await yield();
    auto other = spawn(withdraw(amount));
    co_await one.join();
    co_await other.join();
    require(balance >= 0);
  };
  EXPECT_EQ(least_failure_of(overdraw), "ls1:1234:plain:1@1>main,amount#1=51:;");
}

}  // namespace
}  // namespace lockstep
