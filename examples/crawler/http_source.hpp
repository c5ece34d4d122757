// The pages of web servers, over HTTP.
#pragma once

#include "page_source.hpp"

#include <lockstep/http/client.hpp>

#include <string>

namespace crawling {

// Keeps its connections for the next page.
class http_source final : public page_source {
 public:
  // Throws what http::client::get() does.
  lockstep::task<page> fetch(std::string url) override;

 private:
  lockstep::http::client client_;
};

}  // namespace crawling
