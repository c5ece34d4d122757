#include "rows.hpp"

namespace lockstep::sockets {

std::vector<row> readiness_rows() { return {}; }

}  // namespace lockstep::sockets
