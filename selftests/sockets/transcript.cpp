#include "rows.hpp"

namespace lockstep::sockets {

std::string transcript_of(void (*body)(machine&), machine& on) {
  try {
    body(on);
  } catch (const row_ended& why) {
    return on.transcript() + "ended: " + why.what() + "\n";
  }
  return on.transcript();
}

}  // namespace lockstep::sockets
