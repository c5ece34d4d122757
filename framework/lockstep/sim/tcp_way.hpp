// One direction of a TCP connection: the bytes that one end has written and the other has not read, in one queue, and
// the marks of what is on its way.
//
//   read <= arrived <= transmitted <= written        positions in the stream, which counts from 0
//   acknowledged <= arrived
//
// - Bytes between `transmitted` and `written` wait in the sender's buffer for room in the receiver's.
// - Bytes between `arrived` and `transmitted` are in flight: each mark says up to where they come, and when.
// - Bytes between `read` and `arrived` are in the receiver's buffer.
// On a lane without latency, what may be transmitted has arrived at once, and there are no marks.
// What is sent arrives in its order. A lane that is cut freezes what is in flight. When it is healed, that sets out
// again, as if it were retransmitted then. If the sender has no answer for too long, it gives the connection up.
// Source: RFC 9293; Linux's net/ipv4/tcp*.c for what it does at each turn.
#pragma once

#include <lockstep/sim/byte_queue.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/traffic.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lockstep::sim {

class tcp_end;

class tcp_way final : private traveller, private timer {
 public:
  static constexpr duration first_timeout = std::chrono::milliseconds(200);  // of what is not acknowledged

  enum class mark_kind : std::uint8_t { data, fin, reset, answering_reset, syn, syn_ack, handshake_ack, refusal };

  tcp_way(loop& owner, byte_memory& memory, tcp_end& from, tcp_end& to) noexcept
      : timer(&arrival, cause::event), owner_(owner), queue_(memory), from_(from), to_(to) {}
  ~tcp_way();

  // The lane that it takes; without one, nothing sets out.
  void begin_on(lane* over) noexcept;
  // No timer is armed any more, and nothing is told.
  void stop() noexcept;

  // -- the sender's end -------------------------------------------------------------------------------------------

  std::uint64_t unacknowledged() const noexcept { return written_ - acknowledged_; }
  std::uint64_t unsent() const noexcept { return written_ - transmitted_; }
  // They are not copied before keep(), which must be called before they go: whoever waits for them takes them from
  // where they are.
  void write(std::span<const std::byte> more) {
    queue_.lend(more);
    written_ += more.size();
  }
  void keep() noexcept { queue_.keep(); }
  // The last byte that was written is urgent, and no other.
  void mark_urgent() noexcept {
    urgent_at_ = written_ - 1;
    urgent_taken_ = false;
  }
  // Sends on what there is room for.
  void transmit() {
    if (transmitted_ != written_ || (finished_ && !fin_transmitted_)) send_on();
  }
  // After all that was written, no more comes.
  void finish() {
    finished_ = true;
    transmit();
  }
  bool finished() const noexcept { return finished_; }
  // The connection is to be reset: what has not left is dropped.
  void send_reset(mark_kind kind = mark_kind::reset);
  void send(mark_kind kind) { set_out(kind, transmitted_); }
  // What has not arrived never will.
  void abandon() noexcept;
  // Nothing was sent on it, and something may be.
  void begin_afresh() noexcept { finished_ = fin_transmitted_ = false; }

  // -- the receiver's end -----------------------------------------------------------------------------------------

  std::size_t available() const noexcept { return static_cast<std::size_t>(arrived_ - read_); }
  bool fin_arrived() const noexcept { return fin_arrived_; }
  void peek(std::span<std::byte> into, std::size_t skipped) const noexcept { queue_.peek(into, skipped); }
  // Takes them out; transmit() is to follow, as there is room again.
  void drop(std::size_t count) noexcept {
    queue_.drop_front(count);
    read_ += count;
  }
  // Nobody reads any more: what is there goes.
  void drop_all() noexcept { drop(available()); }
  // How many bytes stand before the urgent one; nothing if none is announced, or it was read or passed.
  std::optional<std::uint64_t> before_urgent() const noexcept {
    if (urgent_taken_ || urgent_at_ < read_ || urgent_at_ == no_urgent) return std::nullopt;
    return urgent_at_ - read_;
  }
  // The same of one that was taken out of its turn, and is still in the line.
  bool stands_at_urgent() const noexcept { return urgent_at_ == read_; }
  std::uint64_t to_urgent() const noexcept { return urgent_at_ < read_ ? no_urgent : urgent_at_ - read_; }
  void take_urgent() noexcept { urgent_taken_ = true; }

  // When something arrived last.
  time_point heard_at() const noexcept { return heard_at_; }
  // Whether the sender waits for an answer in vain, and for how long yet, is looked at anew.
  void see_to_patience() noexcept;
  // The same, and what it waits for is waited for from now on.
  void wait_anew() noexcept {
    stop_waiting();
    see_to_patience();
  }

  // A packet sets out and never comes; only those who look on know of it.
  void lose(mark_kind kind, std::string_view why) noexcept {
    if (seen()) tell(traffic::fate::sent, kind, transmitted_, 0, why);
  }
  // One comes all the same.
  void pretend(mark_kind kind) noexcept;

