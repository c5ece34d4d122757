#include "http_source.hpp"

#include <string_view>
#include <utility>

namespace crawling {

lockstep::task<page> http_source::fetch(std::string url) {
  lockstep::http::response answer = co_await client_.get(std::move(url));
  const std::string_view type = answer.headers.find("Content-Type").value_or("");
  page fetched;
  fetched.status = static_cast<int>(answer.status);
  fetched.type = type.substr(0, type.find(';'));
  fetched.body = std::move(answer.body);
  co_return fetched;
}

}  // namespace crawling
