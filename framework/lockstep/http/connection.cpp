#include <lockstep/http/connection.hpp>

#include <lockstep/http/wire.hpp>
#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/sleep.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

namespace lockstep::http {

namespace {

constexpr std::chrono::seconds continue_limit{1};

}  // namespace

connection::connection(tcp_stream to, std::string authority, const message_limits& limits)
    : stream_(std::move(to)), authority_(std::move(authority)),
      from_(std::make_unique<detail::message_reader>(stream_, limits)) {}

connection::~connection() = default;

// It is over until the request is written.
void connection::begin_request() {
  if (std::exchange(over_, true)) {
    lockstep::detail::here().owner->misused("a request was written to a connection that has failed, or has ended");
  }
  if (asked_.empty()) heard_ = false;
}

task<void> connection::write(request what) {
  begin_request();
  const detail::message_text text = detail::text_of(what, authority_);
  co_await stream_.write(text.header + text.body);
  asked_.push_back(what.method);
  over_ = false;
}

task<response> connection::read_final() {
  for (;;) {
    const bool begun = co_await from_->read_response_header(asked_.front());
    if (!begun) throw std::system_error(ECONNRESET, std::system_category(), "the server closed the connection");
    heard_ = true;
    const bool keeps_alive = from_->message().keeps_alive();
    co_await from_->read_body();
    response answer = from_->take_response();
    if (answer.status < 200 && answer.status != 101) continue;
    asked_.pop_front();
    if (!keeps_alive) over_ = true;
    co_return answer;
  }
}

task<response> connection::read() {
  if (asked_.empty()) {
    lockstep::detail::here().owner->misused("an answer was awaited on a connection without a request that has none");
  }
  try {
    co_return co_await read_final();
  } catch (const cancelled&) {
    throw;
  } catch (...) {
    over_ = true;
    throw;
  }
}

// Whether the body is wanted: true also if the server says nothing.
task<bool> connection::wait_for_continue() {
  const time_point deadline = saturating_add(now(), duration(continue_limit));
  while (!from_->has_begun() && !from_->at_end()) {
    const auto first = co_await select(stream_.read_some(from_->room()), sleep_until(deadline));
    if (first.index == 1) co_return true;
    from_->add(std::get<0>(first.value));
  }
  const bool begun = co_await from_->read_response_header(asked_.front());
  if (!begun) co_return true;  // which fails
  heard_ = true;
  if (from_->message().status() != 100) co_return false;
  co_await from_->read_body();
  from_->take_response();
  co_return true;
}

task<response> connection::exchange(request what) {
  const bool asks_first = what.headers.lists("Expect", "100-continue") && !what.body.empty();
  std::exception_ptr failed;
  try {
    if (asks_first) {
      const detail::message_text text = detail::text_of(what, authority_);
      begin_request();
      co_await stream_.write(text.header);
      asked_.push_back(what.method);
      const bool wanted = co_await wait_for_continue();
      if (wanted) co_await stream_.write(text.body);
      over_ = !wanted;  // the server may wait for the body still
    } else {
      co_await write(what);
    }
  } catch (const std::system_error&) {
    failed = std::current_exception();
  }
  if (failed == nullptr) {
    response answer = co_await read();
    co_return answer;
  }
  // It may have said why before it closed.
  if (asked_.empty()) asked_.push_back(what.method);
  try {
    response answer = co_await read();
    over_ = true;
    co_return answer;
  } catch (const std::runtime_error&) {
  }
  std::rethrow_exception(failed);
}

bool connection::is_idle() const {
  if (over_ || !asked_.empty() || from_->has_begun() || !stream_.is_open()) return false;
  char next = 0;
  const std::int64_t came =
      stream_.begin_writing(source::current()).calls().recv(stream_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return came == -EAGAIN;
}

}  // namespace lockstep::http
