#include <lockstep/run.hpp>

#include <lockstep/base/source.hpp>
#include <lockstep/report/text.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace lockstep {

namespace {

void print(const verdict& found) noexcept {
  const std::string where = found.where.line() != 0 ? file_and_line(found.where) : "lockstep";
  fmt::print(stderr, "{}: {}", where, to_text(found));
}

}  // namespace

runner::runner(run_options options) : options_(std::move(options)) {
  world_.on_verdict(options_.on_verdict ? options_.on_verdict : print);
}

real::world_options runner::begin() {
  if (loop* const outer = current_loop(); outer != nullptr) {
    outer->misused("run() is called within a run: await the task instead");
  }
  real::world_options how;
  how.clock = options_.clock;
  how.seed = options_.seed ? *options_.seed : real::fresh_seed();
  how.await_everybody = true;
  how.take_interrupts = options_.take_interrupts;
  return how;
}

}  // namespace lockstep
