#include "rows.hpp"

namespace lockstep::sockets {

std::vector<row> unix_message_rows() { return {}; }

}  // namespace lockstep::sockets
