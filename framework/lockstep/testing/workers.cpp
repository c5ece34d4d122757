#include <lockstep/testing/workers.hpp>

#include <lockstep/testing/interruption.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lockstep::detail {

namespace {

constexpr std::size_t answers_max = std::size_t{1} << 20;  // of a run that is known if it dies
constexpr std::uint64_t deaths_max = 4;                    // of one part; then it is not replaced any more
constexpr int tick_ms = 250;
constexpr int ticks_of_grace = 4;  // for workers that are to stop, in which nothing comes from them

// What a worker shows while it searches.
struct search_state {
  std::atomic<std::uint64_t> runs = 0;      // begun, those that were made to compare them among them
  std::atomic<std::uint64_t> answered = 0;  // of the run under way, the answers behind this
  std::atomic<std::uint64_t> limit = std::numeric_limits<std::uint64_t>::max();  // of runs, by the parent
  std::atomic<bool> cut = false;                                                 // it came to that
  std::atomic<bool> stop = false;                                                // by the parent
  std::atomic<std::uint64_t> distinct = 0;
  std::atomic<std::uint64_t> covered = 0;
  std::atomic<const char*> phase = "first runs";  // a literal, so it is at one address in both processes
  std::atomic<double> share = -1;                 // of the phase; negative if that is not known
  std::atomic<bool> asks = false;                 // for more runs, and waits for them
  std::atomic<std::uint64_t> spoken_for = 0;      // of its own share, see explore_options::ask_for_runs
};

// A pipe within this process and those that it forks.
class inherited_pipe {
 public:
  inherited_pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "lockstep: a pipe between worker processes");
    }
  }
  inherited_pipe(const inherited_pipe&) = delete;
  inherited_pipe& operator=(const inherited_pipe&) = delete;
  ~inherited_pipe() {
    for (const int each : ends_) ::close(each);
  }

  int descriptor() const noexcept { return ends_[0]; }
  void write(std::uint64_t number) const noexcept {
    while (::write(ends_[1], &number, sizeof number) < 0 && errno == EINTR) {
    }
  }
  std::uint64_t read() const noexcept {
    std::uint64_t number = 0;
    while (::read(ends_[0], &number, sizeof number) < 0 && errno == EINTR) {
    }
    return number;
  }

 private:
  std::array<int, 2> ends_{};
};

// Shows each answer before the run goes on by it.
class shown_choices final : public oracle {
 public:
  shown_choices(oracle& choices, search_state& state, std::uint64_t* answers) noexcept
      : choices_(choices), state_(state), answers_(answers) {}

  std::size_t pick_task(const candidates& from) override {
    const std::size_t answer = choices_.pick_task(from);
    show(answer);
    return answer;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    const std::uint64_t answer = choices_.pick_value(point, options);
    show(answer);
    return answer;
  }
  step_observer* observer() noexcept override { return choices_.observer(); }

 private:
  void show(std::uint64_t answer) noexcept {
    if (made_ < answers_max) answers_[made_] = answer;
    state_.answered.store(++made_, std::memory_order_relaxed);
  }

  oracle& choices_;
  search_state& state_;
  std::uint64_t* answers_;
  std::uint64_t made_ = 0;
};

class shown_program final : public program {
 public:
  shown_program(program& code, search_state& state, std::uint64_t* answers) noexcept
      : code_(code), state_(state), answers_(answers) {}

  run_result run(oracle& choices, ordering order) override {
    if (state_.runs.load(std::memory_order_relaxed) >= state_.limit.load(std::memory_order_relaxed)) {
      state_.cut = true;
      ::_exit(0);
    }
    state_.answered.store(0, std::memory_order_relaxed);
    state_.runs.fetch_add(1, std::memory_order_relaxed);
    shown_choices shown(choices, state_, answers_);
    return code_.run(shown, order);
  }
  std::uint64_t trace_hash() const override { return code_.trace_hash(); }

 private:
  program& code_;
  search_state& state_;
  std::uint64_t* answers_;
};

// -- what a worker sends ----------------------------------------------------------------------------------------------

void add(message& to, const std::vector<std::uint64_t>& numbers) {
  to.add(std::uint64_t{numbers.size()});
  for (const std::uint64_t each : numbers) to.add(each);
}

