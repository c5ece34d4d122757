#include <lockstep/runtime/loop_remote.hpp>

#include <lockstep/runtime/inbox.hpp>

#include <utility>

namespace lockstep {

// One for all copies.
class loop_remote::caller {
 public:
  explicit caller(loop& of) : home_(of.home()), run_(static_cast<const detail::context&>(of).run) { ++home_->callers; }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;
  ~caller() { home_->lose_caller(); }

  bool post(std::shared_ptr<detail::scheduled_call> call) const { return home_->post(run_, std::move(call)); }

 private:
  std::shared_ptr<inbox> home_;
  std::uint64_t run_;
};

loop_remote::loop_remote(loop& of) : caller_(std::make_shared<const caller>(of)) {}

bool loop_remote::post(std::shared_ptr<detail::scheduled_call> call) const { return caller_->post(std::move(call)); }

}  // namespace lockstep
