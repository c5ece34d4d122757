// What every primitive has: an identity that does not depend on the schedule, a name, and the loop it belongs to.
//
// An object made inside a run is (the task that made it, the n-th that this task made). One made outside, as a
// global or before the loop, takes its identity from the task that first uses it.
// Threads: it belongs to one run at a time. Its use from another run or thread is misuse, which is thrown there and is
// a verdict of the run that it belongs to: `mutex "tx" was unlocked on another thread (conn.cpp:77)`. A destructor only
// reports it. Asking an object for its state is not checked.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep {

class inbox;

namespace detail {
struct usage;
}

class object {
 public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  // What reports call its kind: "mutex".
  virtual std::string_view noun() const noexcept { return "object"; }
  std::string_view name() const noexcept { return name_.view(); }
  identity id() const noexcept { return identity_; }
  // Counts from 1 in each run.
  std::uint32_t number() const noexcept { return number_; }
  // "mutex "tx"", or "mutex #3" without a name.
  std::string described() const;
  // Tells the observer of the run, if there is one, that the present step touches it.
  void touch(access how) const noexcept {
    const detail::context* const context = detail::current_context;
    if (context != nullptr && context->observer != nullptr) [[unlikely]]
      context->observer->touches(footprint(), how);
  }
  // The task that holds it, for what can be held.
  virtual agent* holder() const noexcept { return nullptr; }
  // For destructors, which cannot throw: whether this is the thread or run of somebody else, who was told then that
  // this object `deed`: "died while a task waits for it".
  bool tell_elsewhere(const char* deed) const noexcept;

 protected:
  explicit object(label name);
  ~object() = default;

  // Whether it was made or used in this run.
  bool is_of(const detail::context& context) const noexcept { return context.run == run_; }
  // It is used in another run than before, whose tasks are gone.
  virtual void forget_run() noexcept {}

  // The context, which must be of the run and thread that this object belongs to; otherwise it is misuse that the
  // object `deed`, such as "was unlocked", at `where`.
  detail::context& enter(const char* deed, source where) {
    detail::context* context = detail::current_context;
    if (context == nullptr || context->run != run_) [[unlikely]]
      return adopt(context, deed, where);
    return *context;
  }
  // The same for what is done to the object at once, and not by an operation that is awaited.
  detail::context& enter_to_change(const char* deed, source where) {
    detail::context& context = enter(deed, where);
    touch(access::write);
    return context;
  }
  // The same for what also may be done where no loop runs.
  void enter_if_used(const char* deed, source where) {
    touch(access::write);
    if (run_ != 0 && (detail::current_context != nullptr || !is_at_home())) enter(deed, where);
  }
  // The same for who only looks at it, which is done anywhere once its run is over.
  void look(const char* deed, source where) const {
    const detail::context* context = detail::current_context;
    if (run_ != 0 && (context == nullptr || context->run != run_)) [[unlikely]]
      look_elsewhere(deed, where);
  }

 private:
  // Null if no loop runs on this thread: then it throws.
  detail::context& adopt(detail::context* context, const char* deed, const source& where);
  // What it is to an observer, who looks at many runs. One that was made outside of them has an identity of its first
  // user's, but an address of its own.
  [[gnu::cold]] identity footprint() const noexcept {
    return made_inside_ ? identity_ : hash_of(reinterpret_cast<std::uintptr_t>(this), 0);
  }
  bool is_at_home() const noexcept;
  void look_elsewhere(const char* deed, const source& where) const;
  detail::usage use_of(const char* deed, const source& where) const;

  std::uint64_t run_ = 0;
  std::shared_ptr<inbox> home_;  // of the loop that it belongs to
  identity identity_ = 0;
  std::uint32_t number_ = 0;
  bool made_inside_ = false;
  label name_;
};

}  // namespace lockstep
