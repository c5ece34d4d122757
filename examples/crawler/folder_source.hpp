// A folder of pages that behaves like a server far away: each fetch takes its time, and now and then one fails.
#pragma once

#include "page_source.hpp"

#include <lockstep/time/clock.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace crawling {

// How the way to the server is. Every value is drawn for its page alone, so that pages do not shift each other.
struct connection_quality {
  lockstep::duration latency_min = std::chrono::milliseconds(200);
  lockstep::duration latency_max = std::chrono::seconds(5);
  int resets_percent = 3;  // fetches that end in ECONNRESET
  int stalls_percent = 1;  // fetches that take a minute
};

class folder_source final : public page_source {
 public:
  // The page at this URL is the file in the folder.
  static constexpr std::string_view site = "http://manual/";

  explicit folder_source(std::filesystem::path folder, connection_quality quality = {});

  // Waits in virtual time; the file itself is read at once. A folder's page is its index.html.
  lockstep::task<page> fetch(std::string url) override;

 private:
  std::filesystem::path folder_;
  connection_quality quality_;
};

}  // namespace crawling
