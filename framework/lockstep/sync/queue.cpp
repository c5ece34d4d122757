#include <lockstep/sync/queue.hpp>

#include <fmt/format.h>

namespace lockstep::detail {

void refuse_capacity_0(const object& made, const source& where) {
  here().owner->misused(fmt::format("{} has room for 0 items (capacity_items); it needs at least 1", made.described()),
                        where);
}

}  // namespace lockstep::detail