  // For reports.
  bool cut() const noexcept {
    if (over_ == nullptr) return false;
    if (detail::observed()) [[unlikely]]
      detail::touch(over_->id(), access::read);
    return over_->cut();
  }
  std::uint64_t in_flight() const noexcept { return transmitted_ - arrived_; }

 private:
  struct mark {
    time_point arrives;  // of one that was lost, is sent again
    std::uint64_t up_to;
    mark_kind kind;
    std::uint8_t lost = 0;  // how often
  };
  enum class waiting : std::uint8_t { not_at_all, for_an_answer, for_a_sign, for_a_reset, for_the_last_word };
  // Runs while there is something that gets no answer; made when that happens first, which is seldom.
  struct patience final : timer {
    explicit patience(tcp_way& of) noexcept : timer(&run_out, cause::event), way(of) {}
    static void run_out(timer& due) noexcept { static_cast<patience&>(due).way.lose_patience(); }
    tcp_way& way;
  };

  static constexpr std::size_t marks_kept = 64;  // that have arrived
  static constexpr std::uint64_t no_urgent = ~std::uint64_t{0};

  static void arrival(timer& due) noexcept { static_cast<tcp_way&>(due).deliver(); }
  std::size_t lane_cut() noexcept override;
  void lane_healed() noexcept override;
  std::size_t lane_clogged(time_point until) noexcept override;
  void lane_changed() noexcept override;
  std::size_t frozen() const noexcept override { return marks_.size() - next_mark_; }
  bool under_way() const noexcept { return next_mark_ != marks_.size(); }
  void send_on();
  void set_out(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes = 0);
  void set_out_in_time(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes);
  void deliver() noexcept;
  // The first mark, which was lost, may be lost again.
  void send_again();
  static duration timeout_of(const mark& lost) noexcept;
  bool is_lost() const noexcept { return under_way() && marks_[next_mark_].lost != 0; }
  void arrive(mark_kind kind, std::uint64_t up_to);
  void take(std::uint64_t up_to);
  void arrive_over_broken(std::uint64_t up_to);
  void acknowledge();
  // Whether what the receiver answers at once reaches the sender.
  bool answer_comes() noexcept;
  void arm() noexcept;
  void disarm() noexcept;
  // What is not acknowledged, or asks again and again whether there is room.
  bool awaits_answer() const noexcept;
  bool is_blocked() const noexcept { return unsent() != 0 && transmitted_ == acknowledged_; }
  // Whether the other end knows nothing of the connection any more, and has not said so.
  bool peer_has_gone() const noexcept;
  // Whether what the sender waits for comes only when it has given up.
  bool is_late() const noexcept;
  waiting waits_for() const noexcept;
  // Whether nothing comes through, as its lane is cut or loses all.
  bool is_silent() const noexcept;
  time_point limit_of(waiting what) const noexcept;
  // Something of it was answered: the wait for the rest begins anew.
  void answered() noexcept;
  void stop_waiting() noexcept;
  void lose_patience() noexcept;
  // Whether it has asked for a sign of life, or for room, since a lane was cut.
  bool has_asked() const noexcept;

  // -- looking on: tcp_traffic.cpp ----------------------------------------------------------------------------------

  bool seen() const noexcept { return over_ != nullptr && over_->tapped(); }
  void tell(traffic::fate happened, mark_kind kind, std::uint64_t up_to, std::uint64_t bytes,
            std::string_view why = {}) const noexcept;
  [[gnu::cold]] void tell_sent(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes,
                               std::string_view why) const noexcept;
  [[gnu::cold]] void tell_arrived(mark_kind kind, std::uint64_t up_to) const noexcept;
  // What arrived last is acknowledged on the way back.
  [[gnu::cold]] void tell_acknowledgement() const noexcept;
  // What is under way is lost, or is sent again.
  [[gnu::cold]] void tell_of_marks(traffic::fate happened, std::string_view why) const noexcept;

  bool urgent_taken_ = false;
  bool finished_ = false;  // the sender has shut it down
  bool fin_transmitted_ = false;
  bool fin_arrived_ = false;
  bool fin_acknowledged_ = false;
  bool stopped_ = false;
  bool any_lost_ = false;  // of the marks
  waiting waits_ = waiting::not_at_all;
  loop& owner_;
  byte_queue queue_;
  tcp_end& from_;
  tcp_end& to_;
  lane* over_ = nullptr;
  std::vector<mark> marks_;
  std::size_t next_mark_ = 0;  // those before have arrived
  std::uint64_t read_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t transmitted_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t urgent_at_ = no_urgent;
  time_point heard_at_{};
  time_point asks_from_ = time_point::max();
  mutable std::uint64_t told_room_until_ = 0;  // by the receiver, to those who look on
  std::unique_ptr<patience> patience_;
};

}  // namespace lockstep::sim
