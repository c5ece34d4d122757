#include <lockstep/sim/open_file.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace lockstep::sim {
namespace {

struct nothing final : open_file {
  nothing() : open_file(7, O_RDWR | O_NONBLOCK) {}
  unsigned ready() const noexcept override { return 0; }
  std::string described() const override { return "nothing"; }
};

struct listener final : readiness_watch {
  listener(std::string& log, char name, unsigned events) : log_(log), name_(name) { set_events(events); }
  ~listener() {
    if (linked()) unlink();
  }
  void may_be_ready() noexcept override {
    log_ += name_;
    if (then) then();
  }
  void was_closed() noexcept override { log_ += static_cast<char>(name_ - 'a' + 'A'); }

  std::function<void()> then;

 private:
  std::string& log_;
  char name_;
};

TEST(OpenFileTest, TellsThoseWhoWaitForIt) {
  const file_reference file = new nothing;
  std::string log;
  listener reader(log, 'r', POLLIN), writer(log, 'w', POLLOUT);
  file->watch(reader);
  file->watch(writer);
  file->notify(POLLIN);
  EXPECT_EQ(log, "r");
  file->notify(POLLIN | POLLOUT);
  EXPECT_EQ(log, "rrw");
  file->notify(POLLHUP);  // everybody waits for that
  EXPECT_EQ(log, "rrwrw");
}

TEST(OpenFileTest, LetsWhoIsToldTakeOffAnybody) {
  const file_reference file = new nothing;
  std::string log;
  listener one(log, 'a', POLLIN), two(log, 'b', POLLIN), three(log, 'c', POLLIN);
  for (listener* each : {&one, &two, &three}) file->watch(*each);
  one.then = [&] {
    one.unlink();
    two.unlink();
  };
  file->notify(POLLIN);
  EXPECT_EQ(log, "ac");
  file->notify(POLLIN);
  EXPECT_EQ(log, "acc");
}

TEST(OpenFileTest, DoesNotTellThoseWhoComeMeanwhile) {
  const file_reference file = new nothing;
  std::string log;
  listener one(log, 'a', POLLIN), late(log, 'z', POLLIN);
  file->watch(one);
  one.then = [&] {
    file->watch(late);
    one.then = nullptr;  // last, as what it refers to goes with it
  };
  file->notify(POLLIN);
  EXPECT_EQ(log, "a");
  file->notify(POLLIN);
  EXPECT_EQ(log, "aaz");
}

TEST(OpenFileTest, MayBeClosedWhileItTells) {
  file_reference file = new nothing;
  std::string log;
  listener one(log, 'a', POLLIN), two(log, 'b', POLLIN);
  file->watch(one);
  file->watch(two);
  one.then = [&] { file = {}; };
  file->notify(POLLIN);
  EXPECT_EQ(log, "abAB");
}

TEST(OpenFileTest, TellsThoseWhoWaitThatItIsClosed) {
  std::string log;
  listener one(log, 'a', POLLIN);
  {
    const file_reference file = new nothing;
    const file_reference other = file;
    file->watch(one);
  }
  EXPECT_EQ(log, "A");
  EXPECT_FALSE(one.linked());
}

}  // namespace
}  // namespace lockstep::sim
