#include <lockstep/testing/isolated_program.hpp>

#include <lockstep/base/hash.hpp>

#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::detail {

namespace {

enum class entry : std::uint64_t {
  task_picked,
  value_picked,
  step_began,
  touched,
  only_attempted,
  all_quiet,
  run_ended
};

// The tasks that could run next, as they were written down.
class kept_candidates final : public candidates {
 public:
  candidate operator[](std::size_t i) const noexcept override { return all_[i]; }
  bool first_is_running() const noexcept override { return first_is_running_; }
  std::string path(std::size_t i) const override { return paths_[i]; }
  void observe(step_observer& by) const noexcept override { observer_ = &by; }

  void add(const candidate& each, std::string path) {
    all_.push_back(each);
    paths_.push_back(std::move(path));
    set_size(all_.size());
  }

  std::vector<candidate> all_;
  std::vector<std::string> paths_;
  bool first_is_running_ = false;
  mutable step_observer* observer_ = nullptr;  // from the next step on
};

// What an oracle is asked where somebody else observes the run: its own observer is told by that.
class watched_candidates final : public candidates {
 public:
  watched_candidates(const candidates& of, step_observer*& observer) noexcept
      : candidates(of.size()), of_(of), observer_(observer) {}

  candidate operator[](std::size_t i) const noexcept override { return of_[i]; }
  task_step step(std::size_t i) const noexcept override { return of_.step(i); }
  std::size_t highest(step_priorities& by) const noexcept override { return of_.highest(by); }
  bool first_is_running() const noexcept override { return of_.first_is_running(); }
  std::string path(std::size_t i) const override { return of_.path(i); }
  void observe(step_observer& by) const noexcept override { observer_ = &by; }

 private:
  const candidates& of_;
  step_observer*& observer_;
};

constexpr std::size_t stuck_log_bytes_max = std::size_t{1} << 20;  // of a run that is known when it comes again
constexpr std::size_t stuck_max = 16;                              // of those

}  // namespace

// Writes down what the oracle is asked, and what an observer is told: if it has none, for one that comes later.
class isolated_program::recorder final : public oracle, private step_observer {
 public:
  recorder(oracle& choices, ordering order, log& into, std::byte* memory, const std::vector<stuck_run>& stuck) noexcept
      : choices_(choices), order_(order), into_(into), memory_(memory), stuck_(stuck), told_(choices.observer()) {
    end_if_stuck();
  }

  std::size_t pick_task(const candidates& from) override {
    const std::size_t answer = choices_.pick_task(watched_candidates(from, told_next_));
    message said = begin(entry::task_picked);
    add(said, from);
    keep(said.add(std::uint64_t{answer}));
    return answered(from.size(), answer), answer;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    const std::uint64_t answer = choices_.pick_value(point, options);
    message said = begin(entry::value_picked);
    said.add(point.domain).add(point.nth).add(point.name).add(options).add(answer);
    keep(said);
    return answered(roll(point.domain, options), answer), answer;
  }
  step_observer* observer() noexcept override { return this; }

 private:
  void answered(std::uint64_t question, std::uint64_t answer) noexcept {
    into_.hash = roll(roll(into_.hash, question), answer);
    into_.questions += 1;
    end_if_stuck();
  }
  // Where a run that was stuck has answered the same, and nothing else: it is not different from here on.
  void end_if_stuck() noexcept {
    for (const stuck_run& each : stuck_) {
      if (each.order != order_ || each.questions != into_.questions || each.hash != into_.hash) continue;
      into_.known_stuck = static_cast<std::size_t>(&each - stuck_.data()) + 1;
      ::_exit(0);
    }
  }
  static message begin(entry kind) {
    message said;
    said.add(static_cast<std::uint64_t>(kind));
    return said;
  }
  static void add(message& to, const candidates& from) {
    to.add(std::uint64_t{from.size()}).add(std::uint64_t{from.first_is_running()});
    for (std::size_t i = 0; i < from.size(); ++i) {
      const candidate each = from[i];
      to.add(each.task).add(std::uint64_t{each.step}).add(static_cast<std::uint64_t>(each.operation));
      to.add(each.object).add(each.parent).add(from.path(i));
    }
  }
  // The process may die at any moment after this.
  void keep(const message& said) {
    const std::uint64_t used = into_.used;
    if (into_.full || used + said.bytes().size() > log_bytes) {
      into_.full = true;
      return;
    }
    std::memcpy(memory_ + used, said.bytes().data(), said.bytes().size());
    into_.used = used + said.bytes().size();
  }

