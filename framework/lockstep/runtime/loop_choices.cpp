// The loop's choices: who runs next, which value, which of several timers; and what an observer of them is told.
#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

// -- tasks ------------------------------------------------------------------------------------------------------------

class loop::ready_view final : public candidates {
 public:
  explicit ready_view(loop& of) noexcept : candidates(of.ready_.size()), of_(of) {}
  // For the next choice.
  using candidates::set_size;
  candidate operator[](std::size_t i) const noexcept override {
    const agent& who = *of_.ready_[i];
    return as_candidate(who, who.operation_);
  }
  task_step step(std::size_t i) const noexcept override {
    const agent& who = *of_.ready_[i];
    return {who.identity_, who.steps_ + 1};
  }
  std::size_t highest(step_priorities& by) const noexcept override {
    const ring<agent*>& ready = of_.ready_;
    return highest_of(size(), by, [&ready](std::size_t i) {
      const agent& who = *ready[i];
      return task_step{who.identity_, who.steps_ + 1};
    });
  }
  // One that was overtaken before is ready to retry as well, but has lost its turn.
  bool first_is_running() const noexcept override {
    if (size() == 0) return false;
    const agent* const first = of_.ready_[0];
    return (first->attention_ & attention_retry) != 0 && first == of_.context::running;
  }
  std::string path(std::size_t i) const override { return of_.ready_[i]->path(); }
  void observe(step_observer& by) const noexcept override {
    of_.context::observer = &by;
    of_.request(attention_observe);
  }

  static candidate as_candidate(const agent& who, const operation* op) noexcept {
    const identity object = op != nullptr && op->what_ != nullptr ? op->what_->id() : 0;
    const identity parent = who.parent_ != nullptr ? who.parent_->identity_ : 0;
    return {who.identity_, who.steps_ + 1, trace::kind_of(who.step_label()), object, parent};
  }

 private:
  loop& of_;
};

// A task that goes on at an await, as nobody else is ready.
class loop::lone_view final : public candidates {
 public:
  lone_view(const agent& who, const operation& op) noexcept : candidates(1), who_(who), op_(op) {}
  candidate operator[](std::size_t) const noexcept override {
    candidate only = ready_view::as_candidate(who_, &op_);
    only.operation = op_.kind();
    return only;
  }
  bool first_is_running() const noexcept override { return true; }
  std::string path(std::size_t) const override { return who_.path(); }

 private:
  const agent& who_;
  const operation& op_;
};

// Returns whether the step is to be made.
bool loop::observe(const candidates& ready, std::size_t picked) {
  const sparing_allocations of_the_observer;
  if (!context::observer->step_begins(ready, picked)) {
    given_up_ = true;
    stop();
  }
  return !given_up_;
}

bool loop::observe_alone(agent& who, operation& op) { return observe(lone_view(who, op), 0); }

void loop::observe_end() {
  const sparing_allocations of_the_observer;
  context::observer->run_ends(ready_view(*this));
}

void loop::refuse_pick(std::size_t picked) {
  misused(fmt::format("the oracle picked task {} of {}", picked, ready_.size()));
}

inline agent& loop::pick_observed(ready_view& view) {
  if (ready_.size() != 1) return pick_among<true>(view);
  view.set_size(1);
  observe(view, 0);
  return *ready_.pop_front();
}

agent& loop::pick_next() {
  ready_view view(*this);
  if (oracle_ != nullptr && ready_.size() != 1 && order_ != ordering::fifo) return pick_among<true>(view);
  if (context::observer != nullptr) [[unlikely]]
    observe(view, 0);
  return *ready_.pop_front();
}

// Requires that the oracle may be asked.
template <bool Observed>
inline agent& loop::pick_among(ready_view& view) {
  const std::size_t count = ready_.size();
  view.set_size(count);
  const bool observed = Observed && context::observer != nullptr;
  const std::size_t picked = oracle_->pick_task(view);
  if (picked >= count) [[unlikely]]
    refuse_pick(picked);
  if (observed) observe(view, picked);
  if (switching_) [[unlikely]]
    return take_overtaking(view, picked);
  return *ready_.take(picked);
}

// The same where the first may be the running task: who is overtaken queues behind the others.
agent& loop::take_overtaking(const ready_view& view, std::size_t picked) {
  const bool overtaken = picked != 0 && view.first_is_running();
  switching_ = false;
  agent& who = *ready_.take(picked);
  if (overtaken) ready_.push_back(ready_.pop_front());
  return who;
}

