// A defect that is found: a submission that is tried again without telling the service that it is the same.
#include "index_submission.hpp"

#include "index_service.hpp"

#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace crawling {
namespace {

using namespace lockstep;

const std::set<std::string> pages{"http://site/"};

// [test]
CO_TEST(SubmissionThatRepeatsBlindly, IsTakenOnce, explore(300)) {
  index_service search;
  auto reset = on(op::read).at("client").one_in(5).fail(ECONNRESET);
  co_await submit_index("http://search/index", pages, repetition::blind);
  EXPECT_EQ(search.taken, 1);
}
// [/test]

}  // namespace
}  // namespace crawling
