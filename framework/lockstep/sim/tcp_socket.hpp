// A TCP socket as a program sees it: fresh, bound, listening, connecting, connected.
//
// The one-shot rule: a connection that failed has one pending error, which whichever of receiving, sending and SO_ERROR
// comes first takes away; after that, receiving gives the end and sending EPIPE. Bytes that had arrived stay readable.
// Source: tcp(7), socket(7), connect(2), accept(2), listen(2); Linux's net/ipv4/af_inet.c, tcp.c.
#pragma once

#include <lockstep/runtime/context.hpp>
#include <lockstep/sim/port_space.hpp>
#include <lockstep/sim/socket.hpp>
#include <lockstep/sim/socket_options.hpp>
#include <lockstep/sim/tcp_connection.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

namespace lockstep::sim {

class tcp_socket final : public socket {
 public:
  tcp_socket(host& of, identity id, bool v6, int status_flags);

  int bind(const sockaddr* address, socklen_t size) override;
  int listen(int backlog) override;
  int accept(file_reference& made) override;
  int connect(const sockaddr* address, socklen_t size) override;
  std::int64_t receive(const iovec* into, int count, int flags, msghdr* rest) override;
  std::int64_t send(const iovec* from, int count, int flags, const msghdr* rest) override;
  int shutdown(int how) override;
  int local_name(sockaddr* address, socklen_t* size) const override;
  int peer_name(sockaddr* address, socklen_t* size) const override;
  int accepted_name(sockaddr* address, socklen_t* size) const override;
  int get_option(int level, int name, void* value, socklen_t* size) override;
  int set_option(int level, int name, const void* value, socklen_t size) override;
  int ioctl(unsigned long request, void* argument) override;
  unsigned ready() const noexcept override;
  identity touched_id() const noexcept override { return end_ != nullptr ? end_->connection().id() : id(); }
  std::string described() const override;
  void show(socket_status& as) const override;

  // Whether its port was bound by number, and so outlives its connection.
  bool keeps_port() const noexcept { return bound_port_; }
  bool would_wait(unsigned event) const noexcept override;
  endpoint peer() const override { return !v6_ && is_connected() ? end_->peer().local() : socket::peer(); }
  bool connects_in_time() const noexcept override { return true; }
  bool is_connected() const noexcept override;
  void break_off(int error) override;
  // Its connection is no more, as if it had never had one.
  void loses_connection() noexcept {
    end_ = nullptr;
    phase_ = phase::fresh;
  }

  // Whether it was full, and now has room for about a third.
  bool becomes_writable() noexcept;

  // -- of a listener ----------------------------------------------------------------------------------------------

  const port_claim& claim() const noexcept { return holder_.claim; }
  // What a connection to it has, of its port.
  port_claim as_child(const endpoint& local) const noexcept;
  bool has_room() const noexcept { return queue_->waiting.size() <= queue_->backlog; }
  // A connection comes, or one that has come is no more.
  void receives(tcp_end& from_client);
  void forgets(tcp_end& from_client) noexcept;

 private:
  // Disconnecting is one that was shut down after it failed to connect: it connects only when it has forgotten that.
  enum class phase : std::uint8_t { fresh, listening, connecting, connected, disconnecting };

  // The connections that it has not accepted.
  struct accept_queue {
    std::deque<tcp_end*> waiting;
    std::size_t backlog = 0;
  };

  ~tcp_socket() override = default;
  void closed() noexcept override;
  void stop_listening() noexcept;
  void attach(tcp_end& end) noexcept;
  void tune(tcp_end& end) const noexcept;
  void detach(bool aborted) noexcept;
  // As Linux's tcp_disconnect(): it has no connection, and listens no more.
  void disconnect() noexcept;
  bool has_port() const noexcept;
  ip_address any() const noexcept { return v6_ ? ip_address::any_v6() : ip_address::any_v4(); }
  int take_error() noexcept { return end_ != nullptr ? end_->take_error() : std::exchange(error_, 0); }
  int claim_port();
  void leave_port() noexcept;
  tcp_end* first_ready() const noexcept;
  int start_connecting(const endpoint& to);
  int finish_connecting() noexcept;
  // Of one that has a connection, and nothing to read.
  std::int64_t receive_nothing() noexcept;
  std::int64_t receive_urgent(const iovec* into, int count, int flags);
  std::uint8_t state() const noexcept;
  bool writable() const noexcept;
  std::uint64_t room() const noexcept;
  void touch() const {
    if (detail::observed()) [[unlikely]]
      detail::touch(touched_id(), access::write);
  }

  // What each call looks at comes first.
  tcp_end* end_ = nullptr;
  phase phase_ = phase::fresh;
  mutable bool full_ = false;  // somebody was told that there is no room
  bool v6_;
  bool reno_ = false;  // congestion control, and not cubic's
  socket_options options_;
  host& host_;
  port_holder holder_;  // until it has a connection
  // By bind(), and so kept when a connection is no more.
  bool bound_address_ = false;
  bool bound_port_ = false;
  bool lost_name_ = false;  // by bind() that failed after a connection
  // While it has no connection.
  bool reads_shut_ = false;
  bool writes_shut_ = false;
  int error_ = 0;
  std::unique_ptr<accept_queue> queue_;  // while it listens
};

}  // namespace lockstep::sim
