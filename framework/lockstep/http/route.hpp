// route: which requests a mock answers, how, and how often that is to happen. mock::on() makes it.
//
//   web.on("GET", "/stock").with_header("Accept", contains("json")).answer(200, "[]").once();
//   web.on("GET", glob("/orders/*")).answer(503).then(200, "sent").after(2s);
//   web.on("GET", "/manual").answer(200, manual).dribble(1'000, 100ms).reset_after(5'000);
//
// Which requests: those of the method and the path, for which every with_…() and when() holds.
// How: answer() says what the first gets, each then() what the next one gets; the last is for all that follow. What
// comes behind one of them changes that one. How often: at least once for each of its answers, unless once(), times()
// or always() says otherwise. One that has been asked as often as it may be leaves further requests to the routes
// behind it. Once the mock has died, or the run is over, a route may only be looked at, and only while the mock lives.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/http/message.hpp>
#include <lockstep/http/reply.hpp>
#include <lockstep/http/text_matcher.hpp>
#include <lockstep/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::http {

namespace detail {
class mock_server;
}

// A request that has come.
struct received_request {
  request what;
  time_point at{};
};

class route {
 public:
  route(const route&) = delete;
  route& operator=(const route&) = delete;

  // -- which requests ---------------------------------------------------------------------------------------------

  // With a header field of that name and value.
  route& with_header(std::string name, text_matcher value = anything());
  // With a parameter behind the "?".
  route& with_query(std::string name, text_matcher value = anything());
  route& with_body(text_matcher body);
  // For which `accepts` is true; `described` is for reports: "is signed".
  route& when(std::string described, std::function<bool(const request&)> accepts);

  // -- how --------------------------------------------------------------------------------------------------------

  // What the first request gets. Misuse if that was said already, and for a status that ends no request: 101 and 200 to
  // 599 do.
  route& answer(response with, source where = source::current());
  route& answer(unsigned status, std::string body = {}, source where = source::current()) {
    return answer(response{status, std::move(body)}, where);
  }
  // The same, made for each request. An exception that leaves it is answered 500, and is a verdict.
  route& answer(std::function<task<response>(request)> by, source where = source::current());
  // What the next one gets. Misuse before answer(), and if the route may not be asked so often.
  route& then(response with, source where = source::current());
  route& then(unsigned status, std::string body = {}, source where = source::current()) {
    return then(response{status, std::move(body)}, where);
  }
  route& then(std::function<task<response>(request)> by, source where = source::current());

  // -- how in detail: of the last answer() or then(); misuse before them -------------------------------------------

  route& header(std::string name, std::string value, source where = source::current());
  // Is answered so much later. Misuse if that is negative.
  route& after(duration delay, source where = source::current());
  template <coarser_duration D>
  route& after(D delay, source where = source::current()) {
    return after(saturating_cast(delay), where);
  }
  // Its body comes in pieces of so many bytes, at least 1, and each so long after the one before. Misuse if that is
  // negative.
  route& dribble(std::size_t piece_bytes, duration gap, source where = source::current());
  template <coarser_duration D>
  route& dribble(std::size_t piece_bytes, D gap, source where = source::current()) {
    return dribble(piece_bytes, saturating_cast(gap), where);
  }
  // Its body comes in chunks of so many bytes, and without its length.
  route& chunked(std::size_t chunk_bytes, source where = source::current());
  // Behind so many bytes of the body, its chunks with it, the connection is reset; or ends. That the body has not so
  // many is a verdict, as of a fault that never fired.
  route& reset_after(std::size_t body_bytes, source where = source::current());
  route& close_after(std::size_t body_bytes, source where = source::current());
  // The next request gets no answer: the connection is reset, or ends, or nothing happens.
  route& reset(source where = source::current());
  route& close(source where = source::current());
  route& hang(source where = source::current());
  // The next one gets these bytes in place of an answer, and the connection ends.
  route& garble(std::string bytes, source where = source::current());

  // -- how often --------------------------------------------------------------------------------------------------

  route& once(source where = source::current()) { return times(1, where); }
  // Misuse if it has more answers than that, as the last of them could never come.
  route& times(std::size_t n, source where = source::current());
  // Any number of times, and perhaps never.
  route& always();
  // After all routes of the mock before it that have this, as often as each is to be asked; and these not after it.
  route& in_order();

  // -- what has happened ------------------------------------------------------------------------------------------

  // The requests that it has answered, or begun to.
  const std::vector<received_request>& calls() const;
  // "GET /stock (shop_test.cpp:12)".
  std::string text() const;

 private:
  friend class detail::mock_server;

  // One that a request has to meet.
  struct requirement {
    enum class part : std::uint8_t { method, path, header, query, body, condition };

    part of;
    std::string name;                                 // of a header or a parameter
    text_matcher wanted;                              // by a condition, anything
    std::function<std::string(const request&)> miss;  // nothing, or what is wrong

    bool covers(const requirement& other) const;
  };
  struct step {
    detail::reply how{};
    std::function<task<response>(request)> by{};
    bool hangs = false;
  };

  route(detail::mock_server& of, text_matcher method, text_matcher path, source where);
  step& add_step(bool first, source where);
  void refuse_status(unsigned status, source where) const;
  void refuse_negative(duration length, source where) const;
  void refuse_answers_beyond(std::size_t calls, std::size_t answers, source where) const;
  step& last_step(const char* deed, source where);
  // What is wrong with the request; empty if it is meant.
  std::vector<std::string> misses_of(const request& what) const;
  // Whether it is known that each request that the other one takes is one that this one takes, however many come.
  bool covers(const route& other) const;
  bool may_be_called() const noexcept { return calls_.size() < calls_max_; }
  std::size_t calls_min() const noexcept { return calls_min_.value_or(std::max<std::size_t>(steps_.size(), 1)); }
  bool is_met() const noexcept { return calls_.size() >= calls_min(); }
  const step& next_step() const;
  std::string expected() const;
  std::string never_asked_because_of(const route& before) const;

  detail::mock_server& of_;
  source where_;
  std::string text_;
  std::vector<requirement> requirements_;
  std::vector<step> steps_;
  std::optional<std::size_t> calls_min_;  // if that was said
  std::size_t calls_max_ = std::numeric_limits<std::size_t>::max();
  bool limited_ = false;  // is, or was once
  bool ordered_ = false;
  std::vector<received_request> calls_;
};

}  // namespace lockstep::http
