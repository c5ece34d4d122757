// writer: sends to a stream what was written to it, as fast as the peer takes it, while the task that wrote does other
// things.
//
//   writer to(peer);
//   for (const record& each : all) {
//     to.write(text_of(each));
//     co_await to.drain();  // only if the peer is slow
//   }
//   co_await to.close();
//
// write() never waits: what the system takes is sent at once, the rest is buffered, and sent whenever the system takes
// more. No task does that, so none need be kept: the writer is told by the loop.
// A cancellation loses nothing: it ends the wait, and what is buffered is sent as ever.
// Errors of the connection (those of tcp_stream::write_some) are thrown by drain(), flush() and close(), from then on
// by each; what was not sent is kept, and what is written afterwards is dropped. A stream that is closed while
// something is buffered comes to ECANCELED. Lifetime: the stream must outlive the writer; it may be moved. Nobody else
// writes to it meanwhile. What is buffered when the writer dies is dropped: await flush() or close() before. To die
// while a task waits for it is misuse. Source: asyncio.StreamWriter, and the flow control of its transports.
#pragma once

#include <lockstep/net/socket.hpp>
#include <lockstep/net/stream.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/primitive.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/system/calls.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lockstep {

struct writer_options {
  // With more than this buffered, drain() waits. In bytes.
  std::size_t high_water = 65'536;
  // Until no more than this is; at most high_water.
  std::size_t low_water = 16'384;
};

class writer final : public object, private readiness_watch {
 public:
  // Misuse if low_water is above high_water.
  explicit writer(detail::stream_socket& to, const writer_options& options = {}, source where = source::current());
  ~writer();
  std::string_view noun() const noexcept override { return "writer"; }

  // Sends it, after all that was written before. Never waits, and takes as much as there is memory for.
  void write(std::span<const std::byte> bytes, source where = source::current());
  void write(std::string_view text, source where = source::current()) { write(std::as_bytes(std::span(text)), where); }
  // After all that was written, the peer is told that nothing more comes. Never waits. Misuse to write after that.
  // Source: asyncio.StreamWriter.write_eof.
  void write_end(source where = source::current());

  class draining;
  // Returns at once unless more than `high_water` bytes were buffered and since then never `low_water` or less; then it
  // waits for that. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT draining drain(source where = source::current());
  // Waits until the system has taken all that was written. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT draining flush(source where = source::current());
  // Waits until all is sent and closes the stream, also if that fails. Cancelled while it waits, the stream stays open.
  task<void> close(source where = source::current());

  // What the system has not taken yet.
  std::size_t buffered_bytes() const noexcept {
    touch(access::read);
    return size();
  }

 private:
  std::size_t size() const noexcept { return bytes_.size() - sent_; }
  void send() noexcept;
  void send_once() noexcept;
  void fail(int error) noexcept;
  void stop_watching() noexcept;
  void wake() noexcept;
  bool is_over(bool all) const noexcept { return error_ != 0 || (all ? sent_ == bytes_.size() : !paused_); }
  [[noreturn]] void throw_error() const;
  void may_be_ready() noexcept override;
  void was_closed() noexcept override;

  detail::open_socket& socket_;
  writer_options options_;
  std::string bytes_;
  std::size_t sent_ = 0;  // of those
  int error_ = 0;
  bool paused_ = false;   // more than high_water was buffered, and since then never low_water or less
  bool ends_ = false;     // nothing more will be written
  bool ended_ = false;    // and the peer was told
  bool sending_ = false;  // within the call
  bool again_ = false;    // which is to be made again
  wait_list waiters_;
};

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class writer::draining final : public primitive<writer::draining> {
 public:
  draining(writer& of, bool all) noexcept : primitive(operation_kind::drain, of), all_(all) {}

  // "flush of tcp_stream 10.0.0.1:40000 -> 10.0.0.2:80".
  std::string describe() const override;
  bool try_now() const noexcept { return of().is_over(all_); }
  void enqueue() noexcept override { of().waiters_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  void result() const {
    if (what() != nullptr && of().error_ != 0) of().throw_error();
  }

 private:
  friend class writer;

  writer& of() const noexcept { return subject<writer>(); }

  bool all_;
};

#pragma GCC diagnostic pop

inline writer::draining writer::drain(source where) {
  enter("was drained", where);
  return {*this, false};
}

inline writer::draining writer::flush(source where) {
  enter("was flushed", where);
  return {*this, true};
}

}  // namespace lockstep
