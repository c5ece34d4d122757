#include <lockstep/explore/signature.hpp>

#include "searched_programs.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lockstep {
namespace {

TEST(SignatureTest, LeavesNumbersOut) {
  EXPECT_EQ(without_numbers("balance -60 vs 0, run 17"), "balance -# vs #, run #");
  EXPECT_EQ(without_numbers(""), "");
}

TEST(SignatureTest, IsOfTheSetOfThoseThatAreBlocked) {
  verdict found;
  found.kind = verdict_kind::deadlock;
  task_snapshot one;
  one.name = "reader";
  one.state = task_snapshot::condition::waiting;
  one.waits_for = "mutex #3";
  task_snapshot other = one;
  other.name = "writer";
  other.waits_for = "mutex #4";
  found.tasks = {one, other};
  const std::string text = signature_of(found);
  found.tasks = {other, one};
  found.tasks[0].waits_for = "mutex #5";
  EXPECT_EQ(signature_of(found), text);
  found.tasks.pop_back();
  EXPECT_NE(signature_of(found), text);
}

TEST(SignatureTest, TellsDefectsApart) {
  EXPECT_NE(signature_of_assertion("a.cpp", 1), signature_of_assertion("a.cpp", 2));
  verdict found;
  found.kind = verdict_kind::misuse;
  found.message = "released 3 of 2";
  verdict other = found;
  other.message = "released 4 of 2";
  EXPECT_EQ(signature_of(found), signature_of(other));
  other.message = "unlocked";
  EXPECT_NE(signature_of(found), signature_of(other));
}

}  // namespace
}  // namespace lockstep
