#include "rows.hpp"

namespace lockstep::sockets {

std::vector<row> descriptor_rows() { return {}; }

}  // namespace lockstep::sockets
