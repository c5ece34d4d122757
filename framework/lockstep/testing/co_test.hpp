// CO_TEST, CO_TEST_F, CO_TEST_P: GoogleTest tests whose body is a coroutine on virtual time.
//
//   CO_TEST(Mailer, DeliversSoonAfterTheServerIsBack) {
//     EXPECT_EQ(co_await deliver(time_point{10h}), 16);
//     EXPECT_EQ(now(), time_point{10h + 3min});
//   }
//
// Each run makes a new world and a new fixture: its constructor, SetUp(), CoSetUp(), the body, CoTearDown(),
// TearDown(), its destructor. CoSetUp and CoTearDown are coroutines, `lockstep::task<void>`, which a fixture may have.
// As in GoogleTest, what fails fatally, throws or skips leaves out what follows up to the tear-down, and a constructor
// that does leaves out that too. A run that cannot go on, such as a deadlock, is torn down by TearDown() alone.
// The fixture dies after the tasks and in the name of the main task; what it owns is judged as a local of the body is.
// Failures are reported when the run is over: testing::Test::HasFailure() does not know of them before.
// Options follow the name as designated initialisers: CO_TEST(Account, NeverOverdraws, .schedule = schedule::random,
// .runs = 100). A fixture gives its own by `static lockstep::options lockstep_options()`.
// A test with several runs ends with the first that fails or skips, and reports that one.
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/testing/co_assert.hpp>
#include <lockstep/testing/runner.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <ostream>
#include <utility>

namespace lockstep {

// How GoogleTest prints a time of a test's clock, which it would show as bytes.
inline void PrintTo(const time_point& at, std::ostream* out) {
  const loop* const run = current_loop();
  *out << to_text(at.time_since_epoch()) << (run != nullptr && run->clock_is_real() ? "" : " (virtual)");
}

}  // namespace lockstep

namespace lockstep::detail {

// What the body of a test returns. Compilers show this name when the body is no coroutine.
#if defined(__has_cpp_attribute) && __has_cpp_attribute(clang::coro_return_type)
class [[clang::coro_return_type]] the_body_of_a_test_needs_a_co_await_or_co_return {
#else
class the_body_of_a_test_needs_a_co_await_or_co_return {
#endif
 public:
  using promise_type = promise<void>;

  the_body_of_a_test_needs_a_co_await_or_co_return(task<void> body) noexcept : body_(std::move(body)) {}
  task<void> take() noexcept { return std::move(body_); }

 private:
  task<void> body_;
};

// Whether a fixture has a member of that name, even a private one: the name is ambiguous then.
struct has_what_a_fixture_may_have {
  void lockstep_options();
  void CoSetUp();
  void CoTearDown();
};
template <class Fixture>
struct with_another : Fixture, has_what_a_fixture_may_have {};
template <class Fixture>
inline constexpr bool names_lockstep_options = !requires {
  &with_another<Fixture>::lockstep_options;
};
template <class Fixture>
inline constexpr bool names_set_up = !requires {
  &with_another<Fixture>::CoSetUp;
};
template <class Fixture>
inline constexpr bool names_tear_down = !requires {
  &with_another<Fixture>::CoTearDown;
};

// Calls what a fixture may have overridden privately, as GoogleTest does.
class plain_part : private testing::Test {
 public:
  static void set_up(testing::Test& of) { (of.*&plain_part::SetUp)(); }
  static void tear_down(testing::Test& of) { (of.*&plain_part::TearDown)(); }
};

// What CO_TEST derives its test class from.
template <class Fixture>
class co_fixture : public Fixture, public test_instance {
 public:
  using co_fixture_base = Fixture;

