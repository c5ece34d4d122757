// Results that come later: a promise for who answers, futures for those who wait, and calls that the loop makes.
#include <lockstep/testing/testing.hpp>

#include <utility>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [device]
// A driver that calls back. One that bounces does so twice.
class device {
 public:
  template <class F>
  void measure(F done) {
    ++measured;
    call_later(200ms, [this, done = std::move(done)]() mutable {
      done(21);
      if (bounces) done(22);
    });
  }

  bool bounces = false;
  int measured = 0;
};
// [/device]

// [thermometer]
// Whoever asks while an answer is under way shares it.
class thermometer {
 public:
  explicit thermometer(device& of) : device_(of) {}

  task<int> read() {
    if (!answer_.valid()) ask();
    const future<int> shared = answer_;
    co_return co_await shared.get();
  }

 private:
  void ask() {
    promise<int> reply("temperature");
    answer_ = reply.get_future();
    device_.measure([this, reply = std::move(reply)](int degrees) mutable {
      reply.set_value(degrees);
      answer_ = {};
    });
  }

  device& device_;
  future<int> answer_;
};
// [/thermometer]

// [share]
CO_TEST(Thermometer, MeasuresOnceForAllWhoAsk) {
  device probe;
  thermometer hall(probe);
  EXPECT_EQ(co_await when_all(hall.read(), hall.read()), std::tuple(21, 21));
  EXPECT_EQ(probe.measured, 1);
  EXPECT_EQ(now(), time_point{200ms});
}

CO_TEST(Thermometer, GoesOnForOthersWhenOneGivesUp) {
  device probe;
  thermometer hall(probe);
  auto patient = spawn(hall.read());
  EXPECT_THROW(co_await with_timeout(100ms, hall.read()), timed_out);
  EXPECT_EQ(co_await patient.join(), 21);
}
// [/share]

// Fails: the device calls back twice.
// [bounces]
CO_TEST(Thermometer, CannotCopeWithADeviceThatBounces) {
  device probe;
  probe.bounces = true;
  thermometer hall(probe);
  EXPECT_EQ(co_await hall.read(), 21);
  co_await settle();
}
// [/bounces]

// [handler]
// A handler decides what becomes of exceptions that nobody can catch. Without it, this one is a verdict.
CO_TEST(Thermometer, LogsWhatACallbackThrows) {
  std::string log;
  set_exception_handler([&](const exception_context& found) { log += text_of(found.exception); });
  call_soon([] { throw std::runtime_error("no such sensor"); });
  co_await settle();
  EXPECT_EQ(log, "no such sensor");
}
// [/handler]

}  // namespace
