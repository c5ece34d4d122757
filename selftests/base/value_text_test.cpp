#include <lockstep/base/value_text.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct in_both_ways {};
std::ostream& operator<<(std::ostream& out, const in_both_ways&) { return out << "streamed"; }

template <>
struct fmt::formatter<in_both_ways> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const in_both_ways&, Context& context) const {
    return fmt::formatter<std::string_view>::format("formatted", context);
  }
};

namespace lockstep::detail {
namespace {

struct streamed {
  int value;
  friend std::ostream& operator<<(std::ostream& out, const streamed& shown) { return out << '<' << shown.value << '>'; }
};
struct without_text {};
enum class color : std::uint8_t { red, green };

template <class T>
std::string text(const T& value) {
  return text_of_value(value).value_or("nothing");
}

TEST(ValueTextTest, ShowsNumbersAsTheyAre) {
  EXPECT_EQ(text(-60), "-60");
  EXPECT_EQ(text(true), "true");
  EXPECT_EQ(text(1.5), "1.5");
  EXPECT_EQ(text(color::green), "1");
}

TEST(ValueTextTest, QuotesStrings) {
  EXPECT_EQ(text(std::string("open door")), "\"open door\"");
  EXPECT_EQ(text(std::string_view()), "\"\"");
  EXPECT_EQ(text("literal"), "\"literal\"");
  EXPECT_EQ(text(static_cast<const char*>(nullptr)), "null");
}

TEST(ValueTextTest, PrefersTheFormatterToTheStream) {
  EXPECT_EQ(text(in_both_ways()), "formatted");
  EXPECT_EQ(text(streamed{7}), "<7>");
}

TEST(ValueTextTest, OfWhatHasNoTextIsNothing) {
  EXPECT_EQ(text(without_text()), "nothing");
  EXPECT_EQ(text(std::vector<without_text>(1)), "nothing");
  EXPECT_EQ(text(std::optional(without_text())), "nothing");
}

TEST(ValueTextTest, NeverShowsAnAddress) {
  int value = 1;
  EXPECT_EQ(text(&value), "not null");
  EXPECT_EQ(text(static_cast<void*>(&value)), "not null");
  EXPECT_EQ(text(std::make_unique<int>(1)), "not null");
  EXPECT_EQ(text(std::shared_ptr<int>()), "null");
  EXPECT_EQ(text(nullptr), "null");
}

TEST(ValueTextTest, ShowsWhatIsInRangesAndOptionals) {
  EXPECT_EQ(text(std::vector<int>{1, 2}), "[1, 2]");
  EXPECT_EQ(text(std::vector<bool>{true, false}), "[true, false]");
  EXPECT_EQ(text(std::vector<std::string>{}), "[]");
  EXPECT_EQ(text(std::map<int, std::string>{{1, "one"}, {2, "two"}}), "[(1, \"one\"), (2, \"two\")]");
  EXPECT_EQ(text(std::optional(5)), "5");
  EXPECT_EQ(text(std::optional<int>()), "none");
}

TEST(ValueTextTest, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(text(std::string(80, 'x')), '"' + std::string(80, 'x') + '"');
  EXPECT_EQ(text(std::string(81, 'x')), '"' + std::string(80, 'x') + "…\"");
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  EXPECT_EQ(text(umlauts).size(), 2 + 79 + std::string("…").size());
  EXPECT_EQ(text(std::vector<int>(1000, 1)).size(), 2 + 80 + std::string("…").size());
}

}  // namespace
}  // namespace lockstep::detail
