// Asynchronous generators that tests of their ends are made of.
#pragma once

#include <lockstep/lockstep.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep {

// What a closing action appends after a second.
class note {
 public:
  note(std::string& log, std::string text) : log_(&log), text_(std::move(text)) {}
  task<void> operator()() const { return write(log_, text_); }

 private:
  static task<void> write(std::string* log, std::string text) {
    co_await sleep_for(std::chrono::seconds(1));
    *log += text;
  }

  std::string* log_;
  std::string text_;
};

inline async_generator<int> count_to(int last, duration pause = {}) {
  for (int i = 1; i <= last; ++i) {
    if (pause != duration{}) co_await sleep_for(pause);
    co_yield i;
  }
}

// Notes its end, and its clean-ups.
inline async_generator<int> logged(std::string& log, int last, duration pause = {}) {
  struct local {
    std::string& in;
    explicit local(std::string& out) : in(out) {}
    local(const local&) = delete;
    local& operator=(const local&) = delete;
    ~local() { in += "locals "; }
  };
  on_close(note(log, "first "));
  on_close(note(log, "second "));
  const local own(log);
  for (int i = 1; i <= last; ++i) {
    if (pause != duration{}) co_await sleep_for(pause);
    co_yield i;
  }
}

inline async_generator<int> badly_closed(bool fails, int bad_ones) {
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no goodbye");
  };
  for (int i = 0; i < bad_ones; ++i) on_close(fail);
  co_yield 1;
  if (fails) throw std::logic_error("disk full");
}

}  // namespace lockstep
