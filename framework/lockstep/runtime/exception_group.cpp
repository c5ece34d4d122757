#include <lockstep/runtime/exception_group.hpp>

#include <lockstep/runtime/errors.hpp>

#include <fmt/format.h>

#include <new>
#include <utility>

namespace lockstep {

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    const char* const text = error.what();
    return text != nullptr ? text : "(no text)";
  } catch (const cancelled& request) {
    return request.reason().empty() ? "cancelled" : fmt::format("cancelled: {}", request.reason());
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

// NOLINTNEXTLINE(bugprone-throw-keyword-missing): takes the member for an exception that is made and forgotten
exception_group::exception_group(std::vector<std::exception_ptr> all) : all_(std::move(all)) {
  try {
    describe();
  } catch (const std::bad_alloc&) {
    text_.clear();
  }
}

void exception_group::describe() {
  text_ = all_.size() == 1 ? "1 task failed: " : fmt::format("{} tasks failed: ", all_.size());
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (i > 0) text_ += "; ";
    text_ += text_of(all_[i]);
  }
}

}  // namespace lockstep
