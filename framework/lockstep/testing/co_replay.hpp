// CO_REPLAY: a run that failed once, kept as a regression test.
//
//   CO_TEST(Account, NeverOverdraws, explore()) { … }
//   CO_REPLAY(Account, NeverOverdraws, "ls1:7c41:plain:1@1>2:;");
//
// It stands behind the CO_TEST or CO_TEST_F of that name, in the same file and namespace, and registers a test of its
// own, Account.NeverOverdraws_replay_ and four hex digits of the token: one run of the CO_TEST, with its fixture and
// its options, in the order that the token says. The test passes if the run does. Edits around it do no harm as long as
// the order can still be made. Where it cannot, as the step at which the token departs from the plain run never comes
// up, the task that should run instead is not ready, or one of the two is about to do something else than then, the
// test fails and says that the token no longer applies. That last is known of a token with its fingerprint, of which
// nothing else is looked at; of one without it, a line says so. A token that is damaged, or of another test, is
// refused.
#pragma once

#include <lockstep/base/hash.hpp>
#include <lockstep/testing/co_test.hpp>

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

namespace lockstep::detail {

template <class T>
concept complete = requires {
  sizeof(T);
};
template <class Fixture>
concept parameterized = std::derived_from<Fixture, testing::WithParamInterface<typename Fixture::ParamType>>;

// What GoogleTest runs in the place of a CO_REPLAY.
class co_replay_host final : public testing::Test {
 public:
  co_replay_host(const test_plan& plan, const std::string& of, const std::string& token_text)
      : plan_(plan), of_(of), token_text_(token_text) {}

 private:
  void TestBody() override { run_replay(plan_, of_, token_text_); }

  const test_plan& plan_;
  const std::string& of_;
  const std::string& token_text_;
};

class co_replay_factory final : public testing::internal::TestFactoryBase {
 public:
  co_replay_factory(test_plan plan, std::string of, std::string token_text)
      : plan_(std::move(plan)), of_(std::move(of)), token_text_(std::move(token_text)) {}
  testing::Test* CreateTest() override { return new co_replay_host(plan_, of_, token_text_); }

 private:
  test_plan plan_;
  std::string of_;
  std::string token_text_;
};

template <class TestClass>
testing::TestInfo* register_co_replay(const std::string& suite, const std::string& name, const char* token_text,
                                      const char* file, int line) {
  static_assert(complete<TestClass>,
                "CO_REPLAY stands behind the CO_TEST or CO_TEST_F of that name, in the same file and namespace");
  if constexpr (complete<TestClass>) {
    static_assert(std::derived_from<TestClass, test_instance>,
                  "CO_REPLAY replays a CO_TEST or CO_TEST_F; a TEST makes no choices that a token could hold");
    if constexpr (std::derived_from<TestClass, test_instance>) {
      using fixture = typename TestClass::co_fixture_base;
      static_assert(!parameterized<fixture>,
                    "CO_REPLAY has no parameter for a CO_TEST_P; write a CO_TEST_F that sets what the parameter says");
      if constexpr (!parameterized<fixture>) {
        const std::string own_name = fmt::format("{}_replay_{:04x}", name, hash_of(token_text) & 0xFFFF);
        const testing::internal::TypeId fixture_id = std::is_same_v<fixture, testing::Test>
                                                         ? testing::internal::GetTestTypeId()
                                                         : testing::internal::GetTypeId<fixture>();
        return register_with_googletest<fixture>(
            suite.c_str(), own_name.c_str(), file, line, fixture_id,
            new co_replay_factory(plan_of<TestClass>(), fmt::format("{}.{}", suite, name), token_text));
      }
    }
  }
  return nullptr;
}

}  // namespace lockstep::detail

#define CO_REPLAY(suite, name, token_text)                                                                             \
  class GTEST_TEST_CLASS_NAME_(suite, name);                                                                           \
  [[maybe_unused]] static ::testing::TestInfo* const GTEST_CONCAT_TOKEN_(lockstep_co_replay_, __LINE__) =              \
      ::lockstep::detail::register_co_replay<GTEST_TEST_CLASS_NAME_(suite, name)>(#suite, #name, token_text, __FILE__, \
                                                                                  __LINE__)
