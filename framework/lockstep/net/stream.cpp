#include <lockstep/net/stream.hpp>

#include <sys/socket.h>

namespace lockstep::detail {

void stream_socket::shutdown_write(source where) {
  open_socket& here = changed("was shut down", where);
  if (const int result = here.calls().shutdown(here.fd(), SHUT_WR); result < 0) {
    throw_system_error(-result, "shutdown of " + here.described_with_ends());
  }
}

}  // namespace lockstep::detail
