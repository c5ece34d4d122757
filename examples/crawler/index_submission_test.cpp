#include "index_submission.hpp"

#include "index_service.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

namespace crawling {
namespace {

using namespace lockstep;

const std::set<std::string> two_pages{"http://site/", "http://site/a"};

CO_TEST(IndexSubmission, NamesAllPages) {
  http_mock search("search:80");
  search.on("POST", "/index")
      .with_body("http://site/\nhttp://site/a\n")
      .with_header("Idempotency-Key")
      .answer(202)
      .once();
  co_await submit_index("http://search/index", two_pages);
}

CO_TEST(IndexSubmission, IsTriedAgainWhenConnectionsBreak) {
  http_mock search("search:80");
  http::route& index = search.on("POST", "/index").reset().then(202, "later").after(std::chrono::hours(1)).then(202);
  co_await submit_index("http://search/index", two_pages);
  CO_ASSERT_EQ(index.calls().size(), 3u);
  EXPECT_EQ(index.calls().front().what, index.calls().back().what);  // with the same number
}

CO_TEST(IndexSubmission, IsNotTriedAgainWhenItIsRefused) {
  http_mock search("search:80");
  search.on("POST", "/index").answer(403).once();
  EXPECT_THROW(co_await submit_index("http://search/index", two_pages), std::runtime_error);
}

// [correct]
CO_TEST(IndexSubmission, IsTakenOnce, explore(300)) {
  index_service search;
  auto reset = on(op::read).at("client").one_in(5).fail(ECONNRESET);
  co_await submit_index("http://search/index", two_pages);
  EXPECT_EQ(search.taken, 1);
}
// [/correct]

}  // namespace
}  // namespace crawling
