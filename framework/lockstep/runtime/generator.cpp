#include <lockstep/runtime/generator.hpp>

#include <lockstep/runtime/inbox.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep::detail {

void destroy_body(std::coroutine_handle<> body, const frame_pool* memory, const place& of,
                  const frame* awaiting) noexcept {
  inbox* const home = memory != nullptr ? static_cast<inbox*>(memory->home()) : nullptr;
  loop* const owner = current_loop();
  if (home != nullptr && !(owner != nullptr ? home == &owner->outside() : home->on_its_thread())) {
    const std::string generator = fmt::format("the generator of {}()", function_of(of));
    home->take_over(body, usage{generator, 0, "was destroyed", of});
    return;
  }
  if (owner == nullptr) return body.destroy();
  const frame* const outer = std::exchange(owner->destroyed, awaiting);
  body.destroy();
  owner->destroyed = outer;
}

void refuse_generator(const char* why) {
  if (current_context != nullptr) current_context->owner->misused(why);
  throw misuse(why);
}

}  // namespace lockstep::detail
