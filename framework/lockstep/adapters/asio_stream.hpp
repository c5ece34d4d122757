// A stream of ours as Boost.Asio sees it: a type that is an AsyncReadStream and an AsyncWriteStream, on which
// asio::ssl::stream, Boost.Beast's HTTP and its WebSocket stand. So they run in a simulation as on the machine.
//
//   asio_stream connection(co_await connect_tcp("web:80"));
//   co_await http::async_write(connection, request, use_task);
//   boost::beast::flat_buffer buffer;
//   http::response<http::string_body> answer;
//   co_await http::async_read(connection, buffer, answer, use_task);
//
// Operations take any completion token and complete by the executor of the handler, else by loop_executor. Each is a
// call of the loop's that waits for the socket, as `read from tcp_stream …` in reports.
// Errors are those of the system, in boost::system::system_category(), and asio::error::eof where the peer sends no
// more. As with Asio's sockets, what waits when the stream is closed, or dies, ends with operation_aborted.
// Cancellation: by the slot of the handler, in any of its ways. It is total: no byte is lost.
// Lifetime: operations may outlive the stream. Buffers outlive the operations.
// Threads: those of the run in which it was made; an operation that is begun elsewhere begins when the loop can.
// Source: asio::basic_stream_socket.
#pragma once

#include <lockstep/adapters/loop_executor.hpp>
#include <lockstep/net/stream.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace boost::beast {
enum class role_type;
}

namespace lockstep {

namespace detail {

// A handler of Asio's, whatever its type, with the executor that it has work for: what is made for each type of handler
// is little, as there are many.
class asio_ending {
 public:
  asio_ending() = default;
  asio_ending(const asio_ending&) = delete;
  asio_ending& operator=(const asio_ending&) = delete;
  virtual ~asio_ending() = default;

  virtual boost::asio::cancellation_slot slot() const noexcept = 0;
  // Once. The handler may end all there is.
  virtual void complete(const boost::system::error_code& error, std::size_t count) = 0;
};

template <class Handler>
class asio_ending_of final : public asio_ending {
 public:
  asio_ending_of(Handler handler, const loop_executor& io)
      : work_(boost::asio::make_work_guard(handler, io)), handler_(std::move(handler)) {}

  boost::asio::cancellation_slot slot() const noexcept override {
    return boost::asio::get_associated_cancellation_slot(handler_);
  }
  void complete(const boost::system::error_code& error, std::size_t count) override {
    boost::asio::dispatch(work_.get_executor(), [handler = std::move(handler_), error, count]() mutable {
      std::move(handler)(error, count);
    });
  }

 private:
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler, loop_executor>> work_;
  Handler handler_;
};

// An operation under way: waits for one of ours, and completes a handler.
template <class Wait>
class asio_transfer final : public scheduled_call {
 public:
  // `ends` says whether 0 bytes are the end of the stream; `owned` is kept as long as it waits.
  asio_transfer(std::unique_ptr<asio_ending> ending, bool ends, std::vector<std::byte> bytes,
                std::shared_ptr<void> owned)
      : scheduled_call(source::current(), std::nullopt), ends_(ends), bytes_(std::move(bytes)),
        owned_(std::move(owned)), ending_(std::move(ending)) {}

  // Makes the operation that it waits for, on the loop's thread.
  template <class Make>
  void prepare(const Make& make) {
    wait_.emplace(make, bytes_);
    auto slot = ending_->slot();
    if (!slot.is_connected()) return;
    slot.assign([of = std::weak_ptr<scheduled_call>(weak_from_this())](boost::asio::cancellation_type how) {
      const std::shared_ptr<scheduled_call> alive = of.lock();
      if (alive != nullptr && how != boost::asio::cancellation_type::none) {
        static_cast<asio_transfer&>(*alive).stop();
      }
    });
  }

 private:
  // So that what cannot be moved is made in its place.
  struct waiting {
    template <class Make>
    waiting(const Make& make, std::span<const std::byte> bytes) : on(make(bytes)) {}
    Wait on;
  };

  void stop() {
    if (wait_ && who() != nullptr) who()->cancel("cancelled by Asio");
  }
  void call() override {
    boost::system::error_code error;
    std::size_t count = 0;
    try {
      count = wait_->on.await_resume();
      if (count == 0 && ends_) error = boost::asio::error::eof;
    } catch (const std::system_error& thrown) {
      error.assign(thrown.code().value(), boost::system::system_category());
    }
    complete(error, count);
  }
  void was_cancelled() override { complete(boost::asio::error::operation_aborted, 0); }
  operation* until() noexcept override { return &wait_->on; }
  void forget_function() noexcept override { ending_.reset(); }
  void forget_until() noexcept override {
    wait_.reset();
    owned_.reset();
  }
  void complete(const boost::system::error_code& error, std::size_t count) {
    wait_.reset();
    bytes_ = {};
    const std::unique_ptr<asio_ending> ending = std::move(ending_);
    ending->complete(error, count);
  }

