#include <lockstep/base/hash.hpp>
#include <lockstep/explore/token.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The token that `text` is; fails the test if it is none.
token parsed(std::string_view text) {
  auto result = parse_token(text);
  if (const auto* problem = std::get_if<std::string>(&result)) {
    ADD_FAILURE() << text << " was refused: " << *problem;
    return {};
  }
  return std::get<token>(result);
}

// Why `text` is refused; empty if it is not.
std::string refusal(std::string_view text) {
  const auto result = parse_token(text);
  const auto* problem = std::get_if<std::string>(&result);
  return problem != nullptr ? *problem : "";
}

token full_token() {
  token made;
  made.test = 0x7c41;
  made.base = schedule::random;
  made.seed = 17;
  made.order = ordering::fifo;
  made.task_overrides = {{"1", 3, "2"}, {"main", 9, "1.2.31"}, {"1", 3, "main"}};
  made.value_overrides = {{"jitter", 2, 40}, {"page 1: 50%", 1, 18446744073709551615u}};
  made.print = {12, "a9f0c41", "c41d"};
  return made;
}

TEST(TokenTest, IsWrittenAsTheHeaderSays) {
  EXPECT_EQ(to_text(full_token()),
            "ls1:7c41:random-17/fifo:1@3>2,main@9>1.2.31,1@3>main,jitter#2=40,page%201%3a%2050%25#1="
            "18446744073709551615:12.a9f0c41.c41d;");
}

TEST(TokenTest, ComesBackAsItWasInEveryField) { EXPECT_EQ(parsed(to_text(full_token())), full_token()); }

TEST(TokenTest, ComesBackWithEveryBaseAndOrderAndWithoutTheRest) {
  for (const schedule base : {schedule::plain, schedule::round_robin, schedule::random}) {
    for (const ordering order : {ordering::any_order, ordering::fifo}) {
      token made;
      made.base = base;
      made.order = order;
      EXPECT_EQ(parsed(to_text(made)), made) << to_text(made);
    }
  }
}

TEST(TokenTest, KeepsEveryByteOfADomainsName) {
  token made;
  std::string name;
  for (int c = 0; c < 256; ++c) name += static_cast<char>(c);
  made.value_overrides = {{name, 1, 0}};
  EXPECT_EQ(parsed(to_text(made)), made);
}

TEST(TokenTest, WritesOnceWhatIsRepeated) {
  token many;
  many.base = schedule::plain;
  many.task_overrides.assign(300, {"1", 3, "2"});
  many.task_overrides.push_back({"main", 1, "2"});
  many.task_overrides.insert(many.task_overrides.end(), 3, {"1", 4, "2"});
  EXPECT_EQ(to_text(many), "ls1:0000:plain:1@3>2*300,main@1>2,1@4>2,1@4>2,1@4>2:;");
  EXPECT_EQ(parsed(to_text(many)), many);
  for (const char* const wrong : {"1@3>2*", "1@3>2*0", "1@3>2*-1", "1@3>2*2*2", "1@3>2*1000001", "1@3>2*x"}) {
    EXPECT_NE(refusal(std::string("ls1:0000:plain:") + wrong + ":;").find("TASK@STEP>TASK"), std::string::npos)
        << wrong;
  }
}

TEST(TokenTest, MayEndAfterAnyOfItsPartsFromTheBaseOn) {
  token made;
  made.test = 0xab;
  EXPECT_EQ(parsed("ls1:00ab:plain;"), made);
  EXPECT_EQ(parsed("ls1:00ab:plain:;"), made);
  EXPECT_EQ(parsed("ls1:00ab:plain::;"), made);
  made.task_overrides = {{"1", 1, "2"}};
  EXPECT_EQ(parsed("ls1:00ab:plain:1@1>2;"), made);
}

TEST(TokenTest, SaysHowTheRunWasDisturbed) {
  for (const disturbance_kind kind : all_disturbances) {
    token made = full_token();
    made.disturbed = {kind, 7};
    const std::string text = to_text(made);
    EXPECT_THAT(text, HasSubstr("," + std::string(name_of(kind)) + "@7:"));
    EXPECT_EQ(parsed(text), made);
    made.task_overrides.clear();
    made.value_overrides.clear();
    EXPECT_EQ(parsed(to_text(made)), made);
  }
  for (const std::string bad : {"cancel@0", "cancel@", "cancel@x", "halt@1", "cancel@1,destroy@1"}) {
    EXPECT_THAT(refusal("ls1:7c41:plain:" + bad + ":;"), HasSubstr("nor one cancel@NTH")) << bad;
  }
}