  task<void> run_all() override {
    std::exception_ptr failure;
    try {
      enter("SetUp()");
      plain_part::set_up(*this);
      if constexpr (requires(co_fixture & self) { self.CoSetUp(); }) {
        enter("CoSetUp()");
        if (!run_ends_early()) co_await this->CoSetUp();
      } else {
        static_assert(!names_set_up<Fixture>,
                      "a fixture's CoSetUp() must be a task<void>, without parameters, and public or protected");
      }
      if (!run_ends_early()) {
        enter("");
        const body_scope until_it_ends(disturbs);
        auto body = CoTestBody();
        co_await body.take();
      }
    } catch (...) {
      keep(failure);
    }
    current_task().pardon();  // so that the tear-down may await
    if constexpr (requires(co_fixture & self) { self.CoTearDown(); }) {
      try {
        enter("CoTearDown()");
        co_await this->CoTearDown();
      } catch (...) {
        keep(failure);
      }
    } else {
      static_assert(!names_tear_down<Fixture>,
                    "a fixture's CoTearDown() must be a task<void>, without parameters, and public or protected");
    }
    try {
      enter("TearDown()");
      plain_part::tear_down(*this);
    } catch (...) {
      keep(failure);
    }
    if (failure != nullptr) std::rethrow_exception(failure);
  }
  void tear_down_after_failure() override { plain_part::tear_down(*this); }

  static options options_of_fixture() {
    if constexpr (requires { co_fixture::lockstep_options(); }) {
      return co_fixture::lockstep_options();
    } else {
      static_assert(!names_lockstep_options<Fixture>,
                    "a fixture's lockstep_options() must be static, without parameters, and public or protected");
      return {};
    }
  }

 protected:
  virtual the_body_of_a_test_needs_a_co_await_or_co_return CoTestBody() = 0;

 private:
  void TestBody() override {}
};

// What is generated for each test is little: a test program may have thousands.
template <class TestClass>
std::unique_ptr<test_instance> instance_of() {
  return std::unique_ptr<test_instance>(new TestClass);
}

template <class Fixture>
test_plan plan_of(void (*set_options)(options&), std::unique_ptr<test_instance> (*make)()) {
  test_plan plan;
  plan.of_fixture = co_fixture<Fixture>::options_of_fixture();
  set_options(plan.of_test);
  plan.make = make;
  return plan;
}
template <class TestClass>
test_plan plan_of() {
  return plan_of<typename TestClass::co_fixture_base>(&TestClass::set_co_options, &instance_of<TestClass>);
}

// What GoogleTest runs in the place of a CO_TEST.
class co_test_host final : public testing::Test {
 public:
  explicit co_test_host(const test_plan& plan) : plan_(plan) {}

 private:
  void TestBody() override { run_test(plan_); }

  const test_plan& plan_;
};

class co_test_factory final : public testing::internal::TestFactoryBase {
 public:
  explicit co_test_factory(test_plan plan) : plan_(std::move(plan)) {}
  testing::Test* CreateTest() override { return new co_test_host(plan_); }

