// A small site for tests: pages given by their links, each fetch a second long, and a record of what was fetched.
// It never fails, so that to fetch a page twice is a failure of the test, in the task that does it.
#pragma once

#include "page_source.hpp"

#include <lockstep/runtime/sleep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace crawling {

// The URL of a page of the site.
inline std::string at(const std::string& name) { return "http://site/" + name; }

class memory_site final : public page_source {
 public:
  // The names of the pages, and where each links to.
  explicit memory_site(std::map<std::string, std::vector<std::string>> pages) {
    for (const auto& [name, links] : pages) {
      std::string& body = bodies_[at(name)];
      for (const std::string& link : links) body += "<p><a href='" + link + "'>" + link + "</a>";
    }
  }

  lockstep::task<page> fetch(std::string url) override {
    EXPECT_THAT(fetched, testing::Not(testing::Contains(url)));
    fetched.push_back(url);
    const in_flight_count counting(*this);
    co_await lockstep::sleep_for(std::chrono::seconds(1));
    const auto found = bodies_.find(url);
    if (found == bodies_.end()) co_return page{404, "text/plain", "no such page"};
    co_return page{200, "text/html", found->second};
  }

  std::vector<std::string> fetched;  // in the order in which the fetches began
  int in_flight = 0;
  int in_flight_max = 0;

 private:
  // Counts a fetch also when it ends by an exception or a cancellation.
  class in_flight_count {
   public:
    explicit in_flight_count(memory_site& of) : of_(of) {
      of_.in_flight_max = std::max(of_.in_flight_max, ++of_.in_flight);
    }
    in_flight_count(const in_flight_count&) = delete;
    in_flight_count& operator=(const in_flight_count&) = delete;
    ~in_flight_count() { --of_.in_flight; }

   private:
    memory_site& of_;
  };

  std::map<std::string, std::string> bodies_;
};

}  // namespace crawling
