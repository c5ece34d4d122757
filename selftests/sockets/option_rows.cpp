#include "rows.hpp"

namespace lockstep::sockets {

std::vector<row> option_rows() { return {}; }

}  // namespace lockstep::sockets
