// A crawl that power cuts end, and one that goes on from what they have left, for crash_sweep().
#pragma once

#include "crawler.hpp"
#include "memory_site.hpp"

#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace crawling {

// [resumed]
struct resumed_crawl {
  const std::map<std::string, std::vector<std::string>> pages{
      {"", {"a", "b"}}, {"a", {"c", "gone"}}, {"b", {"c"}}, {"c", {"d"}}, {"d", {""}}};
  crawl_progress acknowledged;

  lockstep::task<void> workload(saving how) {
    acknowledged = {};
    memory_site site(pages);
    crawl_options options;
    options.resume_file = "/resume";
    options.save_every = std::chrono::milliseconds(1500);
    options.save = how;
    options.saved = [this](const crawl_progress& now) { acknowledged = now; };
    co_await crawl(site, at(""), options);
  }

  lockstep::task<void> check() {
    memory_site site(pages);
    crawl_options options;
    options.resume_file = "/resume";
    const crawl_result found = co_await crawl(site, at(""), options);
    EXPECT_EQ(found.pages.size(), pages.size());
    EXPECT_EQ(found.dead_links.size(), 1u);
    for (const auto& [page, links] : acknowledged.pages) {
      EXPECT_THAT(site.fetched, testing::Not(testing::Contains("http://site" + page)));
    }
    for (const std::string& page : acknowledged.missing) {
      EXPECT_THAT(site.fetched, testing::Not(testing::Contains("http://site" + page)));
    }
  }
};
// [/resumed]

}  // namespace crawling
