// Where a crawler gets its pages from: the web, or a test's own pages.
#pragma once

#include <lockstep/runtime/task.hpp>

#include <string>

namespace crawling {

struct page {
  int status = 200;  // as in HTTP: 404 for a page that does not exist
  std::string type = "text/html";
  std::string body;
};

class page_source {
 public:
  page_source() = default;
  page_source(const page_source&) = delete;
  page_source& operator=(const page_source&) = delete;
  virtual ~page_source() = default;

  // Fetches the page at `url`. Throws std::runtime_error, as std::system_error is one, if the connection fails, and
  // then may be asked again.
  virtual lockstep::task<page> fetch(std::string url) = 0;
};

}  // namespace crawling
