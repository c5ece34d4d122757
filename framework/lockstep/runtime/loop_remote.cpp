#include <lockstep/runtime/loop_remote.hpp>

#include <lockstep/runtime/inbox.hpp>

#include <utility>

namespace lockstep {

loop_remote::loop_remote(loop& of) : home_(of.home()), run_(static_cast<const detail::context&>(of).run) {}

bool loop_remote::post(std::shared_ptr<detail::scheduled_call> call) const {
  return home_->post(run_, std::move(call));
}

}  // namespace lockstep
