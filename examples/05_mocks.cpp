// Mocks: GoogleMock's actions for coroutines, and a retry with backoff tested against them.
#include <lockstep/testing/testing.hpp>

#include <string>
#include <system_error>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [code]
class server {
 public:
  virtual ~server() = default;
  virtual task<std::string> fetch(std::string path) = 0;
};

// Tries three times, each for at most 5 s, and waits 1 s and then 2 s in between.
task<std::string> fetch_with_retry(server& from, std::string path) {
  for (duration pause = 1s;; pause *= 2) {
    try {
      co_return co_await with_timeout(5s, from.fetch(path));
    } catch (const std::runtime_error&) {
      if (pause > 2s) throw;
    }
    co_await sleep_for(pause);
  }
}
// [/code]

class mock_server : public server {
 public:
  MOCK_METHOD(task<std::string>, fetch, (std::string path), (override));
};

const std::system_error refused(std::make_error_code(std::errc::connection_refused));

// [tests]
CO_TEST(FetchWithRetry, WaitsLongerEachTime) {
  mock_server server;
  EXPECT_CALL(server, fetch("/a"))
      .WillOnce(CoThrow(refused))
      .WillOnce(CoThrow(refused))
      .WillOnce(CoDelay(500ms, CoReturn("hello")));
  EXPECT_EQ(co_await fetch_with_retry(server, "/a"), "hello");
  EXPECT_EQ(now(), time_point{1s + 2s + 500ms});
}

CO_TEST(FetchWithRetry, DoesNotWaitForAServerThatHangs) {
  mock_server server;
  EXPECT_CALL(server, fetch("/a")).WillOnce(CoNever()).WillOnce(CoReturn("hello"));
  EXPECT_EQ(co_await fetch_with_retry(server, "/a"), "hello");
  EXPECT_EQ(now(), time_point{5s + 1s});
}

CO_TEST(FetchWithRetry, GivesUpWithTheLastError) {
  mock_server server;
  EXPECT_CALL(server, fetch("/a")).Times(3).WillRepeatedly(CoThrow(refused));
  EXPECT_THROW(co_await fetch_with_retry(server, "/a"), std::system_error);
  EXPECT_EQ(now(), time_point{3s});
}
// [/tests]

}  // namespace
