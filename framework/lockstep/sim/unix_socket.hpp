// A Unix socket as a program sees it: a stream, datagrams, or a stream of messages (seqpacket).
//
// What is sent is at once in the receiver's queue, as a message that is counted to the sender's buffer until it is
// read, with the memory that Linux takes for it. A stream cuts what is written into such messages and reads them as one
// stream, but does not go on after one that brought descriptors, nor to one of another sender's credentials if it shows
// these.
// A connection is there when connect() returns: the socket that accept() gives is made then, and waits in the
// listener's hands.
// Source: unix(7), socketpair(2), connect(2); Linux's net/unix/af_unix.c.
#pragma once

#include <lockstep/sim/byte_queue.hpp>
#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/pieces.hpp>
#include <lockstep/sim/socket.hpp>
#include <lockstep/sim/socket_options.hpp>
#include <lockstep/sim/unix_message.hpp>
#include <lockstep/sim/unix_space.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep::sim {

class unix_socket final : public socket, public list_hook<unix_space>, public list_hook<unix_socket> {
 public:
  // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  unix_socket(host& of, identity id, int type, int status_flags);

  // As socketpair() does.
  static void pair(unix_socket& one, unix_socket& other);

  int bind(const sockaddr* address, socklen_t size) override;
  int listen(int backlog) override;
  int accept(file_reference& made) override;
  int connect(const sockaddr* address, socklen_t size) override;
  std::int64_t receive(const iovec* into, int count, int flags, msghdr* rest) override;
  std::int64_t send(const iovec* from, int count, int flags, const msghdr* rest) override;
  std::int64_t read(const iovec* into, int count) override;
  int shutdown(int how) override;
  int local_name(sockaddr* address, socklen_t* size) const override;
  int peer_name(sockaddr* address, socklen_t* size) const override;
  int get_option(int level, int name, void* value, socklen_t* size) override;
  int set_option(int level, int name, const void* value, socklen_t size) override;
  int ioctl(unsigned long request, void* argument) override;
  unsigned ready() const noexcept override;
  identity touched_id() const noexcept override { return self_->id; }
  unix_socket* as_unix() noexcept override { return this; }
  std::string described() const override;
  void show(socket_status& as) const override;
  bool is_connected() const noexcept override { return phase_ == phase::connected && !of_datagrams(); }
  void break_off(int error) override;

  // A message that it sent has left its queue.
  void has_room() noexcept;

  // -- for unix_space: what only messages hold ----------------------------------------------------------------------

  struct reachability {
    int in_hands = 0;
    bool reached = false;
    bool followed = false;
  };
  reachability reach;
  template <class F>
  void for_each_held(const F& use) {
    for (unix_message& each : messages_) {
      for (const file_reference& file : each.with.files) {
        if (unix_socket* const held = file->as_unix()) use(*held);
      }
    }
    for (const file_reference& each : pending_) use(*each->as_unix());
  }
  void give_up_messages(unix_message_list& to) noexcept;

 private:
  enum class phase : std::uint8_t { fresh, listening, connected };
  static constexpr unsigned reads = 1;
  static constexpr unsigned writes = 2;

  ~unix_socket() override = default;
  void closed() noexcept override;
  void touch() const;
  bool of_stream() const noexcept { return type_ == SOCK_STREAM; }
  bool of_datagrams() const noexcept { return type_ == SOCK_DGRAM; }

  int bind_free_name();
  int bind_path(const std::string& name);
  int find_other(const std::string& name, unix_socket*& found) const;
  int connect_to_listener(const std::string& name);
  int connect_datagrams(const sockaddr* address, socklen_t size);
  void disconnected_from(const std::shared_ptr<unix_party>& old) noexcept;
  bool may_be_sent_to_by(const unix_socket& sender) const noexcept;
  bool full_for(const unix_socket& sender) const noexcept;
  bool writable() const noexcept;
  // 0, or what sending fails with.
  int may_allocate() noexcept;
  int take_error() noexcept { return std::exchange(error_, 0); }

  std::int64_t send_stream(pieces& from, int flags, const msghdr* rest, unix_ancillary& with);
  std::int64_t send_message(pieces& from, int flags, const msghdr* rest, unix_ancillary& with);
  // Who gets it, of that name or else the peer, and whether it may be sent there.
  int find_receiver(const std::string& name, unix_socket*& to);
  void put(unix_socket& to, pieces& from, std::size_t size, std::uint64_t memory, unix_ancillary& with);
  std::int64_t receive_stream(pieces& into, int flags, msghdr* rest, unix_ancillary& with);
  std::int64_t receive_message(pieces& into, int flags, msghdr* rest, unix_ancillary& with);
  void take_files(unix_message& from, bool peeks, unix_ancillary& with);
  void copy_name(const unix_message& from, msghdr* rest) const noexcept;
  void drop_first() noexcept;

  host& host_;
  int type_;
  std::uint32_t connections_ = 0;
  socket_options options_;
  phase phase_ = phase::fresh;
  unsigned shut_ = 0;
  bool embryo_ = false;  // nobody has accepted it
  int error_ = 0;
  std::size_t backlog_ = 10;  // of a datagram socket, messages but one: net.unix.max_dgram_qlen
  std::shared_ptr<unix_party> self_;
  std::shared_ptr<unix_party> peer_;
  inode_reference node_;
  ucred peer_credentials_{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  byte_queue bytes_;
  unix_message_list messages_;
  std::size_t message_count_ = 0;
  std::vector<file_reference> pending_;
  // Senders that were told that there is no room here.
  mutable intrusive_list<unix_socket, unix_socket> wait_for_room_;
};

}  // namespace lockstep::sim
