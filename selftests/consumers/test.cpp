// A test program: it links lockstep::testing and lockstep::http.
#include <lockstep/http/client.hpp>
#include <lockstep/http/mock.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

lockstep::task<void> rest() { co_await lockstep::sleep_for(std::chrono::hours(1)); }

CO_TEST(Consumer, RestsForAnHour, .runs = 10) {
  co_await lockstep::when_all(rest(), rest());
  EXPECT_EQ(lockstep::now(), lockstep::time_point(std::chrono::hours(1)));
}

CO_TEST(Consumer, AsksAMock) {
  lockstep::http_mock web("web:80");
  web.on("GET", "/stock").answer(200, "7 apples").once();
  const lockstep::http::response come = co_await lockstep::http::fetch("http://web/stock");
  EXPECT_EQ(come.body, "7 apples");
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
