// What a crawl has done and what is still to fetch, in a file from which another goes on, after a crash too.
#pragma once

#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace crawling {

// Of one site. All are paths on it, as in "/a.html", so that they are right as well where it is served from elsewhere.
struct crawl_progress {
  std::string start;
  std::map<std::string, std::vector<std::string>> pages;  // that exist, each with those of the site that it links to
  std::set<std::string> missing;
  std::set<std::string> to_fetch;  // known, and not fetched yet, or given up
  std::size_t links_outside = 0;

  friend bool operator==(const crawl_progress&, const crawl_progress&) = default;
};

// How it is written.
enum class saving {
  atomically,  // so that a power cut leaves the old file or the new
  unsynced,    // to another name, and renamed. A defect, kept to be found: nothing waits until it is on the disk
};

// Once it has returned, the file has that in it, whatever happens to the system. Fails as
// lockstep::write_file_atomically() does.
lockstep::task<void> save(std::string path, crawl_progress progress, saving how = saving::atomically);

// What the file has in it; what a crawl begins with if there is none.
// Throws std::runtime_error if that is no progress, or that of a crawl with another start.
lockstep::task<crawl_progress> load(std::string path, std::string start);

// Lines; and what they say. Throws std::runtime_error, which says the line, if they are not such.
std::string text_of(const crawl_progress& progress);
crawl_progress progress_in(std::string_view text);

}  // namespace crawling
