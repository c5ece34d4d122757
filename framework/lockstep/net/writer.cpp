#include <lockstep/net/writer.hpp>

#include <lockstep/sync/guard.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <system_error>

namespace lockstep {

writer::writer(detail::stream_socket& to, const writer_options& options, source where)
    : object(label()), socket_(to.begin_writing(where)), options_(options) {
  if (options.low_water > options.high_water) {
    detail::here().owner->misused(fmt::format("a writer with a low_water of {} above its high_water of {}",
                                              options.low_water, options.high_water),
                                  where);
  }
}

writer::~writer() {
  stop_watching();
  detail::orphan_waiters(waiters_, *this, false);
}

// -- writing ----------------------------------------------------------------------------------------------------------

void writer::write(std::span<const std::byte> bytes, source where) {
  detail::context& here = enter_to_change("was written to", where);
  if (ends_) here.owner->misused("a writer was written to after its write_end()", where);
  if (error_ != 0 || bytes.empty()) return;
  if (sent_ != 0 && sent_ >= bytes_.size() / 2) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!linked()) send();
  if (size() > options_.high_water && error_ == 0) paused_ = true;
}

void writer::write_end(source where) {
  enter_to_change("was ended", where);
  ends_ = true;
  if (!linked()) send();
}

// What the call does to others may come back to this one while it is being made.
void writer::send() noexcept {
  again_ = true;
  if (sending_) return;
  sending_ = true;
  while (again_) {
    again_ = false;
    send_once();
  }
  sending_ = false;
}

// Until the system takes no more; then the descriptor is watched.
void writer::send_once() noexcept {
  while (error_ == 0 && size() != 0) {
    const std::int64_t result = socket_.calls().send(socket_.fd(), bytes_.data() + sent_, size(), MSG_NOSIGNAL);
    if (result == -EAGAIN) {
      if (again_ || linked()) break;
      if (const int watched = socket_.calls().watch(socket_.fd(), POLLOUT, *this); watched < 0) fail(-watched);
      break;
    }
    if (result < 0) {
      fail(static_cast<int>(-result));
    } else {
      sent_ += static_cast<std::size_t>(result);
    }
  }
  if (size() == 0) {
    bytes_.clear();
    sent_ = 0;
    stop_watching();
    if (ends_ && !ended_ && error_ == 0) {
      ended_ = true;
      if (const int result = socket_.calls().shutdown(socket_.fd(), SHUT_WR); result < 0) fail(-result);
    }
  }
  if (size() <= options_.low_water) paused_ = false;
  wake();
}

void writer::fail(int error) noexcept {
  error_ = error;
  stop_watching();
}

void writer::stop_watching() noexcept {
  if (linked()) socket_.calls().unwatch(*this);
}

// In the order in which they came.
void writer::wake() noexcept {
  wait_list left;
  while (!waiters_.empty()) {
    operation& next = waiters_.pop_front();
    if (is_over(static_cast<draining&>(next).all_)) {
      detail::current_context->owner->grant(next);
    } else {
      left.push_back(next);
    }
  }
  waiters_.splice_back(left);
}

void writer::may_be_ready() noexcept {
  touch(access::write);
  send();
}

void writer::was_closed() noexcept {
  touch(access::write);
  error_ = ECANCELED;
  wake();
}

// -- waiting ----------------------------------------------------------------------------------------------------------

std::string writer::draining::describe() const {
  const std::string_view deed = all_ ? "flush" : "drain";
  if (what() == nullptr) return fmt::format("{} of a writer that is gone", deed);
  return fmt::format("{} of {}", deed, of().socket_.described_with_ends());
}

void writer::throw_error() const { detail::throw_system_error(error_, "write to " + socket_.described_with_ends()); }

task<void> writer::close(source where) {
  std::exception_ptr failure;
  try {
    co_await flush(where);
  } catch (const std::system_error&) {
    failure = std::current_exception();
  }
  socket_.change("was closed", where);
  socket_.close();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace lockstep
