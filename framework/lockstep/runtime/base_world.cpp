#include <lockstep/runtime/base_world.hpp>

#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep {

base_world::base_world(driver& driven_by) : loop_(driven_by, *this) {}

base_world::~base_world() { finish_last(); }

void base_world::finish_last() noexcept {
  if (std::exchange(left_jobs_, false)) scope_.emplace(loop_);
  if (scope_) finish();
}

void base_world::start(loop_limits limits, oracle* choices, ordering order, bool keep_trace, bool paused_clock) {
  if (left_jobs_ || scope_) [[unlikely]]
    finish_last();
  if (!found_.empty() || failure_ != nullptr) [[unlikely]]
    forget_findings();
  summary_ = {};
  main_ended_ = false;
  loop_.start(limits, choices, order, keep_trace);
  loop_.pause_clock(paused_clock);
  scope_.emplace(loop_);
}

void base_world::forget_findings() noexcept {
  verdicts_.clear();
  found_.clear();
  failure_ = nullptr;
  failure_report_.reset();
}

bool base_world::drive(task<void> main) {
  if (!scope_) throw misuse("drive() of a world that was not started");
  if (main_ != nullptr) loop_.misused("drive() for the second time in one run; start() begins another");
  const auto root = main.release();
  agent& who = loop_.adopt(root, source());
  main_ = &who;
  main_begins(who);
  bool ended = false;
  try {
    ended = loop_.run(who);
  } catch (...) {
    main_ended(who);
    throw;
  }
  const bool everybody = main_ended(who);
  if (ended) left_jobs_ = !loop_.wind_up(everybody);
  loop_.forget_exception_handler();  // it may refer to what is gone soon
  main_ended_ = who.finished(detail::unseen);
  if (!main_ended_) [[unlikely]]
    return false;
  who.observe();
  // `cancelled` as well: nobody is left to see it.
  if (const std::exception_ptr& failure = root.promise().failure;
      failure != nullptr || who.was_cancelled(detail::unseen)) {
    main_failed(who, failure);
  }
  if (left_jobs_) leave_jobs();
  if (!loop_.all_have_gone()) report_leaks();
  if (failure_ == nullptr && verdicts_.empty()) loop_.report_kept_back();
  return true;
}

void base_world::main_failed(agent& who, const std::exception_ptr& failure) {
  failure_ = failure != nullptr ? failure : std::make_exception_ptr(cancelled(who.cancel_reason(detail::unseen)));
  describing_failure_ = true;
  loop_.report(verdict_kind::unhandled_exception, text_of(failure_), source(), {&who});
  describing_failure_ = false;
}

void base_world::report_leaks() {
  for (agent* left : loop_.alive()) {
    if (left_jobs_ || loop_.stopped() || loop_.cycle_found()) break;
    loop_.report(verdict_kind::leaked_task,
                 left->daemon() ? fmt::format("daemon \"{}\" did not end{}{}", left->name(detail::unseen),
                                              left->cleans_up() ? "" : " when it was cancelled",
                                              loop_.clock_paused() ? ", and the clock is paused" : "")
                                : fmt::format("task \"{}\" was still running at the end", left->name(detail::unseen)),
                 left->spawned_at(), {left});
  }
}

void base_world::leave_jobs() {
  constexpr std::size_t most = 8;
  const std::vector<agent*> waiters = loop_.waiting_for_jobs();
  std::string names;
  for (std::size_t i = 0; i < std::min(waiters.size(), most); ++i) {
    const std::vector<place> stack = waiters[i]->stack(detail::unseen);
    const source where = stack.empty() ? waiters[i]->spawned_at() : source(stack.front());
    names +=
        fmt::format("{}task \"{}\" at {}", i == 0 ? "" : ", ", waiters[i]->name(detail::unseen), file_and_line(where));
  }
  if (waiters.size() > most) names += fmt::format(" and {} more", waiters.size() - most);
  loop_.report(verdict_kind::leaked_task, "the run ends without blocking jobs that still run: " + names, source(),
               waiters);
  loop_.part_with_jobs();
}

void base_world::tear_down() noexcept { loop_.tear_down(); }

loop_scope base_world::epilogue(bool judged) noexcept {
  const bool ended_well = main_ended_ && failure_ == nullptr && loop_.alive().empty();
  tear_down();
  if (judged && ended_well) loop_.judge_again();
  return loop_scope(loop_, main_);
}

// What it returns is no copy of `summary_`, which would wait until the parts of that have reached the cache.
run_summary base_world::finish() {
  run_summary made;
  made.steps = summary_.steps = loop_.steps();
  made.records = summary_.records = loop_.history().count();
  made.trace_hash = summary_.trace_hash = loop_.history().hash();
  made.virtual_time = summary_.virtual_time = loop_.now().time_since_epoch();
  if (left_jobs_) {
    loop_.part_with_kept(true);
    tell_of_more();
    scope_.reset();
    return made;
  }
  tear_down();
  if (main_ != nullptr) loop_.release(*std::exchange(main_, nullptr));
  if (scope_) loop_.part_with_kept(main_ended_ || loop_.at_standstill());
  loop_.tell_of_end(ended_well() && verdicts_.empty());
  loop_.finish();
  if (!found_.empty()) tell_of_more();
  scope_.reset();
  return made;
}

void base_world::report(verdict found) noexcept {
  if (describing_failure_) {
    failure_report_ = std::move(found);
    return;
  }
  if (++found_[found.kind] <= verdicts_max) tell(std::move(found));
}

void base_world::tell(verdict found) noexcept {
  verdicts_.push_back(std::move(found));
  if (hook_) hook_(verdicts_.back());
}

// Thousands of tasks may be forgotten in one place. The first few show what is wrong.
void base_world::tell_of_more() noexcept {
  for (auto& [kind, count] : found_) {
    if (count <= verdicts_max) continue;
    verdict rest;
    rest.kind = kind;
    rest.message = fmt::format("{} more of this kind were found", count - verdicts_max);
    rest.at = loop_.now();
    rest.at_real_time = loop_.clock_is_real();
    rest.step = loop_.steps();
    tell(std::move(rest));
    count = verdicts_max;
  }
}

void base_world::drive_and_finish(task<void> main) {
  try {
    drive(std::move(main));
  } catch (...) {
    finish();
    throw;
  }
  finish();
  throw_if_unfinished();
}

void base_world::throw_if_unfinished() const {
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (main_ended_) return;
  if (verdicts_.empty()) throw misuse("the run was stopped before its main task had ended");
  throw misuse(fmt::format("{}: {}", name_of(verdicts_.front().kind), verdicts_.front().message));
}

}  // namespace lockstep
