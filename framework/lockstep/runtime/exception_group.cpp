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

namespace {

// What is in it if it is a group.
std::optional<exception_group> group_in(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const exception_group& group) {
    return group;
  } catch (...) {
    return std::nullopt;
  }
}

std::optional<exception_group> group_of(std::vector<std::exception_ptr> all) {
  if (all.empty()) return std::nullopt;
  return exception_group(std::move(all));
}

}  // namespace

std::exception_ptr detail::pointer_to(exception_group group) {
  try {
    throw std::move(group);
  } catch (...) {
    return std::current_exception();
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
    text_ += holds<exception_group>(all_[i]) ? fmt::format("({})", text_of(all_[i])) : text_of(all_[i]);
  }
}

std::vector<std::exception_ptr> exception_group::flatten() const {
  std::vector<std::exception_ptr> flat;
  for (const std::exception_ptr& each : all_) {
    if (const std::optional<exception_group> inner = group_in(each)) {
      const std::vector<std::exception_ptr> within = inner->flatten();
      flat.insert(flat.end(), within.begin(), within.end());
    } else {
      flat.push_back(each);
    }
  }
  return flat;
}

exception_group::parts exception_group::split_by(condition matches) const {
  std::vector<std::exception_ptr> matching;
  std::vector<std::exception_ptr> rest;
  for (const std::exception_ptr& each : all_) {
    if (const std::optional<exception_group> inner = group_in(each)) {
      parts within = inner->split_by(matches);
      if (within.matching) matching.push_back(detail::pointer_to(*std::move(within.matching)));
      if (within.rest) rest.push_back(detail::pointer_to(*std::move(within.rest)));
    } else {
      (matches(each) ? matching : rest).push_back(each);
    }
  }
  return {group_of(std::move(matching)), group_of(std::move(rest))};
}

void exception_group::throw_with(std::vector<std::exception_ptr> thrown, std::optional<exception_group> rest) {
  if (rest) thrown.push_back(detail::pointer_to(*std::move(rest)));
  throw exception_group(std::move(thrown));
}

}  // namespace lockstep