std::vector<std::uint64_t> read_numbers(message& from) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t left = from.number(); left > 0 && from.more(); --left) numbers.push_back(from.number());
  return numbers;
}

std::string sent_form(const exploration& found) {
  message said;
  said.add(std::uint64_t{found.failure.has_value()});
  if (found.failure) {
    said.add(found.failure->result.signature).add(found.failure->found_by).add(found.failure->runs);
    add(said, found.failure->answers);
  }
  said.add(found.runs)
      .add(found.skipped)
      .add(std::uint64_t{found.exhaustive})
      .add(found.classes)
      .add(found.interleavings);
  said.add(std::uint64_t{found.interleavings_counted}).add(std::uint64_t{found.over_declared_data});
  said.add(std::uint64_t{found.parts})
      .add(found.values_tried)
      .add(found.values_asked)
      .add(std::uint64_t{found.starving_left_out})
      .add(std::uint64_t{found.classes_repeated})
      .add(found.samples)
      .add(found.estimated.value_or(-1))
      .add(found.distinct);
  said.add(std::uint64_t{found.bound.has_value()})
      .add(found.bound.value_or(0))
      .add(std::uint64_t{found.stopped})
      .add(std::uint64_t{found.departed});
  said.add(std::uint64_t{found.departing.has_value()});
  if (found.departing) add(said, *found.departing);
  add(said, found.seen.words());
  return said.bytes();
}

exploration read_exploration(const std::string& bytes) {
  message said(bytes);
  exploration found;
  if (said.number() != 0) {
    failing_run& failure = found.failure.emplace();
    failure.result = {true, said.text()};
    failure.found_by = said.text();
    failure.runs = said.number();
    failure.answers = read_numbers(said);
  }
  found.runs = said.number();
  found.skipped = said.number();
  found.exhaustive = said.number() != 0;
  found.classes = said.number();
  found.interleavings = said.real();
  found.interleavings_counted = said.number() != 0;
  found.over_declared_data = said.number() != 0;
  found.parts = static_cast<std::uint32_t>(said.number());
  found.values_tried = said.number();
  found.values_asked = said.number();
  found.starving_left_out = said.number() != 0;
  found.classes_repeated = said.number() != 0;
  found.samples = said.number();
  if (const double estimated = said.real(); estimated >= 0) found.estimated = estimated;
  found.distinct = said.number();
  const bool has_bound = said.number() != 0;
  const std::uint64_t bound = said.number();
  if (has_bound) found.bound = bound;
  found.stopped = said.number() != 0;
  found.departed = said.number() != 0;
  if (said.number() != 0) found.departing = read_numbers(said);
  found.seen = trace_set(read_numbers(said));
  return found;
}

// Whether its parts can be made by different processes. What has up to n deviations is learned from what has fewer.
bool has_parts(const explore_options& how) {
  return how.by != search_by::deviations && how.by != search_by::preemptions;
}

// -- the search -------------------------------------------------------------------------------------------------------

class search {
 public:
  search(program& code, const explore_options& how, const workers_options& options)
      : code_(code), how_(how), options_(options), parts_(has_parts(how) ? std::max(options.jobs, 1u) : 1) {}

  search_result run() {
    for (std::uint32_t part = 0; part < parts_; ++part) start(part, 0, 0);
    while (!workers_.empty()) {
      const bool quiet = !wait();
      grant_runs();
      if (interruption::noted()) {
        stop(quiet);
      } else if (options_.on_progress) {
        options_.on_progress(progress());
      }
    }
    result_.together = joined(explored_);
    result_.together.failure.reset();
    result_.interrupted = interruption::noted();
    result_.together.stopped |= result_.interrupted;
    std::stable_sort(result_.failures.begin(), result_.failures.end(),
                     [](const auto& one, const auto& other) { return one.run.runs < other.run.runs; });
    return std::move(result_);
  }

 private:
  struct worker {
    worker(std::uint32_t its_part, std::uint64_t made_before, std::uint64_t died_before)
        : part(its_part), before(made_before), deaths(died_before) {}
    std::uint32_t part;
    std::uint64_t before;  // runs of its part that others made, which died
    std::uint64_t deaths;
    shared_object<search_state> state{answers_max * sizeof(std::uint64_t)};
    inherited_pipe grants{};
    std::unique_ptr<worker_process> process{};