TEST(TokenTest, RefusesWhatIsNoToken) {
  for (const std::string text : {"", "l", "ls", "lsof", "ls:", "17", "replay"}) {
    EXPECT_EQ(refusal(text), "\"" + text + "\" is no lockstep token; one begins with \"ls1:\"");
  }
}

TEST(TokenTest, RefusesAnotherVersion) {
  EXPECT_EQ(refusal("ls2:7c41:plain::;"),
            "the token is of version \"ls2\"; this build reads \"ls1\", so replay it with the build that made it");
}

TEST(TokenTest, RefusesEveryTokenThatWasCutShort) {
  const std::string whole = to_text(full_token());
  for (std::size_t length = 3; length < whole.size(); ++length) {
    const std::string text = whole.substr(0, length);
    EXPECT_EQ(refusal(text),
              "the token \"" + text + "\" was cut short: it does not end with \";\"; copy the whole line");
  }
}

TEST(TokenTest, NamesTheDamagedFieldAndTheFix) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ls1:;", "the token names its test by \"\"; four hex digits are needed"},
      {"ls1:7c4:plain::;", "the token names its test by \"7c4\"; four hex digits are needed"},
      {"ls1:7cxy:plain::;", "the token names its test by \"7cxy\"; four hex digits are needed"},
      {"ls1:7c41:;", "the token's base \"\" is unknown; known are plain, round_robin and random-SEED"},
      {"ls1:7c41:pct-3::;", "the token's base \"pct\" is unknown; known are plain, round_robin and random-SEED"},
      {"ls1:7c41:random::;", "the token's base \"random\" needs a seed: random-SEED, a decimal number"},
      {"ls1:7c41:random-x1::;", "the token's base \"random-x1\" needs a seed: random-SEED, a decimal number"},
      {"ls1:7c41:random--1::;", "the token's base \"random--1\" needs a seed: random-SEED, a decimal number"},
      {"ls1:7c41:random-18446744073709551616::;",
       "the token's base \"random-18446744073709551616\" needs a seed: random-SEED, a decimal number"},
      {"ls1:7c41:plain-3::;", "the token's base \"plain-3\" has a seed; only random takes one"},
      {"ls1:7c41:plain/lifo::;", "the token's ordering \"lifo\" is unknown; only \"fifo\" may follow the slash"},
      {"ls1:7c41:plain/::;", "the token's ordering \"\" is unknown; only \"fifo\" may follow the slash"},
      {"ls1:7c41:plain:jitter#1=1,jitter#2=1,jitter#1=5:;",
       "the token overrides the value jitter#1 twice; keep one of the two"},
  };
  for (const auto& [text, problem] : cases) EXPECT_EQ(refusal(text), problem) << text;
}

TEST(TokenTest, NamesADamagedOverride) {
  for (const std::string bad :
       {"",         "1",       "1@3",      "1@3>",      "@3>2",       "1@>2",      "1@0>2",
        "1@x>2",    "1@3>two", "0@3>2",    "1.@3>2",    "1..2@3>2",   "1@3>2.",    "1@99999999999>2",
        "#1=2",     "jitter",  "jitter#1", "jitter#1=", "jitter#0=2", "jitter#=2", "jitter#1=-2",
        "jitter=2", "%4#1=2",  "%zz#1=2"}) {
    EXPECT_EQ(refusal("ls1:7c41:plain:2@1>3," + bad + ":;"),
              "the token's override \"" + bad +
                  "\" is neither TASK@STEP>TASK nor NAME#NTH=VALUE, nor one cancel@NTH, fail_alloc@NTH or destroy@NTH; "
                  "tasks are main, 1, 1.2, and all count from 1");
  }
}

TEST(TokenTest, OfARunThatEndedItsProcessHasNoTrace) {
  const std::string text = "ls1:7c41:plain:1@2>2:2.12..04c40028;";
  const token of_crash = parsed(text);
  EXPECT_EQ(of_crash.print, (fingerprint{2, "12", "", "04c40028"}));
  EXPECT_EQ(to_text(of_crash), text);
}

TEST(TokenTest, NamesADamagedFingerprint) {
  for (const std::string bad : {"12", "12.a9f0c41d", "x.a.c41d", "2.a9.c41", "2.a9.c41d.", "2.a9.xyzw", "2.a.c41d",
                                "2.a9f.c41d", "2.aX.c41d", "2.a9.", "2.a9..", "2.a9.c41d:1@3>2", "-2.a9.c41d"}) {
    EXPECT_EQ(refusal("ls1:7c41:plain::" + bad + ";"),
              "the token's fingerprint \"" + bad + "\" is damaged; leave it out to replay without it");
  }
}

