// How a server answers on one connection, as a program does or as a mock may: late, in pieces, or only in part.
#pragma once

#include <lockstep/http/message.hpp>
#include <lockstep/http/parser.hpp>
#include <lockstep/net/stream.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/event.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lockstep::http::detail {

// An answer and how it is sent.
struct reply {
  enum class ending : std::uint8_t { as_usual, close, reset };

  response answer{};
  duration delay{};                             // before anything is sent
  std::size_t chunk_bytes = 0;                  // of a body in chunks; 0 for the usual
  std::size_t piece_bytes = 0;                  // of a body that is sent in pieces; 0 for at once
  duration gap{};                               // before each of these
  std::optional<std::size_t> sent_bytes_max{};  // of the body, with its chunks
  ending then = ending::as_usual;
  bool says_nothing = false;             // nothing is sent, and the connection ends at once
  std::optional<std::string> instead{};  // is sent as it is, and the connection ends
};

using replier = std::function<task<reply>(request)>;

replier replies_of(std::function<task<response>(request)> answer);

// A connection that is served.
struct conversation {
  lockstep::detail::stream_socket& peer;
  void (*reset)(lockstep::detail::stream_socket& which);
  message_limits limits;
  duration idle_limit;
  duration linger_limit;
  event& stopping;
};

// Answers what comes until the connection is over.
task<void> converse(conversation with, const replier& answer, source where);

}  // namespace lockstep::http::detail