// Steps for as long as any task may be next, and nothing else has to be seen to.
void loop::go_on_switching() {
  ready_view view(*this);
  if (context::observer != nullptr) return go_on_observed(view);
  while (attention_.load(std::memory_order_relaxed) == attention_switch) {
    const std::size_t count = ready_.size();
    agent* who;
    if (count > 1) [[likely]] {
      who = &pick_among<false>(view);
    } else if (count == 1) {
      who = ready_.pop_front();
    } else {
      return;
    }
    ++who->steps_;
    context::running = who;
    if (who->attention_ != 0) [[unlikely]] {
      if (!prepare(*who)) continue;
    }
    resume(*who);
  }
}

// The same, each step of which the observer is told of.
void loop::go_on_observed(ready_view& view) {
  while (attention_.load(std::memory_order_relaxed) == attention_switch && !ready_.empty()) {
    agent& who = pick_observed(view);
    if (given_up_) return;
    ++who.steps_;
    step_observed(who);
  }
}

// -- values -----------------------------------------------------------------------------------------------------------

namespace {

template <class Pick>
void fire_in_any_order(timer_wheel& of, timer_list& due, const Pick& pick) {
  while (!due.empty()) {
    auto at = due.begin();
    for (std::uint64_t picked = pick(due.size()); picked > 0; --picked) ++at;
    of.fire(*at);
  }
}

// The first that is of another cause, if there is one, and how many are before it.
std::pair<timer*, std::uint64_t> first_other(timer_list& due, timer::cause than) noexcept {
  std::uint64_t before = 0;
  for (timer& each : due) {
    if (each.of() != than) return {&each, before};
    ++before;
  }
  return {nullptr, before};
}

// What has one cause keeps its order: all that is picked is how many of them the next of the other overtakes.
template <class Pick>
void fire_in_any_order_of_causes(timer_wheel& of, timer_list& due, const Pick& pick) {
  while (!due.empty()) {
    const timer::cause first = due.front().of();
    const auto [other, before] = first_other(due, first);
    const std::uint64_t overtaken = other != nullptr ? pick(before + 1) : 0;
    for (std::uint64_t left = before - overtaken; left != 0 && !due.empty() && due.front().of() == first; --left) {
      of.fire(due.front());
    }
    if (overtaken == 0) continue;
    if (timer* const next = first_other(due, first).first; next != nullptr) of.fire(*next);
  }
}

}  // namespace

// Which of the timers due at one instant is first is the world's choice; but where any task may be next, the order of
// those that wake tasks decides nothing. Each instant is a domain of its own, so that a timer more at another one
// shifts no answer.
void loop::fire_in_picked_order(timer_list& due) {
  const time_point instant = due.front().deadline();
  const auto pick = [this, instant](std::uint64_t options) -> std::uint64_t {
    if (options == 1) return 0;
    const std::string name = fmt::format("timers-{}", instant.time_since_epoch().count());
    const identity domain = domain_identity(name);
    const std::uint64_t picked = oracle_->pick_value({domain, ++picks_[domain], name}, options);
    if (picked < options) return picked;
    // Reported but not thrown: the timers that are left must fire.
    report(verdict_kind::misuse, fmt::format("the oracle picked timer {} of {}", picked, options), source());
    return 0;
  };
  if (order_ == ordering::fifo) {
    fire_in_any_order(timers_, due, pick);
  } else {
    fire_in_any_order_of_causes(timers_, due, pick);
  }
}

std::uint64_t loop::pick(identity domain, std::string_view name, std::uint64_t options) {
  if (options <= 1) return 0;
  const std::uint64_t nth = ++picks_[domain];
  detail::touch(domain, access::write);
  std::uint64_t answer = 0;
  if (oracle_ != nullptr) {
    const sparing_allocations of_the_oracle;
    answer = oracle_->pick_value({domain, nth, name}, options);
  } else {
    answer = driver_.pick_value({domain, nth, name}, options);
  }
  if (answer >= options) misused(fmt::format("the oracle picked value {} of {}", answer, options));
  trace_.value_picked(context::running != nullptr ? context::running->number() : 0, domain, answer);
  return answer;
}

std::size_t loop::pick_arm(std::size_t arms) {
  if (oracle_ == nullptr || order_ == ordering::fifo || arms == 1) return 0;
  const std::string name = "select-" + context::running->path();
  const identity domain = domain_identity(name);
  const std::uint64_t picked = oracle_->pick_value({domain, ++picks_[domain], name}, arms);
  if (picked < arms) return picked;
  // Reported but not thrown: the select may be attempted outside of its task's step.
  report(verdict_kind::misuse, fmt::format("the oracle picked arm {} of {}", picked, arms), source());
  return 0;
}

}  // namespace lockstep
