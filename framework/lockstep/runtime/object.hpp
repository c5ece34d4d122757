// What every primitive has: an identity that does not depend on the schedule, a name, and the loop it belongs to.
//
// An object made inside a run is (the task that made it, the n-th that this task made). One made outside, as a
// global or before the loop, takes its identity from the task that first uses it. It belongs to one loop at a time.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>

#include <cstdint>
#include <string>

namespace lockstep {

// What the trace needs to know of an object.
struct object_mark {
  identity id = 0;           // 0: no object
  std::uint32_t number = 0;  // counts from 1 in each run
};

inline constexpr object_mark no_object;

class object : private object_mark {
 public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  std::string_view name() const noexcept { return name_.view(); }
  const object_mark& mark() const noexcept { return *this; }
  // The task that holds it, for what can be held.
  virtual agent* holder() const noexcept { return nullptr; }

 protected:
  explicit object(label name);
  ~object() = default;

  // The context, which must be of the run and thread that this object belongs to; misuse otherwise.
  detail::context& enter() {
    detail::context& context = detail::here();
    if (context.run != run_) [[unlikely]] adopt(context);
    return context;
  }

 private:
  friend class operation;

  void adopt(detail::context& context);

  std::uint64_t run_ = 0;
  const void* thread_ = nullptr;
  bool made_inside_ = false;
  label name_;
};

}  // namespace lockstep
