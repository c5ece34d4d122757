// A search service for tests, which counts the submissions that it takes.
#pragma once

#include <lockstep/http/mock.hpp>

#include <set>
#include <string>
#include <utility>

namespace crawling {

// At http://search/index. One whose Idempotency-Key it has seen it answers again, and does not take again.
class index_service {
 public:
  index_service() : mock_("search:80") {
    mock_.on("POST", "/index").answer([this](lockstep::http::request what) { return take(std::move(what)); }).always();
  }

  int taken = 0;

 private:
  lockstep::task<lockstep::http::response> take(lockstep::http::request what) {
    const auto key = what.headers.find("Idempotency-Key");
    if (!key || known_.insert(std::string(*key)).second) ++taken;
    co_return lockstep::http::response(202);
  }

  lockstep::http_mock mock_;
  std::set<std::string> known_;
};

}  // namespace crawling