    std::uint64_t* answers() const noexcept { return reinterpret_cast<std::uint64_t*>(state.behind()); }
  };

  // The number in the whole search of a run of that part.
  std::uint64_t number_of(std::uint32_t part, std::uint64_t run) const noexcept {
    return run == 0 ? 0 : (run - 1) * parts_ + part + 1;
  }

  void start(std::uint32_t part, std::uint64_t before, std::uint64_t deaths) {
    auto made = std::make_unique<worker>(part, before, deaths);
    explore_options how = how_;
    how.part = part;
    how.parts = parts_;
    if (before != 0) {
      how.runs_max -= before * parts_;
      how.samples_skipped = before;
      if (how.by != search_by::portfolio && how.by != search_by::coverage) how.by = search_by::random;
    }
    search_state& state = *made->state;
    how.on_progress = [&state](const exploration_progress& now) {
      state.distinct = now.distinct;
      state.covered = now.covered;
      state.phase = now.phase.data();
      state.share = now.share.value_or(-1);
    };
    how.out_of_time = [&state, asked = how_.out_of_time] { return state.stop || (asked && asked()); };
    how.ask_for_runs = [this, &state, &grants = made->grants](std::uint64_t spoken_for) {
      state.spoken_for = spoken_for;
      state.asks = true;
      asked_.write(1);
      return grants.read();
    };
    made->process = std::make_unique<worker_process>([&](const sender& send) {
      shown_program shown(code_, state, made->answers());
      send(sent_form(explorer(shown).explore(how)));
      if (options_.at_end) options_.at_end();
    });
    workers_.push_back(std::move(made));
    limit();
  }

  // Until something has come, or for one tick. Returns whether something has.
  bool wait() {
    std::vector<pollfd> from;
    for (const auto& each : workers_) from.push_back({each->process->descriptor(), POLLIN, 0});
    from.push_back({asked_.descriptor(), POLLIN, 0});
    if (::poll(from.data(), from.size(), tick_ms) <= 0) return false;
    if (from.back().revents != 0) asked_.read();
    std::vector<worker*> ended;
    for (std::size_t i = 0; i + 1 < from.size(); ++i) {
      if (from[i].revents != 0 && !workers_[i]->process->take()) ended.push_back(workers_[i].get());
    }
    for (worker* const each : ended) {
      const auto at = std::find_if(workers_.begin(), workers_.end(), [&](const auto& w) { return w.get() == each; });
      if (at == workers_.end()) continue;
      const std::unique_ptr<worker> gone = std::move(*at);
      workers_.erase(at);
      learn_from(*gone);
    }
    return true;
  }

  // Parts of the tree differ in size. What is left of the budget when nobody is at work any more goes to those that ask
  // for it, in equal shares; so it depends on the parts alone who gets what.
  void grant_runs() {
    if (workers_.empty()) return;
    std::uint64_t spoken_for = 0;
    for (const exploration& each : explored_) spoken_for += each.runs;
    for (const auto& each : workers_) {
      if (!each->state->asks) return;
      spoken_for += each->state->spoken_for;
    }
    std::uint64_t left = how_.runs_max - std::min(how_.runs_max, spoken_for);
    std::uint64_t asking = workers_.size();
    for (const auto& each : workers_) {
      const std::uint64_t granted = left / asking--;
      left -= granted;
      each->state->asks = false;
      each->grants.write(granted);
    }
  }

  void learn_from(worker& gone) {
    const worker_end end = gone.process->wait();
    gone_runs_ += gone.state->runs;
    gone_distinct_ += gone.state->distinct;
    exploration found;
    if (gone.state->cut) {
      found.runs = gone.state->runs;
    } else if (end.died) {
      found.runs = gone.state->runs;
      learn_of_death(gone, end);
    } else {
      found = read_exploration(gone.process->sent());
    }
    if (found.failure) {
      failing_run failure = std::move(*found.failure);
      found.failure.reset();
      failure.runs = number_of(gone.part, gone.before + gone.state->runs);
      keep({std::move(failure)});
      limit();
    }
    if ((found.exhaustive && found.parts == 1) || found.departed) drop_all();
    explored_.push_back(std::move(found));
  }

