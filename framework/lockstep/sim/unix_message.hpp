// What one Unix socket has sent to another, with the descriptors and the credentials that travel with it.
// Source: unix(7), cmsg(3); Linux's net/core/scm.c.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/sim/open_file.hpp>

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::sim {

class host;
class unix_socket;

// What is left of a socket when it is closed: its name, and what it has sent that was not read.
struct unix_party {
  identity id = 0;                // what its calls touch: its own, or one with its peer
  std::string name;               // the bytes of sun_path that count; empty if it has none
  std::uint64_t queued = 0;       // the memory that its messages take
  unix_socket* socket = nullptr;  // null once it is closed
};

// What travels beside the bytes.
struct unix_ancillary {
  std::vector<file_reference> files;
  // Whose pid is 0: nobody asked for them.
  ucred sender{0, 65534, 65534};

  bool same_sender(const unix_ancillary& other) const noexcept {
    return sender.pid == other.sender.pid && sender.uid == other.sender.uid && sender.gid == other.sender.gid;
  }
};

struct unix_message : list_hook<unix_message> {
  std::shared_ptr<unix_party> from;
  host* on = nullptr;
  std::size_t size = 0;  // that was not read yet
  std::uint64_t memory = 0;
  unix_ancillary with;

  // It is in no queue any more.
  static void drop(unix_message& gone) noexcept;
};

using unix_message_list = intrusive_list<unix_message, unix_message>;

// Of what sendmsg() was given. Returns 0 or what that fails with.
int read_control(host& on, const msghdr& message, unix_ancillary& with);
// Into what recvmsg() was given: the descriptors become `on`'s.
void write_control(host& on, msghdr& message, const unix_ancillary& with, bool pass_credentials);
// An address as getsockname() gives it, for that name.
int write_unix_name(const std::string& name, sockaddr* address, socklen_t* size) noexcept;
// The name in an address, or -EINVAL.
int read_unix_name(const sockaddr* address, socklen_t size, std::string& name);

// The memory that Linux counts for a message with so much in one block and so much in pages.
std::uint64_t message_memory(std::size_t size, std::size_t in_pages) noexcept;

}  // namespace lockstep::sim
