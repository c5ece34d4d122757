// A TCP connection: two ends, and a way in each direction. What happens at an end when something arrives there, and
// what its socket does to it.
//
// Phases of an end
//   syn_sent      the client's, until the answer comes
//   syn_received  the server's, until the client's answer to that comes; it waits in the listener's hands
//   established   also while one of the two directions is finished
//   closed        reset, timed out, refused, or both directions finished: nothing comes any more
// An end whose socket was closed is an orphan, and answers bytes with a reset. It has its port until it is closed, and
// the one that finished first for a minute more.
//
// A socket that connects to the very port that it is bound to is connected to itself: its peer is a mirror.
//
// Lifetime: it destroys itself when both ends are orphans and closed, and no call goes on in it.
// Source: RFC 9293; Linux's net/ipv4/tcp_input.c, tcp.c.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/port_space.hpp>
#include <lockstep/sim/tcp_way.hpp>

#include <cstdint>

namespace lockstep::sim {

class host;
class network;
class tcp_connection;
class tcp_socket;

// How long an end waits for answers.
// Source: TCP_USER_TIMEOUT, TCP_SYNCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT of tcp(7); SO_KEEPALIVE of socket(7).
struct tcp_patience {
  std::int32_t syn_retries = 6;
  std::chrono::duration<std::int32_t, std::milli> user_timeout{};  // 0: as long as retransmissions go on
  std::chrono::duration<std::int32_t> idle{};                      // from what was heard last to the first question
  std::chrono::duration<std::int32_t> interval{};
  std::int32_t questions = 0;  // 0: it does not ask whether the other end is there
};

class tcp_end {
 public:
  enum class phase : std::uint8_t { unborn, syn_sent, syn_received, established, closed };

  tcp_end(tcp_connection& of, tcp_end& peer, tcp_way& out) noexcept : of_(of), peer_(peer), out_(out) {}

  tcp_connection& connection() const noexcept { return of_; }
  tcp_end& peer() const noexcept { return peer_; }
  tcp_way& out() const noexcept { return out_; }
  tcp_way& in() const noexcept { return peer_.out_; }
  phase at() const noexcept { return phase_; }

  // -- what its socket does ---------------------------------------------------------------------------------------

  // It is on that host, and has that port.
  void begin(host& where, const port_claim& port, phase at);
  // The server's, of which it is not known yet whether somebody listens there; or nobody's, if no host has the address.
  void begin_at(host& where, const endpoint& local) noexcept {
    host_ = &where;
    port_.claim.local = local;
  }
  void begin_nowhere(const endpoint& local) noexcept { port_.claim.local = local; }
  host* where() const noexcept { return host_; }
  const endpoint& local() const noexcept { return port_.claim.local; }
  void belong_to(tcp_socket* owner) noexcept { owner_ = owner; }
  // The listener in whose hands it is; null for none.
  void wait_at(tcp_socket* listener) noexcept { listener_ = listener; }
  int take_error() noexcept { return std::exchange(error_, 0); }
  int error() const noexcept { return error_; }
  bool reads_shut() const noexcept { return reads_shut_; }
  bool writes_shut() const noexcept { return writes_shut_; }
  // Whether a socket has it; and what TCP_INFO calls its state.
  bool has_owner() const noexcept { return owner_ != nullptr; }
  std::uint8_t state() const noexcept;
  // The bytes that its side of the connection takes in.
  std::uint64_t receive_buffer() const noexcept { return receive_buffer_; }
  void set_receive_buffer(std::uint64_t bytes) noexcept { receive_buffer_ = bytes; }
  void set_patience(const tcp_patience& how) noexcept;
  void shut(bool reads, bool writes);
  // It was shut before it had a connection, of which the other end learns nothing.
  void begin_shut(bool reads, bool writes) noexcept {
    reads_shut_ = reads;
    writes_shut_ = writes;
  }
  // Its socket has gone; `aborted` where what it has sent is not to arrive.
  void orphan(bool aborted);
  // Ends it here, with that error; the other end learns nothing.
  void fail(int error);
  // Its host has lost its power: it is gone, and the other end learns nothing.
  void vanish();