TEST(TokenTest, TakesANameThatWasWrittenByHand) {
  EXPECT_THAT(parsed("ls1:7c41:plain:page jitter#1=3;").value_overrides,
              ElementsAre(value_override{"page jitter", 1, 3}));
}

TEST(TokenTest, KnowsATaskByItsPath) {
  EXPECT_EQ(task_at("main"), main_identity);
  EXPECT_EQ(task_at("2"), task_identity(main_identity, 2));
  EXPECT_EQ(task_at("2.1.7"), task_identity(task_identity(task_identity(main_identity, 2), 1), 7));
}

TEST(TokenTest, HashesOfTestsAreTheSameEverywhere) {
  EXPECT_EQ(test_hash("Account.NeverOverdraws"), 0xda6a);
  EXPECT_NE(test_hash("Account.NeverOverdraws"), test_hash("Account.NeverOverdrawn"));
}

TEST(TokenTest, PutsTheDigitsOfAFingerprintAtGrowingDistances) {
  std::vector<std::uint64_t> first;
  for (std::size_t i = 0; i < 10; ++i) first.push_back(checkpoint(i));
  EXPECT_THAT(first, ElementsAre(1, 2, 3, 4, 6, 8, 12, 16, 24, 32));
  for (std::size_t i = 0; i < 127; ++i) EXPECT_LT(checkpoint(i), checkpoint(i + 1));
  EXPECT_EQ(checkpoint(1000), ~std::uint64_t{0});
}

// Tokens that are valid, of every shape.
token drawn_token(std::uint64_t seed) {
  std::uint64_t at = 0;
  const auto below = [&](std::uint64_t options) { return bounded(draw(seed, 1, ++at), options); };
  const auto path = [&] {
    if (below(4) == 0) return std::string("main");
    std::string text = std::to_string(1 + below(20));
    while (below(3) == 0) text += '.' + std::to_string(1 + below(4'294'967'295));
    return text;
  };
  token made;
  made.test = static_cast<std::uint16_t>(below(65'536));
  made.base = static_cast<schedule>(below(3));
  if (made.base == schedule::random) made.seed = below(2) == 0 ? below(100) : draw(seed, 2, 0);
  made.order = below(2) == 0 ? ordering::any_order : ordering::fifo;
  for (std::uint64_t i = below(4); i > 0; --i) {
    made.task_overrides.push_back({path(), static_cast<std::uint32_t>(1 + below(1000)), path()});
  }
  for (std::uint64_t i = below(4); i > 0; --i) {
    std::string name;
    for (std::uint64_t length = 1 + below(6); length > 0; --length) name += static_cast<char>(below(256));
    made.value_overrides.push_back({name, i, draw(seed, 3, i)});
  }
  if (below(2) == 0) {
    made.print.choices = below(500);
    while (checkpoint(made.print.digits.size()) <= made.print.choices) {
      made.print.digits += "0123456789abcdef"[below(16)];
    }
    made.print.trace_end = "c41d";
  }
  return made;
}

TEST(TokenTest, AMutatedTokenIsRefusedOrReadForWhatItSays) {
  constexpr std::string_view likely = ":;,.@>#=%/-0123456789abcdefmainlsrandomplain";
  int refused = 0;
  int taken = 0;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    const token made = drawn_token(seed);
    std::string text = to_text(made);
    ASSERT_EQ(parsed(text), made) << text;
    std::uint64_t at = 0;
    const auto below = [&](std::uint64_t options) {
      return static_cast<std::size_t>(bounded(draw(seed, 4, ++at), options));
    };
    for (std::size_t edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
      const char c = below(4) == 0 ? static_cast<char>(below(256)) : likely[below(likely.size())];
      const std::size_t where = below(text.size());
      switch (below(4)) {
        case 0: text[where] = c; break;
        case 1: text.insert(text.begin() + static_cast<std::ptrdiff_t>(where), c); break;
        case 2: text.erase(where, 1 + below(4)); break;
        default: text += text.substr(where, below(12)); break;
      }
    }
    const auto result = parse_token(text);
    if (const auto* problem = std::get_if<std::string>(&result)) {
      ++refused;
      ASSERT_THAT(*problem, testing::AnyOf(HasSubstr("token"), HasSubstr("lockstep")));
    } else {
      ++taken;
      const token& read = std::get<token>(result);
      ASSERT_EQ(parsed(to_text(read)), read) << text;
    }
  }
  // Both happen often enough for the test to be about both.
  EXPECT_GT(refused, 500);
  EXPECT_GT(taken, 300);
}

}  // namespace
}  // namespace lockstep