 private:
  test_plan plan_;
};

template <class Fixture>
testing::TestInfo* register_with_googletest(const char* suite, const char* name, const char* file, int line,
                                            testing::internal::TypeId fixture_id,
                                            testing::internal::TestFactoryBase* factory) {
  read_flags_with_googletest();
  using resolver = testing::internal::SuiteApiResolver<Fixture>;
  return testing::internal::MakeAndRegisterTestInfo(
      suite, name, nullptr, nullptr, testing::internal::CodeLocation(file, line), fixture_id,
      resolver::GetSetUpCaseOrSuite(file, line), resolver::GetTearDownCaseOrSuite(file, line), factory);
}

template <class Fixture>
testing::TestInfo* register_co_test(const char* suite, const char* name, const char* file, int line,
                                    testing::internal::TypeId fixture_id, void (*set_options)(options&),
                                    std::unique_ptr<test_instance> (*make)()) {
  return register_with_googletest<Fixture>(suite, name, file, line, fixture_id,
                                           new co_test_factory(plan_of<Fixture>(set_options, make)));
}

template <class TestClass, class Fixture>
class co_param_host : public testing::TestWithParam<typename Fixture::ParamType> {
 private:
  void TestBody() override { run_test(plan_of<TestClass>()); }
};

template <class TestClass, class Fixture>
int register_co_param_test(const char* suite, const char* name, const char* file, int line) {
  read_flags_with_googletest();
  const testing::internal::CodeLocation where(file, line);
  testing::UnitTest::GetInstance()
      ->parameterized_test_registry()
      .GetTestSuitePatternHolder<Fixture>(suite, where)
      ->AddTestPattern(suite, name, new testing::internal::TestMetaFactory<co_param_host<TestClass, Fixture>>(), where);
  return 0;
}

}  // namespace lockstep::detail

// A body without co_await, co_return or co_yield is no coroutine: the pragma makes that an error where the body ends.
#define LOCKSTEP_BODY_IS_A_COROUTINE _Pragma("GCC diagnostic error \"-Wreturn-type\"")
#define LOCKSTEP_BODY ::lockstep::detail::the_body_of_a_test_needs_a_co_await_or_co_return

#define LOCKSTEP_CO_TEST(suite, name, fixture, fixture_id, ...)                                                \
  class GTEST_TEST_CLASS_NAME_(suite, name) final : public ::lockstep::detail::co_fixture<fixture> {           \
   public:                                                                                                     \
    static void set_co_options([[maybe_unused]] ::lockstep::options& of) {                                     \
      __VA_OPT__(of = ::lockstep::options{__VA_ARGS__};)                                                       \
    }                                                                                                          \
                                                                                                               \
   private:                                                                                                    \
    LOCKSTEP_BODY CoTestBody() override;                                                                       \
    static ::testing::TestInfo* const info_;                                                                   \
  };                                                                                                           \
  ::testing::TestInfo* const GTEST_TEST_CLASS_NAME_(suite, name)::info_ =                                      \
      ::lockstep::detail::register_co_test<fixture>(                                                           \
          #suite, #name, __FILE__, __LINE__, fixture_id, &GTEST_TEST_CLASS_NAME_(suite, name)::set_co_options, \
          &::lockstep::detail::instance_of<GTEST_TEST_CLASS_NAME_(suite, name)>);                              \
  LOCKSTEP_BODY_IS_A_COROUTINE LOCKSTEP_BODY GTEST_TEST_CLASS_NAME_(suite, name)::CoTestBody()

// TEST, TEST_F and TEST_P, with a coroutine for a body; a body that is none does not compile.
#define CO_TEST(suite, name, ...) \
  LOCKSTEP_CO_TEST(suite, name, ::testing::Test, ::testing::internal::GetTestTypeId(), __VA_ARGS__)

#define CO_TEST_F(fixture, name, ...) \
  LOCKSTEP_CO_TEST(fixture, name, fixture, ::testing::internal::GetTypeId<fixture>(), __VA_ARGS__)

#define CO_TEST_P(fixture, name, ...)                                                                                 \
  class GTEST_TEST_CLASS_NAME_(fixture, name) final : public ::lockstep::detail::co_fixture<fixture> {                \
   public:                                                                                                            \
    static void set_co_options([[maybe_unused]] ::lockstep::options& of) {                                            \
      __VA_OPT__(of = ::lockstep::options{__VA_ARGS__};)                                                              \
    }                                                                                                                 \
                                                                                                                      \
   private:                                                                                                           \
    LOCKSTEP_BODY CoTestBody() override;                                                                              \
    static const int registered_;                                                                                     \
  };                                                                                                                  \
  const int GTEST_TEST_CLASS_NAME_(fixture, name)::registered_ =                                                      \
      ::lockstep::detail::register_co_param_test<GTEST_TEST_CLASS_NAME_(fixture, name), fixture>(#fixture, #name,     \
                                                                                                 __FILE__, __LINE__); \
  LOCKSTEP_BODY_IS_A_COROUTINE LOCKSTEP_BODY GTEST_TEST_CLASS_NAME_(fixture, name)::CoTestBody()