  // -- what arrives -----------------------------------------------------------------------------------------------

  // Whether what comes now is not taken any more, but refused.
  bool discards() const noexcept {
    return phase_ == phase::closed || (reads_shut_ && writes_shut_ && out_.finished() && !in().fin_arrived());
  }
  void refuses_data();
  void data_arrived();
  void fin_arrived();
  void reset_arrived();
  void syn_arrived();
  void syn_ack_arrived();
  void handshake_ack_arrived();
  void complete_handshake();
  void refusal_arrived();
  // The other end has more of what it has sent.
  void acknowledged();
  // When it has waited long enough for an answer, if it begins now.
  time_point gives_up_at() const noexcept;
  // The same where it has sent nothing, but asks now and then whether the other end is there; never, if it does not.
  time_point finds_dead_at() const noexcept;
  // When it asks next, or whether there is room; never, if it does not.
  time_point asks_at() const noexcept;
  void timed_out() { fail(ETIMEDOUT); }
  bool has_user_timeout() const noexcept { return patience_.user_timeout.count() != 0; }
  // Nobody has it any more, and the system sees to its end.
  bool is_orphan() const noexcept { return owner_ == nullptr && listener_ == nullptr; }

 private:
  friend class tcp_connection;

  void close_both() noexcept;
  void leave_port() noexcept;
  void mirror();
  void tell(unsigned events) noexcept;
  void state_changed() noexcept;

  tcp_connection& of_;
  tcp_end& peer_;
  tcp_way& out_;
  host* host_ = nullptr;
  tcp_socket* owner_ = nullptr;
  tcp_socket* listener_ = nullptr;
  phase phase_ = phase::unborn;
  bool reads_shut_ = false;
  bool writes_shut_ = false;
  bool mirrors_ = false;  // of a socket that is connected to itself: sends back what comes
  int error_ = 0;
  std::uint64_t receive_buffer_ = 131'072;
  tcp_patience patience_;
  port_holder port_;
};

class tcp_connection final : public list_hook<tcp_connection>, private timer {
 public:
  // Keeps it while something goes on in it.
  class keeper {
   public:
    explicit keeper(tcp_connection& kept) noexcept : kept_(kept) { ++kept_.kept_; }
    keeper(const keeper&) = delete;
    keeper& operator=(const keeper&) = delete;
    ~keeper() {
      --kept_.kept_;
      kept_.end_if_over();
    }

   private:
    tcp_connection& kept_;
  };

  tcp_connection(network& of, identity id) noexcept;
  ~tcp_connection();

  identity id() const noexcept { return id_; }
  tcp_end& client() noexcept { return client_; }
  tcp_end& server() noexcept { return server_; }
  network& of() const noexcept { return network_; }

  // Sends the first packet. Requires that both ends know their endpoints; `where` is null if no host has the server's.
  void connect(host& from, host* to);
  // The same, with something wrong: no packet leaves, or later.
  void connect_badly(host& from, host* to, const fault_effect& fault);
  // Its server takes it later.
  void hold_handshake(duration length);
  // The listener had no room: the client asks again later.
  void retry_later();
  // When the client asked first.
  time_point began() const noexcept { return began_; }
  void end_if_over() noexcept;
  // The run ends: nothing happens any more.
  void stop() noexcept;

 private:
  void begin_ways(host& from, host& to);
  static void retry(timer& due) noexcept;

  std::uint8_t tries_ = 0;
  bool held_ = false;  // the server does not take it until the timer is due
  int kept_ = 0;
  network& network_;
  identity id_;
  int planned_error_ = 0;      // that ends the client's wait, when the timer is due
  std::uint32_t hung_by_ = 0;  // the number of the fault because of which nobody answers; 0 for none
  time_point began_{};
  tcp_way there_;
  tcp_way back_;
  tcp_end client_;
  tcp_end server_;
};

}  // namespace lockstep::sim