  bool ends_;
  std::vector<std::byte> bytes_;
  std::shared_ptr<void> owned_;
  std::optional<waiting> wait_;
  std::unique_ptr<asio_ending> ending_;
};

// The first buffer that holds something. A read may be shorter than what it is given.
template <class Buffers>
std::span<std::byte> first_to_fill(const Buffers& buffers) {
  const auto end = boost::asio::buffer_sequence_end(buffers);
  for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
    const boost::asio::mutable_buffer each(*at);
    if (each.size() != 0) return {static_cast<std::byte*>(each.data()), each.size()};
  }
  return {};
}

// What is sent in one piece: one buffer, or several that were put together in `together`, up to a limit.
template <class Buffers>
std::span<const std::byte> piece_to_send(const Buffers& buffers, std::vector<std::byte>& together) {
  constexpr std::size_t limit_bytes = 65'536;
  std::span<const std::byte> piece;
  const auto end = boost::asio::buffer_sequence_end(buffers);
  for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
    const boost::asio::const_buffer each(*at);
    const std::span<const std::byte> next(static_cast<const std::byte*>(each.data()), each.size());
    if (next.empty()) continue;
    if (piece.empty()) {
      piece = next;
      if (piece.size() >= limit_bytes) break;
      continue;
    }
    if (together.empty()) together.assign(piece.begin(), piece.end());
    const std::span<const std::byte> taken = next.first(std::min(next.size(), limit_bytes - together.size()));
    together.insert(together.end(), taken.begin(), taken.end());
    if (together.size() == limit_bytes) break;
  }
  return together.empty() ? piece : std::span<const std::byte>();
}

}  // namespace detail

// `Stream` is tcp_stream, unix_stream or the like, or a reference to one that outlives this and its operations.
// `Executor` is loop_executor, or what says which completion token is the default.
template <class Stream, class Executor = loop_executor>
class asio_stream {
  using stream_type = std::remove_reference_t<Stream>;
  static_assert(byte_stream<stream_type>, "an asio_stream is made of a stream of ours, such as tcp_stream");
  static_assert(std::derived_from<Executor, loop_executor>);

 public:
  using executor_type = Executor;
  using lowest_layer_type = asio_stream;
  template <class Other>
  struct rebind_executor {
    using other = asio_stream<Stream, Other>;
  };

  // Of the run under way; misuse without one.
  explicit asio_stream(Stream stream) : stream_(kept(std::forward<Stream>(stream))), executor_(loop_executor()) {}
  template <class Other>
    requires(!std::same_as<Other, Executor>)
  explicit asio_stream(asio_stream<Stream, Other>&& other)
      : stream_(std::move(other.stream_)), executor_(std::move(other.executor_)) {}
  asio_stream(asio_stream&&) noexcept = default;
  asio_stream& operator=(asio_stream&& other) noexcept {
    if (this != &other) abort_operations();
    stream_ = std::move(other.stream_);
    executor_ = std::move(other.executor_);
    return *this;
  }
  ~asio_stream() { abort_operations(); }

  executor_type get_executor() const noexcept { return executor_; }
  lowest_layer_type& lowest_layer() noexcept { return *this; }
  const lowest_layer_type& lowest_layer() const noexcept { return *this; }
  // What it is made of, for what Asio has no name for. Requires that this was not moved from.
  stream_type& stream() noexcept { return *stream_; }
  const stream_type& stream() const noexcept { return *stream_; }

  bool is_open() const noexcept { return stream_ != nullptr && stream_->is_open(); }
  void close() {
    if (stream_ != nullptr) stream_->close();
  }

  // Completes with how many bytes have come, of at least one that there is room for: `void(error_code, std::size_t)`.
  // Only the first buffer that is not empty is filled. Of no room, it completes with 0 at once.
  template <class Buffers, class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_read_some(const Buffers& buffers, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(begin_read(*this), token,
                                                                                            buffers);
  }
  // Completes with how many bytes were taken: the first ones. Several buffers are sent together, up to 64 KiB.
  template <class Buffers, class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_write_some(const Buffers& buffers, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(begin_write(*this), token,
                                                                                            buffers);
  }

  // For Beast, when a WebSocket fails.
  friend void beast_close_socket(asio_stream& of) { of.close(); }

 private:
  template <class, class>
  friend class asio_stream;

  // Names the executor of what it begins.
  class initiation {
   public:
    using executor_type = Executor;
    explicit initiation(asio_stream& of) noexcept : of_(&of) {}
    executor_type get_executor() const noexcept { return of_->executor_; }

