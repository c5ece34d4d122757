#include <lockstep/run.hpp>

#include <lockstep/base/source.hpp>
#include <lockstep/report/text.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <mutex>

namespace lockstep {

namespace {

void print(const verdict& found) noexcept {
  const std::string where = found.where.line() != 0 ? file_and_line(found.where) : "lockstep";
  fmt::print(stderr, "{}: {}", where, to_text(found));
}

}  // namespace

runner::runner(run_options options) : options_(std::move(options)) { make_world(); }

void runner::make_world() {
  world_.reset(new real::world);
  world_->on_verdict(options_.on_verdict ? options_.on_verdict : print);
}

// In a list, so that what looks for leaks finds it.
void runner::parting::operator()(real::world* last) const noexcept {
  struct left_behind {
    std::mutex mutex;
    std::vector<real::world*> worlds;
  };
  if (!last->left_jobs()) {
    delete last;
    return;
  }
  static left_behind& all = *new left_behind;
  const std::lock_guard lock(all.mutex);
  all.worlds.push_back(last);
}

real::world_options runner::begin() {
  if (loop* const outer = current_loop(); outer != nullptr) {
    outer->misused("run() is called within a run: await the task instead");
  }
  if (world_->left_jobs()) make_world();
  real::world_options how;
  how.clock = options_.clock;
  how.seed = options_.seed ? *options_.seed : real::fresh_seed();
  how.await_everybody = true;
  how.take_interrupts = options_.take_interrupts;
  how.jobs_limit = options_.jobs_limit;
  return how;
}

}  // namespace lockstep
