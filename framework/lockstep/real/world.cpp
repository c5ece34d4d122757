#include <lockstep/real/world.hpp>

#include <lockstep/real/interrupts.hpp>
#include <lockstep/runtime/inbox.hpp>

#include <limits>

namespace lockstep::real {

world::world() : base_world(static_cast<driver&>(*this)) {}

world::~world() = default;

void world::start(const world_options& options) {
  how_ = options;
  interrupted_ = false;
  interrupts_.reset();
  loop_limits none;
  none.steps_max = std::numeric_limits<std::uint64_t>::max();
  none.time_max = time_point::max();
  base_world::start(none, nullptr, ordering::fifo, options.keep_trace, options.paused_clock);
  os_driver::begin(options.clock, options.seed);
}

void world::main_begins(agent& main) {
  if (!how_.take_interrupts) return;
  interrupts_ = std::make_unique<interrupts>(static_cast<os_driver&>(*this), [this, &main] {
    interrupted_ = true;
    main.cancel("interrupted");
  });
}

bool world::main_ended(agent& main) {
  interrupts_.reset();
  // As far as it ended by that: another request to cancel it would have ended it too.
  interrupted_ = interrupted_ && main.was_cancelled(detail::unseen) && main.cancelling() == 1;
  await_jobs_for(how_.jobs_limit);
  return how_.await_everybody;
}

}  // namespace lockstep::real
