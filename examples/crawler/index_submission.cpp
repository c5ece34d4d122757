#include "index_submission.hpp"

#include <lockstep/http/client.hpp>
#include <lockstep/runtime/random.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/timeout.hpp>

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace crawling {

// [submit]
lockstep::task<void> submit_index(std::string service, std::set<std::string> pages, repetition how) {
  using namespace std::chrono_literals;
  lockstep::http::request submission("POST");
  for (const std::string& url : pages) submission.body += url + "\n";
  if (how == repetition::numbered) {
    const int number = lockstep::random_int("number of the submission", 0, std::numeric_limits<int>::max());
    submission.headers.add("Idempotency-Key", std::to_string(number));
  }
  for (int attempt = 1;; ++attempt) {
    try {
      const auto answer = co_await lockstep::with_timeout(10s, lockstep::http::fetch(service, submission));
      if (answer.status < 300) co_return;
      throw std::runtime_error(fmt::format("{} answered {} {}", service, answer.status, answer.reason));
    } catch (const std::system_error&) {  // the connection failed
      if (attempt == 3) throw;
    } catch (const lockstep::timed_out&) {
      if (attempt == 3) throw;
    }
    co_await lockstep::sleep_for(1s);
  }
}
// [/submit]

}  // namespace crawling
