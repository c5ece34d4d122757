#include <lockstep/http/reply.hpp>

#include <lockstep/http/wire.hpp>
#include <lockstep/runtime/exception_handler.hpp>
#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

namespace lockstep::http::detail {

namespace {

struct replying_with {
  std::function<task<response>(request)> answer;

  task<reply> operator()(request what) const { return answered(answer, std::move(what)); }
  static task<reply> answered(const std::function<task<response>(request)>& by, request what) {
    reply made;
    made.answer = co_await by(std::move(what));
    co_return made;
  }
};

unsigned status_of(protocol_fault fault) noexcept {
  switch (fault) {
    case protocol_fault::header_too_long: return 431;
    case protocol_fault::body_too_long: return 413;
    case protocol_fault::unknown_coding: return 501;
    default: return 400;
  }
}

class one_conversation {
 public:
  one_conversation(const conversation& with, const replier& answer, source where) noexcept
      : with_(with), answer_(answer), where_(where), from_(with.peer, with.limits) {}

  task<void> run() {
    try {
      bool goes_on = true;
      while (goes_on) {
        const bool comes = co_await wait_for_request();
        if (!comes) break;
        goes_on = co_await serve_one();
      }
    } catch (const std::system_error&) {  // the peer has gone
    }
  }

 private:
  // False if none will come.
  task<bool> wait_for_request() {
    if (from_.has_begun()) co_return !with_.stopping.is_set();
    const auto first =
        co_await select(with_.stopping.wait(), with_.peer.read_some(from_.room()), sleep_for(with_.idle_limit));
    if (first.index != 1) co_return false;
    from_.add(std::get<1>(first.value));
    co_return !from_.at_end();
  }

  // Returns whether another may follow.
  task<bool> serve_one() {
    std::optional<response> refusal;
    try {
      const bool begun = co_await with_timeout(with_.idle_limit, read_request());
      if (!begun) co_return false;
    } catch (const protocol_error& wrong) {
      // Who has gone without finishing it hears nothing.
      if (wrong.fault() == protocol_fault::ended_early) co_return false;
      refusal = response{status_of(wrong.fault()), wrong.what()};
    } catch (const timed_out&) {
      refusal = response{408, "the request did not come in time"};
    }
    if (refusal) {
      reply made;
      made.answer = std::move(*refusal);
      answer_terms last;
      last.keeps_alive = false;
      co_await send(std::move(made), last);
      co_await part();
      co_return false;
    }
    answer_terms terms;
    terms.version = from_.message().version();
    terms.keeps_alive = from_.message().keeps_alive();
    request asked = from_.take_request();
    terms.to_head = asked.method == "HEAD";
    reply made = co_await reply_to(std::move(asked));
    if (made.delay > duration::zero()) co_await sleep_for(made.delay);
    if (with_.stopping.is_set() || made.answer.headers.lists("Connection", "close")) terms.keeps_alive = false;
    if (made.says_nothing) co_return end(made.then);
    const bool cut = made.sent_bytes_max || made.instead;
    const reply::ending then = made.then;
    const bool whole = co_await send(std::move(made), terms);
    if (then == reply::ending::reset) co_return end(then);
    if (!terms.keeps_alive || cut || !whole || then == reply::ending::close) {
      co_await part();
      co_return false;
    }
    co_return true;
  }

  task<bool> read_request() {
    const bool begun = co_await from_.read_request_header();
    if (!begun) co_return false;
    const message_parser& message = from_.message();
    const bool waits = message.headers().lists("Expect", "100-continue") && message.version() >= 11 &&
                       !message.is_done() && !from_.has_left();
    if (waits) co_await with_.peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    co_await from_.read_body();
    co_return true;
  }

  task<reply> reply_to(request asked) {
    try {
      reply made = co_await answer_(std::move(asked));
      co_return made;
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      call_exception_handler(std::current_exception(), "a handler of HTTP requests", where_);
    }
    reply made;
    made.answer = response{500, "the handler failed"};
    co_return made;
  }

  // Returns whether all of it was sent that its header has told of.
  task<bool> send(reply made, answer_terms terms) {
    if (made.instead) {
      co_await with_.peer.write(*made.instead);
      co_return false;
    }
    if (made.chunk_bytes != 0) terms.chunk_bytes = made.chunk_bytes;
    const message_text text = text_of(made.answer, terms);
    const std::size_t count = std::min(text.body.size(), made.sent_bytes_max.value_or(text.body.size()));
    const std::string_view body = std::string_view(text.body).substr(0, count);
    if (made.piece_bytes == 0) {
      co_await with_.peer.write(text.header + std::string(body));
    } else {
      co_await with_.peer.write(text.header);
      for (std::size_t at = 0; at < count; at += made.piece_bytes) {
        co_await sleep_for(made.gap);
        co_await with_.peer.write(body.substr(at, made.piece_bytes));
      }
    }
    co_return count == text.body.size();
  }

  bool end(reply::ending how) {
    if (how == reply::ending::reset) {
      with_.reset(with_.peer);
    } else {
      with_.peer.close();
    }
    return false;
  }

  // Ends it so that the peer gets all that was sent.
  task<void> part() {
    with_.peer.shutdown_write();
    const time_point deadline = saturating_add(now(), with_.linger_limit);
    std::array<char, 512> dropped;
    for (;;) {
      const auto first = co_await select(with_.peer.read_some(dropped), sleep_until(deadline));
      if (first.index == 1 || std::get<0>(first.value) == 0) co_return;
    }
  }

  conversation with_;
  const replier& answer_;
  source where_;
  message_reader from_;
};

}  // namespace

replier replies_of(std::function<task<response>(request)> answer) { return replying_with{std::move(answer)}; }

task<void> converse(conversation with, const replier& answer, source where) {
  one_conversation one(with, answer, where);
  co_await one.run();
}

}  // namespace lockstep::http::detail
