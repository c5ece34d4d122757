// What a row of the conformance tests is written in: a machine with an operating system, and descriptors whose calls
// write themselves and their results into a transcript. The same body runs on Linux and on the simulated kernel.
//
// A call that a row is about writes a line, "client recv -> ECONNRESET". What only leads there writes none, and ends
// the row if it fails. What differs between runs has a name in the transcript: ports are #1, #2 in the order in which
// they are seen, paths are relative, a descriptor has the name that the row gave it.
// All descriptors are made with O_NONBLOCK, unless the row is about that.
#pragma once

#include "../against_linux/transcript.hpp"

#include <lockstep/system/calls.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sockets {

class machine;

// Routes that lead nowhere.
enum class no_route { unreachable, prohibited, black_hole };

using against_linux::result_text;
using against_linux::row_ended;

struct address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};
// Numeric ones. Port 0 is for the kernel to choose.
address v4(const std::string& host, std::uint16_t port = 0);
address v6(const std::string& host, std::uint16_t port = 0);
std::uint16_t port_of(const address& of);
// The same with another port.
address with_port(address of, std::uint16_t port);

// For `text` see LOCKSTEP_OPTION.
struct option {
  int level;
  int name;
  const char* text;
};
#define LOCKSTEP_OPTION(level, name) \
  ::lockstep::sockets::option { level, name, #name }

// "IN|OUT", "-" for none.
std::string events_text(unsigned events);

// A descriptor under the name that the row gave it. It owns nothing: the machine closes at its end what is open.
class descriptor {
 public:
  descriptor() = default;
  descriptor(machine& on, system_calls& calls, int number, std::string name)
      : on_(&on), calls_(&calls), number_(number), name_(std::move(name)) {}

  int number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }

  // -- calls that write a line --------------------------------------------------------------------------------------

  int bind(const address& to);
  int listen(int backlog);
  int connect(const address& to);
  // A descriptor of number < 0 if it fails.
  descriptor accept(const std::string& name);
  std::int64_t send(const std::string& text, int flags = 0);
  std::int64_t send_to(const std::string& text, const address& to);
  // Writes the bytes, but of more than 40 only how many.
  std::int64_t recv(std::size_t size, int flags = 0);
  // With the sender and the flags of the message.
  std::int64_t recv_from(std::size_t size, int flags = 0);
  std::int64_t write(const std::string& text);
  std::int64_t read(std::size_t size);
  int shutdown(int how);
  int close();
  // Of IN, PRI, OUT and RDHUP, and what is always told.
  void poll();
  // SO_ERROR.
  void error();
  int set(const option& which, int value);
  int get(const option& which);
  void local_name();
  void peer_name();
  int fcntl(int command, const char* text, std::int64_t argument = 0);

  // Of an epoll.
  int add(const descriptor& watched, unsigned events);
  int modify(const descriptor& watched, unsigned events);
  int remove(const descriptor& watched);
  // What has happened, in its order.
  void events(int events_max = 16);

  // -- calls that write none ----------------------------------------------------------------------------------------

  // Lets things happen until one of `events` is there.
  void wait(unsigned events);
  // Until so many bytes can be read.
  void wait_for_bytes(int count);
  // Until the peer has acknowledged all bytes.
  void wait_for_acknowledgement();
  // Until no segment of a TCP connection is under way; bytes for which the peer has no room may still wait.
  void wait_for_arrival();
  // Until SO_ERROR would say something, or the connection has ended.
  void wait_for_reset();
  unsigned ready() const;
  address local() const;
  address peer() const;
  void must_set(const option& which, int value);
  void linger(int seconds);
  // Sends until there is room no more, and receives as long as there is something; how many bytes. `piece` is the size
  // of one call.
  std::size_t fill(std::size_t piece);
  std::size_t drain(std::size_t piece, std::size_t bytes_max = SIZE_MAX);

 private:
  std::int64_t line(const std::string& call, std::int64_t result, const std::string& instead = "");
  int control(int operation, const char* text, const descriptor& watched, unsigned events);

  machine* on_ = nullptr;
  system_calls* calls_ = nullptr;
  int number_ = -1;
  std::string name_;
};