  bool step_begins(const candidates& ready, std::size_t picked) override {
    const bool goes_on = told_ == nullptr || told_->step_begins(ready, picked);
    if (told_next_ != nullptr) told_ = std::exchange(told_next_, nullptr);
    message said = begin(entry::step_began);
    add(said, ready);
    return keep(said.add(std::uint64_t{picked})), goes_on;
  }
  void touches(identity object, access how) override {
    if (told_ != nullptr) told_->touches(object, how);
    keep(begin(entry::touched).add(object).add(static_cast<std::uint64_t>(how)));
  }
  void only_attempted() override {
    if (told_ != nullptr) told_->only_attempted();
    keep(begin(entry::only_attempted));
  }
  void all_quiet() override {
    if (told_ != nullptr) told_->all_quiet();
    keep(begin(entry::all_quiet));
  }
  void run_ends(const candidates& left) override {
    if (told_ != nullptr) told_->run_ends(left);
    message said = begin(entry::run_ended);
    add(said, left);
    keep(said);
  }

  oracle& choices_;
  ordering order_;
  log& into_;
  std::byte* memory_;
  const std::vector<stuck_run>& stuck_;
  step_observer* told_;
  step_observer* told_next_ = nullptr;  // behind the step that begins next
};

// Asks and tells an oracle what is written.
class isolated_program::replayed {
 public:
  explicit replayed(std::string log) : written_(std::move(log)) {}

  void ask(oracle& choices) {
    step_observer* told = choices.observer();
    step_observer* told_next = nullptr;
    bool ended = false;
    while (written_.more()) {
      switch (static_cast<entry>(written_.number())) {
        case entry::task_picked: {
          const kept_candidates from = read_candidates();
          choices.pick_task(from);
          told_next = from.observer_;
          written_.number();
          break;
        }
        case entry::value_picked: {
          const identity domain = written_.number();
          const std::uint64_t nth = written_.number();
          const std::string name = written_.text();
          choices.pick_value({domain, nth, name}, written_.number());
          written_.number();
          break;
        }
        case entry::step_began: {
          const kept_candidates ready = read_candidates();
          const std::uint64_t picked = written_.number();
          if (told != nullptr) told->step_begins(ready, picked);
          if (told_next != nullptr) told = std::exchange(told_next, nullptr);
          break;
        }
        case entry::touched: {
          const identity object = written_.number();
          const auto how = static_cast<access>(written_.number());
          if (told != nullptr) told->touches(object, how);
          break;
        }
        case entry::only_attempted:
          if (told != nullptr) told->only_attempted();
          break;
        case entry::all_quiet:
          if (told != nullptr) told->all_quiet();
          break;
        case entry::run_ended: {
          const kept_candidates left = read_candidates();
          if (told != nullptr) told->run_ends(left);
          ended = true;
          break;
        }
      }
    }
    if (!ended && told != nullptr) told->run_ends(kept_candidates());  // it died
  }

 private:
  kept_candidates read_candidates() {
    kept_candidates read;
    const std::uint64_t size = written_.number();
    read.first_is_running_ = written_.number() != 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      candidate each{};
      each.task = written_.number();
      each.step = static_cast<std::uint32_t>(written_.number());
      each.operation = static_cast<operation_kind>(written_.number());
      each.object = written_.number();
      each.parent = written_.number();
      read.add(each, written_.text());
    }
    return read;
  }

  message written_;
};

run_result isolated_program::run(oracle& choices, ordering order) {
  log_->used = 0;
  log_->full = false;
  log_->questions = 0;
  log_->hash = 0;
  log_->known_stuck = 0;
  worker_process worker([&](const sender& send) {
    recorder kept(choices, order, *log_, log_.behind(), stuck_);
    const run_result result = code_.run(kept, order);
    message said;
    said.add(std::uint64_t{result.failed}).add(result.signature).add(std::uint64_t{result.skipped});
    said.add(code_.trace_hash());
    send(said.bytes());
    if (after_run_) after_run_();
  });
  worker_end end = worker.wait();
  if (const std::size_t nth = log_->known_stuck; nth != 0) {
    const stuck_run& before = stuck_[nth - 1];
    replayed(before.log).ask(choices);
    last_death_ = before.end;
    trace_hash_ = 0;
    return {true, last_death_.signature};
  }
  if (end.stuck) ++stuck_runs_;
  if (log_->full) return {};
  std::string written(reinterpret_cast<const char*>(log_.behind()), log_->used);
  if (end.stuck && written.size() <= stuck_log_bytes_max && stuck_.size() < stuck_max) {
    stuck_.push_back({order, log_->questions, log_->hash, written, end});
  }
  replayed(std::move(written)).ask(choices);
  if (end.died) {
    last_death_ = std::move(end);
    trace_hash_ = 0;
    return {true, last_death_.signature};
  }
  message said(worker.sent());
  const bool failed = said.number() != 0;
  run_result result{failed, said.text()};
  result.skipped = said.number() != 0;
  trace_hash_ = said.number();
  return result;
}

}  // namespace lockstep::detail
