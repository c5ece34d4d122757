// A defect that is found: a resume file that is written and renamed without a sync, so that after a power cut the name
// may be there without what was written.
#include "resumed_crawl.hpp"

#include <gtest/gtest.h>

namespace crawling {
namespace {

// [test]
TEST(CrawlerThatDoesNotSync, ResumesAfterEveryPowerCut) {
  resumed_crawl crawl;
  EXPECT_TRUE(lockstep::crash_sweep([&] { return crawl.workload(saving::unsynced); }, [&] { return crawl.check(); }));
}
// [/test]

}  // namespace
}  // namespace crawling
