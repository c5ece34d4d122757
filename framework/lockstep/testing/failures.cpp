#include <lockstep/testing/failures.hpp>

#include <lockstep/report/text.hpp>
#include <lockstep/runtime/annotation.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace lockstep::detail {

namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

// "5 ms (virtual), step 7"; of a real clock without that word.
std::string now_in(const loop& run) {
  return fmt::format("{}{}, step {}", to_text(run.now().time_since_epoch()), run.clock_is_real() ? "" : " (virtual)",
                     run.steps());
}

// Where in the simulation the failure happened; empty for a plain failure of the main task itself.
std::string context_of_failure() {
  const loop* owner = current_loop();
  if (owner == nullptr) return {};
  if (owner->asked() != nullptr) {
    return "\nwhen all was quiet at " + now_in(*owner);
  }
  if (owner->running() == nullptr) return {};
  const agent& who = *owner->running();
  std::string text;
  const std::vector<place> stack = who.stack(detail::unseen);
  if (who.parent() != nullptr || stack.size() > 1) {
    text += fmt::format("\nin task \"{}\" at {}", who.name(detail::unseen), now_in(*owner));
    // The innermost line is the failure's own.
    for (std::size_t i = 1; i < stack.size(); ++i) {
      if (stack[i].line() != 0) text += "\n  called from " + file_and_line(stack[i]);
    }
    if (who.spawned_at().line() != 0) text += "\n  spawned at " + file_and_line(who.spawned_at());
  }
  for (const scoped_annotation* at = scoped_annotation::innermost(); at != nullptr; at = at->outer()) {
    text += fmt::format("\n  trace {}: {}", file_and_line(at->where()), at->text());
  }
  return text;
}

}  // namespace

failure_interceptor::failure_interceptor()
    : testing::ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, &unused_) {}

void failure_interceptor::ReportTestPartResult(const testing::TestPartResult& result) {
  const sparing_allocations of_reports;
  failure_part part{result.type(), result.file_name() != nullptr ? result.file_name() : "", result.line_number(),
                    result.message()};
  if (result.failed()) {
    if (loop* owner = current_loop(); owner != nullptr) {
      if (owner->asked() != nullptr) owner->asked()->spend();
      if (owner->takes_notes() && !part.file.empty()) {
        owner->note("failed at", fmt::format("{}:{}", base_name(part.file), part.line));
      }
    }
    part.message += std::this_thread::get_id() == thread_ ? context_of_failure() : "\non another thread";
  }
  const std::lock_guard lock(mutex_);
  if (listener_ && result.failed()) listener_(part);
  parts_.push_back(std::move(part));
}

void failure_interceptor::tell(std::function<void(const failure_part&)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void failure_interceptor::add(failure_part part) {
  const std::lock_guard lock(mutex_);
  parts_.push_back(std::move(part));
}

std::vector<failure_part> failure_interceptor::parts() const {
  const std::lock_guard lock(mutex_);
  return parts_;
}

bool failure_interceptor::failed() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(parts_.begin(), parts_.end(), std::mem_fn(&failure_part::failed));
}

bool failure_interceptor::failed_fatally() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(parts_.begin(), parts_.end(), std::mem_fn(&failure_part::failed_fatally));
}

bool failure_interceptor::skipped() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(parts_.begin(), parts_.end(), std::mem_fn(&failure_part::skipped));
}

void publish(const failure_part& part) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  testing::internal::AssertHelper(part.type, part.file.empty() ? test.file() : part.file.c_str(),
                                  part.file.empty() ? test.line() : part.line, in_utf8(part.message).c_str()) =
      testing::Message();
}

}  // namespace lockstep::detail