   protected:
    asio_stream* of_;
  };
  struct begin_read : initiation {
    using initiation::initiation;
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      this->of_->read(this->of_->ending_of(std::forward<Handler>(handler)), detail::first_to_fill(buffers));
    }
  };
  struct begin_write : initiation {
    using initiation::initiation;
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      std::vector<std::byte> together;
      const std::span<const std::byte> piece = detail::piece_to_send(buffers, together);
      this->of_->write(this->of_->ending_of(std::forward<Handler>(handler)), piece, std::move(together));
    }
  };

  template <class Handler>
  std::unique_ptr<detail::asio_ending> ending_of(Handler&& handler) const {
    return std::make_unique<detail::asio_ending_of<std::decay_t<Handler>>>(std::forward<Handler>(handler), executor_);
  }
  void read(std::unique_ptr<detail::asio_ending> ending, std::span<std::byte> into) {
    begin(std::move(ending), !into.empty(), {},
          [&on = *stream_, into](std::span<const std::byte>) { return on.read_some(into); });
  }
  void write(std::unique_ptr<detail::asio_ending> ending, std::span<const std::byte> piece,
             std::vector<std::byte> together) {
    begin(std::move(ending), false, std::move(together), [&on = *stream_, piece](std::span<const std::byte> kept) {
      return on.write_some(kept.empty() ? piece : kept);
    });
  }

  static std::shared_ptr<stream_type> kept(Stream&& stream) {
    if constexpr (std::is_lvalue_reference_v<Stream>) {
      return std::shared_ptr<stream_type>(std::shared_ptr<void>(), &stream);
    } else {
      return std::make_shared<stream_type>(std::move(stream));
    }
  }

  template <class Make>
  void begin(std::unique_ptr<detail::asio_ending> ending, bool ends, std::vector<std::byte> bytes, const Make& make) {
    using wait = decltype(make(std::span<const std::byte>()));
    static_assert(std::derived_from<wait, operation>, "an asio_stream needs a stream of ours, such as tcp_stream");
    auto made = std::make_shared<detail::asio_transfer<wait>>(std::move(ending), ends, std::move(bytes), stream_);
    if (executor_.home().in_step()) {
      made->prepare(make);
      executor_.home().post(std::move(made));
    } else {
      executor_.execute([made, make, executor = loop_executor(executor_)] {
        made->prepare(make);
        executor.home().post(made);
      });
    }
  }

  // The operations own the stream too.
  void abort_operations() noexcept {
    if (stream_.use_count() > 1 && stream_->is_open()) stream_->close();
  }

  std::shared_ptr<stream_type> stream_;
  Executor executor_;
};

template <class Stream>
asio_stream(Stream) -> asio_stream<Stream>;

namespace detail {

// Reads until the peer has said all.
template <class Stream, class Role>
class asio_teardown {
 public:
  asio_teardown(Stream& of, Role role) : of_(of), role_(role) {}

  template <class Self>
  void operator()(Self& self) {
    if (role_ == Role::server) end_writing();
    read(self);
  }
  template <class Self>
  void operator()(Self& self, boost::system::error_code error, std::size_t) {
    if (!error && !failed_) return read(self);
    if (error == boost::asio::error::eof) {
      error = {};
      if (role_ == Role::client) end_writing();
      if (of_.is_open()) of_.close();
    }
    self.complete(failed_ ? failed_ : error);
  }

 private:
  template <class Self>
  void read(Self& self) {
    const boost::asio::mutable_buffer into(dropped_->data(), dropped_->size());
    of_.async_read_some(into, std::move(self));
  }
  void end_writing() {
    try {
      of_.stream().shutdown_write();
    } catch (const std::system_error& thrown) {
      failed_.assign(thrown.code().value(), boost::system::system_category());
    }
  }

  Stream& of_;
  Role role_;
  boost::system::error_code failed_;
  std::unique_ptr<std::array<std::byte, 2048>> dropped_ = std::make_unique<std::array<std::byte, 2048>>();
};

}  // namespace detail

// For Beast, which ends the connection below a WebSocket so: each side says that it sends nothing more, the server
// first, reads what still comes, and closes.
// Source: boost::beast::websocket::async_teardown of asio::basic_stream_socket.
template <class Stream, class Executor, class Handler>
auto async_teardown(boost::beast::role_type role, asio_stream<Stream, Executor>& of, Handler&& handler) {
  using ending = detail::asio_teardown<asio_stream<Stream, Executor>, boost::beast::role_type>;
  return boost::asio::async_compose<Handler, void(boost::system::error_code)>(ending(of, role), handler, of);
}

}  // namespace lockstep
