// What every primitive has: an identity that does not depend on the schedule, a name, and the loop it belongs to.
//
// An object made inside a run is (the task that made it, the n-th that this task made). One made outside, as a
// global or before the loop, takes its identity from the task that first uses it. It belongs to one loop at a time:
// its use from another loop or thread is a verdict of the run that it belongs to, and throws misuse there.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace lockstep {

class inbox;

class object {
 public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  std::string_view name() const noexcept { return name_.view(); }
  identity id() const noexcept { return identity_; }
  // Counts from 1 in each run.
  std::uint32_t number() const noexcept { return number_; }
  // The task that holds it, for what can be held.
  virtual agent* holder() const noexcept { return nullptr; }

 protected:
  explicit object(label name);
  ~object() = default;

  // Whether it was made or used in this run.
  bool is_of(const detail::context& context) const noexcept { return context.run == run_; }
  // It is used in another run than before, whose tasks are gone.
  virtual void forget_run() noexcept {}

  // The context, which must be of the run and thread that this object belongs to; misuse otherwise.
  detail::context& enter() {
    detail::context* context = detail::current_context;
    if (context == nullptr || context->run != run_) [[unlikely]]
      return adopt(context);
    return *context;
  }

 private:
  // Null if no loop runs on this thread: then it throws.
  detail::context& adopt(detail::context* context);

  std::uint64_t run_ = 0;
  const void* thread_ = nullptr;
  std::shared_ptr<inbox> home_;  // of the loop that it belongs to
  identity identity_ = 0;
  std::uint32_t number_ = 0;
  bool made_inside_ = false;
  label name_;
};

}  // namespace lockstep
