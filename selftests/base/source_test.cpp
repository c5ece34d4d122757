#include <lockstep/base/source.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

source made_in_a_function() { return source::current(); }

template <class T>
struct holder {
  static source made_in_a_member(T) { return source::current(); }
  source operator()(int) const { return source::current(); }
};

template <class T, class U>
std::pair<T, U>* made_in_a_template(T, const U&, source& out) {
  out = source::current();
  return nullptr;
}

TEST(SourceTest, NamesTheFileWithoutItsFolders) {
  EXPECT_EQ(file_of(source::current()), "source_test.cpp");
  const source here = source::current();
  EXPECT_EQ(file_and_line(here), "source_test.cpp:" + std::to_string(here.line()));
}

TEST(SourceTest, NamesAFunctionPlainly) {
  EXPECT_EQ(function_of(made_in_a_function()), "made_in_a_function");
  EXPECT_EQ(function_of(holder<int>::made_in_a_member(1)), "made_in_a_member");
}

TEST(SourceTest, LeavesOutTemplateArgumentsAndReturnTypes) {
  source where;
  made_in_a_template(1, std::string(), where);
  EXPECT_EQ(function_of(where), "made_in_a_template");
  made_in_a_template(std::pair<int, long>(), holder<std::pair<int, int>>(), where);
  EXPECT_EQ(function_of(where), "made_in_a_template");
}

TEST(SourceTest, CallsALambdaLambda) {
  EXPECT_EQ(function_of([] { return source::current(); }()), "lambda");
  const auto generic = [](auto) { return source::current(); };
  EXPECT_EQ(function_of(generic(1)), "lambda");
  const auto inner = [] { return [](int) { return source::current(); }(1); };
  EXPECT_EQ(function_of(inner()), "lambda");
}

TEST(SourceTest, CallsACallOperatorByItsName) { EXPECT_EQ(function_of(holder<int>()(1)), "operator"); }

TEST(SourceTest, AnEmptySourceHasNoNames) {
  EXPECT_EQ(file_of(source()), "");
  EXPECT_EQ(function_of(source()), "");
}

TEST(PlaceTest, IsALine) {
  const source here = source::current();
  const place at = here;
  EXPECT_EQ(at.line(), here.line());
  EXPECT_EQ(file_and_line(at), file_and_line(here));
  EXPECT_EQ(function_of(at), function_of(here));
}

TEST(PlaceTest, IsAFunctionWithoutALine) {
  const place in = place::in_function(made_in_a_function());
  EXPECT_EQ(in.line(), 0u);
  EXPECT_EQ(file_and_line(in), "source_test.cpp in made_in_a_function()");
  EXPECT_EQ(source(in).line(), made_in_a_function().line());
  EXPECT_EQ(file_and_line(place::in_function([] { return source::current(); }())), "source_test.cpp in a lambda");
}

TEST(PlaceTest, KeepsAMarkThatChangesNothingElse) {
  const source here = source::current();
  for (const place& plain : {place(here), place::in_function(here), place()}) {
    place marked = plain;
    EXPECT_FALSE(marked.of_generator());
    marked.mark_generator();
    EXPECT_TRUE(marked.of_generator());
    EXPECT_EQ(marked.line(), plain.line());
    EXPECT_EQ(file_and_line(marked), file_and_line(plain));
    EXPECT_EQ(function_of(marked), function_of(plain));
  }
}

TEST(PlaceTest, IsNothingAtFirst) {
  EXPECT_EQ(place().line(), 0u);
  EXPECT_EQ(file_and_line(place()), "");
  EXPECT_EQ(file_and_line(place(source())), "");
}

TEST(SourceTest, UserCodeIsNotInternal) {
  EXPECT_FALSE(is_internal(source::current()));
  EXPECT_FALSE(is_internal(source()));
}

}  // namespace
}  // namespace lockstep
