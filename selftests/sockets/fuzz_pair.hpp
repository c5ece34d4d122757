// Linux and the simulated kernel side by side: each operation of a sequence is made on both, and what they say is
// compared: the result and what it gave, then for every descriptor what poll() and FIONREAD say.
#pragma once

#include "fuzz_sequence.hpp"
#include "machine.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sockets {

// What has been sent over loopback before, has arrived. That is so once datagrams sent after it have, on one processor.
class loopback_barrier {
 public:
  loopback_barrier();
  loopback_barrier(const loopback_barrier&) = delete;
  loopback_barrier& operator=(const loopback_barrier&) = delete;
  ~loopback_barrier();
  void pass();

 private:
  int socket_;
};

enum class verdict {
  same,
  // No more can be compared, for one of the reasons that fuzz_pair.cpp lists.
  ended,
  differs,
};

// One operation, and what came of it on either.
struct fuzz_step {
  operation_kind kind = operation_kind::count;
  // As a row has it; empty if there was nothing to do it to.
  std::string code;
  std::array<std::string, 2> said;
  std::array<std::string, 2> ready;
  verdict is = verdict::same;
  std::string why_ended = "";
  // Not an error, on the simulated kernel.
  bool succeeded = false;
};

class fuzz_pair {
 public:
  static constexpr std::size_t simulated = 0;
  static constexpr std::size_t real = 1;

  // What Linux has not shown after so many milliseconds never comes.
  fuzz_pair(machine& on_simulated, machine& on_real, loopback_barrier& barrier, int patience);

  fuzz_step run(const operation& what);

 private:
  struct handle {
    std::array<int, 2> fds{-1, -1};
    std::string name;
    int domain = 0;  // AF_UNSPEC for what is no socket
    int type = 0;
    bool listens = false;
    bool has_name = false;
    int file = 0;        // the same for duplicates
    int first_peer = 0;  // the family of what it connected to first
    bool is_epoll = false;
    bool is_event = false;

    bool is_tcp() const noexcept { return is_inet() && type == SOCK_STREAM; }
    bool is_inet() const noexcept { return domain == AF_INET || domain == AF_INET6; }
  };
  // An address on each, and how a row calls it.
  struct name {
    std::array<address, 2> is;
    std::string code;
  };
  struct readiness {
    unsigned events;
    int bytes;
    bool operator==(const readiness&) const = default;
  };
  using ports = std::vector<std::array<std::uint16_t, 2>>;
  // Of one of the two, which gives the text of what it said.
  using call = std::function<std::string(std::size_t arm)>;

  system_calls& calls(std::size_t arm) { return on_[arm]->calls("a"); }
  handle* pick(std::uint32_t number, const std::function<bool(const handle&)>& preferred, bool no_other = false);
  std::string fresh_name() { return "h" + std::to_string(made_++); }

  void do_both(const std::string& code, const call& on_one);
  // One that makes descriptors like those.
  void make(const std::string& code, const std::vector<handle>& like,
            const std::function<int(std::size_t arm, int* fds)>& on_one);
  void run_maker(const operation& what);
  void run_naming(const operation& what);
  void run_data(const operation& what);
  void run_option(const operation& what);
  void run_epoll(const operation& what);
  void run_other(const operation& what);
  void send(const operation& what, handle& by);
  void receive(const operation& what, handle& by);

  name name_for(const operation& what, const handle& by, bool to_bind);
  name inet_name(const operation& what, const handle& by, bool to_bind);
  name unix_name(const operation& what, bool to_bind);
  ports& ports_of(const handle& of) { return ports_[of.type == SOCK_STREAM ? 0 : 1]; }
  void note_port(handle& of);
  std::string text_of(std::size_t arm, const handle& of, const address& is);

  // That so many bytes are sent over TCP, and that a buffer is made small.
  void note_tcp(std::size_t bytes, bool small_buffer);
  void compare();
  std::vector<readiness> look(std::size_t arm);
  bool has_late_acknowledgement();
  bool ends_here(const std::vector<readiness>& on_simulated, const std::vector<readiness>& on_real);
  std::string text_of(const std::vector<readiness>& are) const;

  std::array<machine*, 2> on_;
  loopback_barrier& barrier_;
  int patience_;
  fuzz_step step_;
  std::vector<handle> handles_;
  std::vector<std::string> keys_;
  std::array<ports, 2> ports_;  // of TCP, of UDP
  int made_ = 0;
  int files_ = 0;
  unsigned sent_ = 0;
  std::size_t tcp_bytes_ = 0;
  bool small_buffers_ = false;
  bool is_crowded_ = false;
  const handle* connecting_ = nullptr;
  bool sent_urgent_ = false;
};

}  // namespace lockstep::sockets
