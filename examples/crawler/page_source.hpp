// Where a crawler gets its pages from: the network one day, a folder or a test's own pages until then.
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

  // Fetches the page at `url`. Throws std::system_error if the connection fails, and then may be asked again.
  virtual lockstep::task<page> fetch(std::string url) = 0;
};

}  // namespace crawling
