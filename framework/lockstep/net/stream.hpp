// Streams of bytes: what connections of all kinds have in common, tcp_stream as well as unix_stream.
#pragma once

#include <lockstep/net/socket.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace lockstep {

// What a reader reads from. `co_await from.read_some(into)` is how many bytes have come, of at least one that is asked
// for; 0 at the end.
template <class Stream>
concept readable_stream = requires(Stream& from, std::span<std::byte> into) {
  from.read_some(into);
};

// The same for both directions: `co_await to.write_some(bytes)` is how many bytes were taken.
template <class Stream>
concept byte_stream = readable_stream<Stream> && requires(Stream& to, std::span<const std::byte> from) {
  to.write_some(from);
  to.shutdown_write();
  to.close();
};

namespace detail {

// A connection. Requires that buffers outlive the await. One task may read while another writes; of several that read,
// the one that has waited longest gets what comes.
class stream_socket : public socket_owner {
 public:
  // -- reading ----------------------------------------------------------------------------------------------------

  // Waits until something has come and takes as much as there is, up to the size of the buffer. Returns how many bytes
  // that were; 0 if the peer will send no more, or if the buffer is empty.
  // Errors: ECONNRESET once, if the peer has reset the connection; ETIMEDOUT once, if it was given up.
  // Source: recv(2).
  LOCKSTEP_AWAIT_IT reading_some read_some(std::span<std::byte> into, source where = source::current()) {
    return {awaited("was read from", where), into};
  }
  LOCKSTEP_AWAIT_IT reading_some read_some(std::span<char> into, source where = source::current()) {
    return read_some(std::as_writable_bytes(into), where);
  }
  // Waits until the buffer is full. What it has taken when it is cancelled or fails is read again by the next.
  // Errors: incomplete_read, if the stream ends before that; those of read_some().
  LOCKSTEP_AWAIT_IT reading_exactly read_exactly(std::span<std::byte> into, source where = source::current()) {
    return {awaited("was read from", where), into};
  }
  LOCKSTEP_AWAIT_IT reading_exactly read_exactly(std::span<char> into, source where = source::current()) {
    return read_exactly(std::as_writable_bytes(into), where);
  }

  // -- writing ----------------------------------------------------------------------------------------------------

  // Waits until the system takes some of it, and returns how many bytes it has taken: the first ones. The peer need not
  // have got them.
  // Errors: EPIPE, if nothing can be sent any more; ECONNRESET once, if the peer has reset the connection; ETIMEDOUT
  // once, if it was given up.
  // Source: send(2).
  LOCKSTEP_AWAIT_IT writing_some write_some(std::span<const std::byte> from, source where = source::current()) {
    return {awaited("was written to", where), from};
  }
  LOCKSTEP_AWAIT_IT writing_some write_some(std::string_view from, source where = source::current()) {
    return write_some(std::as_bytes(std::span(from)), where);
  }
  // Waits until the system has taken all of it. If it is cancelled or fails, some of it may have been sent; where the
  // rest could still be sent, write_some() in a loop knows from where on.
  // Errors: those of write_some().
  LOCKSTEP_AWAIT_IT writing_all write(std::span<const std::byte> from, source where = source::current()) {
    return {awaited("was written to", where), from};
  }
  LOCKSTEP_AWAIT_IT writing_all write(std::string_view from, source where = source::current()) {
    return write(std::as_bytes(std::span(from)), where);
  }

  // -- ending -----------------------------------------------------------------------------------------------------

  // Tells the peer that nothing more is sent, behind what was written. It may go on sending. Never waits.
  // Errors: ENOTCONN, if the connection is over.
  // Source: shutdown(2) with SHUT_WR.
  void shutdown_write(source where = source::current());
  // For a writer.
  open_socket& begin_writing(const source& where) const { return awaited("was written to", where); }

 protected:
  using socket_owner::socket_owner;
  ~stream_socket() = default;
  stream_socket(stream_socket&&) noexcept = default;
  stream_socket& operator=(stream_socket&&) noexcept = default;
};

}  // namespace detail

}  // namespace lockstep
