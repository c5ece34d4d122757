// A concurrent crawler: fetches a page and all pages of its site that can be reached from it, each once.
#pragma once

#include "page_source.hpp"
#include "resume_file.hpp"

#include <lockstep/runtime/task.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace crawling {

// When a page counts as known, so that further links to it are not followed.
enum class marking {
  on_sight,  // when the first link to it is seen
  on_fetch,  // when its fetch begins. A defect, kept to be found: between a look and a fetch there is an await
};

struct crawl_options {
  std::size_t parallel_max = 4;                                       // pages being fetched at the same time
  lockstep::duration timeout = std::chrono::seconds(10);              // of one attempt
  int attempts_max = 4;                                               // for one page
  lockstep::duration backoff_first = std::chrono::milliseconds(500);  // before the second attempt; doubles each time
  marking mark = marking::on_sight;
  std::string resume_file{};                                 // what is done is kept there; nowhere if it is empty
  lockstep::duration save_every = std::chrono::seconds(10);  // and at the end
  saving save = saving::atomically;
  std::function<void(const crawl_progress&)> saved = nullptr;  // told, once it is: no page of it is fetched again
};

struct link {
  std::string from;
  std::string to;

  friend auto operator<=>(const link&, const link&) = default;
};

// All URLs are absolute, without fragments.
struct crawl_result {
  std::set<std::string> pages;                  // that exist
  std::map<std::string, std::string> failures;  // those given up, and what the last attempt said
  std::set<link> dead_links;                    // to pages that do not exist
  std::size_t links = 0;                        // within the site
  std::size_t links_outside = 0;                // not followed
  std::size_t retries = 0;
  std::size_t resumed = 0;  // of the pages, those that the resume file had
};

// Crawls from `start`; where there is a resume file, from what it says, and pages that were given up are tried again. A
// page whose fetch fails or takes too long is tried again, with a pause that doubles and is lengthened at random by up
// to itself, so that not all come back at the same time.
// `from` must outlive the task. Throws what load() and save() do.
// Cancelling ends all fetches before it returns.
lockstep::task<crawl_result> crawl(page_source& from, std::string start, crawl_options options);
lockstep::task<crawl_result> crawl(page_source& from, std::string start);

}  // namespace crawling