class machine : public against_linux::transcript_writer {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  // -- what the arm gives -------------------------------------------------------------------------------------------

  // Of host "a", or, on an arm that has more, "b". They live as long as the machine.
  virtual system_calls& calls(const std::string& host = "a") = 0;
  // Lets things happen until it holds; false if it does not although nothing more will happen.
  virtual bool wait_until(const std::function<bool()>& holds) = 0;
  // The same for a descriptor of host "a" that becomes ready for one of `events`, which `holds` says.
  virtual bool wait_ready(int fd, unsigned events, const std::function<bool()>& holds);
  // For Unix-domain names: a folder of the row's own, and what can stand in it.
  virtual std::string folder() = 0;
  virtual void make_file(const std::string& name) = 0;
  virtual void unlink(const std::string& name) = 0;
  virtual bool exists(const std::string& name) = 0;
  // In front of abstract names, so that tests running at once do not meet.
  virtual std::string prefix() = 0;
  // From here on, until it is taken back, no descriptor more can be opened.
  virtual void no_more_descriptors(bool none) = 0;
  // Only where the network is the row's own, and until the row's end: a setting as sysctl has it, the loopback
  // interface, and a route to a network of 24 bits.
  virtual void set(const std::string& setting, const std::string& value) = 0;
  virtual void set_loopback(bool is_up, int mtu = 65'536) = 0;
  virtual void add_route(const address& to, no_route kind) = 0;
  // Only where there are two hosts: the address of the other, "b", or of "nobody" on the same link, and the cable
  // between them, which is cut and mended.
  virtual address find_host(const std::string& host);
  virtual void cut();
  virtual void mend();

  // -- descriptors; no line, the row ends if it fails ---------------------------------------------------------------

  descriptor socket(int domain, int type, const std::string& name, const std::string& host = "a");
  descriptor tcp(const std::string& name) { return socket(AF_INET, SOCK_STREAM, name); }
  descriptor udp(const std::string& name) { return socket(AF_INET, SOCK_DGRAM, name); }
  // Bound to 127.0.0.1 and a port of the kernel's choice.
  descriptor bound(int type, const std::string& name);
  descriptor listening(int backlog = 8, const std::string& name = "listener");
  // Connecting to it; established if the kernel of the listener takes it.
  descriptor connecting(const descriptor& to, const std::string& name = "client");
  // "client" and "server", with no listener left.
  std::pair<descriptor, descriptor> tcp_pair();
  // "a" and "b" of socketpair().
  std::pair<descriptor, descriptor> unix_pair(int type);
  // "reader" and "writer".
  std::pair<descriptor, descriptor> pipe();
  descriptor epoll(const std::string& name = "epoll");
  descriptor named(int number, const std::string& name);
  // Where a socket is bound that does not listen, so that nobody else takes the port; it refuses.
  address deaf_address();
  // Where a socket hears only itself: for all others there is nobody.
  address deaf_datagram_address();
  // Of another host; the transcript has its name.
  address host_address(const std::string& host, std::uint16_t port);
  address path(const std::string& name);
  address abstract(const std::string& name);

  // -- the transcript -----------------------------------------------------------------------------------------------

  std::string text_of(const address& of);
  // Of the descriptor that epoll tells of.
  std::uint64_t key_of(const descriptor& of);
  const std::string& name_of(std::uint64_t key) const { return watched_.at(key); }

 private:
  int must(const std::string& call, int result);

  std::map<std::uint16_t, int> ports_;
  std::map<std::string, std::string> hosts_;  // by the numbers of their addresses
  std::vector<std::string> watched_;
};

}  // namespace lockstep::sockets