  void learn_of_death(worker& gone, const worker_end& end) {
    const std::uint64_t runs = gone.before + gone.state->runs;
    const std::uint64_t answered = gone.state->answered;
    failing_run died;
    died.result = {true, end.signature};
    died.answers.assign(gone.answers(), gone.answers() + std::min<std::uint64_t>(answered, answers_max));
    died.found_by = gone.state->phase.load();
    died.runs = number_of(gone.part, std::max<std::uint64_t>(runs, 1));
    keep({std::move(died), end});
    limit();
    if (end.stuck && options_.on_stuck) options_.on_stuck();
    const bool goes_on = gone.deaths + 1 < deaths_max && runs != 0 && runs * parts_ < how_.runs_max;
    if (goes_on && !interruption::noted()) start(gone.part, runs, gone.deaths + 1);
  }

  // The first of each signature.
  void keep(found_failure failure) {
    for (found_failure& known : result_.failures) {
      if (known.run.result.signature != failure.run.result.signature) continue;
      if (failure.run.runs < known.run.runs) known = std::move(failure);
      return;
    }
    result_.failures.push_back(std::move(failure));
  }

  // A failure ends the search: nobody has to go on behind its run. A death does not.
  void limit() {
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (const found_failure& each : result_.failures) {
      if (!each.death) first = std::min(first, each.run.runs);
    }
    if (first == std::numeric_limits<std::uint64_t>::max()) return;
    for (const auto& each : workers_) {
      const std::uint64_t of_part = (first + parts_ - 1 - each->part) / parts_;  // its runs with lower numbers, or that
      each->state->limit = of_part - std::min(of_part, each->before);
    }
    std::erase_if(result_.failures, [&](const found_failure& each) { return each.run.runs > first; });
  }

  // Workers that send what they know come in many pieces: only ticks in which nothing comes are counted.
  void stop(bool quiet) {
    for (const auto& each : workers_) each->state->stop = true;
    if (quiet && ++ticks_since_stop_ > ticks_of_grace) drop_all();
  }
  void drop_all() {
    for (const auto& each : workers_) {
      exploration& left = explored_.emplace_back();
      left.runs = each->state->runs;
      left.stopped = true;
      gone_runs_ += left.runs;
    }
    workers_.clear();
  }

  exploration_progress progress() const {
    exploration_progress all;
    all.runs = gone_runs_;
    all.distinct = gone_distinct_;
    for (const auto& each : workers_) {
      all.runs += each->state->runs;
      all.distinct += each->state->distinct;
      all.covered = std::max<std::size_t>(all.covered, each->state->covered);
      if (all.phase.empty() || each->state->share >= 0) all.phase = each->state->phase.load();
      if (const double share = each->state->share; share >= 0) all.share = share;
    }
    return all;
  }

  program& code_;
  const explore_options& how_;
  const workers_options& options_;
  std::uint32_t parts_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<exploration> explored_;
  std::uint64_t gone_runs_ = 0;
  std::uint64_t gone_distinct_ = 0;
  inherited_pipe asked_;  // wakes this process
  int ticks_since_stop_ = 0;
  search_result result_;
};

}  // namespace

search_result search_in_workers(program& code, const explore_options& how, const workers_options& options) {
  return search(code, how, options).run();
}

std::uint32_t usable_cores() noexcept {
#ifdef __linux__
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) == 0) {
    return static_cast<std::uint32_t>(std::max(CPU_COUNT(&usable), 1));
  }
#endif
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<std::uint32_t>(online) : 1;
}

work_result make_in_worker(const std::function<void(const sender&)>& work, const std::function<void()>& on_tick) {
  worker_process worker(work);
  for (bool more = true; more;) {
    pollfd from{worker.descriptor(), POLLIN, 0};
    if (::poll(&from, 1, tick_ms) > 0) more = worker.take();
    if (on_tick) on_tick();
  }
  worker_end end = worker.wait();
  return {worker.sent(), std::move(end)};
}

}  // namespace lockstep::detail
