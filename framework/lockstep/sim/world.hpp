// A world: a loop on virtual time in which a task runs deterministically, and the verdicts on that run.
//
// Each run() is a new run, from time 0. The world may be used again and again; its memory is recycled.
//
//   const auto choices = lockstep::make_oracle(lockstep::schedule::random, given.seed);
//   lockstep::sim::world world;
//   lockstep::sim::world_options how;
//   how.choices = choices.get();
//   const crawl_result found = world.run(crawl(source, start, given.options), how);
//
// Threads: a world stays on the thread that runs it. Worlds nest: a task may run another world, to its end.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/runtime/base_world.hpp>
#include <lockstep/sim/netstat.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::sim {

using lockstep::run_summary;

class host;
class link;
class network;

struct world_options {
  std::uint64_t steps_max = loop_limits().steps_max;              // steps of all tasks together; more is a livelock
  duration time_max = loop_limits().time_max.time_since_epoch();  // virtual time; more is a verdict
  ordering order = ordering::any_order;
  bool paused_clock = false;  // the clock moves only for advance()
  oracle* choices = nullptr;  // null: the plain run. Must outlive the run.
  bool keep_trace = false;    // keep every record, not only the last ones
};

class world final : public driver, public base_world {
 public:
  world();
  ~world() override;

  // Begins a run, ending one that is under way.
  void start(const world_options& options = {});

  // start(), drive(), finish(): runs `main` and returns its result, or throws what left it.
  // Verdicts are in verdicts() afterwards; a run whose main task could not end throws the first of them as misuse. A
  // run that ended returns its result whatever was found.
  template <class T>
  T run(task<T> main, const world_options& options = {}) {
    start(options);
    return run_started(std::move(main));
  }
  // The same for `make()`, called inside the run, for a task whose arguments or objects belong to it.
  template <task_function F>
  std::invoke_result_t<F>::value_type run(F make, const world_options& options = {}) {
    start(options);
    return run_started(task_of(std::move(make)));
  }

  // Of the run under way, from its first use on.
  sim::network& network();
  // Adds a host to it; and what lies between two: see network.hpp.
  sim::host& host(std::string name, std::vector<ip_address> addresses = {}, source where = source::current());
  sim::host& host(std::string name, const ip_address& address, source where = source::current());
  // The files of a host, by plain calls: see plain_files.hpp. Misuse if there is no host of that name. Without a name,
  // those of the host that the test itself runs on.
  sim::plain_files fs(std::string_view host, source where = source::current());
  sim::plain_files fs(source where = source::current());
  // The sockets of all its hosts now.
  lockstep::netstat netstat() { return lockstep::netstat(network()); }
  sim::link& link(std::string_view one, std::string_view other, source where = source::current());

 private:
  bool idle(lockstep::loop& of) override;
  std::unique_ptr<executor> make_workers(unsigned count, std::string_view name) override;
  bool time_is_virtual() const noexcept override { return true; }
  system_calls* system() override;

  std::unique_ptr<sim::network> network_;
};

}  // namespace lockstep::sim

namespace lockstep {

// The simulation of the run under way on this thread. Misuse in a real world, and without a run.
sim::world& world(source where = source::current());

}  // namespace lockstep
