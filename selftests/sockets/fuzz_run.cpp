#include "fuzz_run.hpp"

#include "own_network.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <utility>

namespace lockstep::sockets {
namespace {

// Milliseconds for what Linux takes its time for, on a machine that has others to serve.
constexpr int patience = 2'000;
constexpr int patience_of_shrinking = 60;

struct differing {
  operation_kind kind;
  bool in_result;
  bool operator==(const differing&) const = default;
};

std::optional<differing> difference_in(const fuzz_run& run) {
  if (run.is != verdict::differs) return std::nullopt;
  const fuzz_step& last = run.steps.back();
  return differing{last.kind, last.said[0] != last.said[1]};
}

std::string transcript_of(const fuzz_run& run, std::size_t arm) {
  std::string text;
  for (const fuzz_step& each : run.steps) {
    const std::string call = each.code.substr(0, each.code.find('\n'));
    text +=
        fmt::format("  {} -> {}{}{}\n", call, each.said[arm], each.ready[arm].empty() ? "" : "  | ", each.ready[arm]);
  }
  return text;
}

}  // namespace

// All on one processor, as the barrier wants it.
fuzzer::fuzzer(std::function<void(machine&)> prepare) : prepare_(std::move(prepare)) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof here, &here);
}

fuzzer::~fuzzer() = default;

fuzz_run fuzzer::run(const sequence& what, int patience_of_run) {
  renew_own_network();  // ports that a connection was closed on are not free for a minute
  loopback_barrier barrier;
  ++counts_.sequences;
  const std::unique_ptr<machine> on_simulated = new_simulated_machine();
  const std::unique_ptr<machine> on_real = new_linux_machine();
  if (prepare_) prepare_(*on_simulated);
  fuzz_pair pair(*on_simulated, *on_real, barrier, patience_of_run);
  fuzz_run made;
  for (std::size_t i = 0; i < what.size() && made.is == verdict::same; ++i) {
    fuzz_step step = pair.run(what[i]);
    if (step.code.empty()) continue;
    made.is = step.is;
    made.last = i;
    made.steps.push_back(std::move(step));
  }
  return made;
}

void fuzzer::count(const fuzz_run& run) {
  counts_.steps += run.steps.size();
  for (const fuzz_step& each : run.steps) {
    if (each.succeeded) ++counts_.succeeded[static_cast<std::size_t>(each.kind)];
  }
  if (run.is == verdict::ended) ++counts_.ended[run.steps.back().why_ended];
}

std::optional<std::string> fuzzer::check(std::uint64_t seed) {
  sequence what = sequence_of(seed);
  const fuzz_run made = run(what, patience);
  count(made);
  if (made.is != verdict::differs) return std::nullopt;
  what.resize(made.last + 1);
  return report(shrink(what), made, seed);
}

// -- shrinking --------------------------------------------------------------------------------------------------------

sequence fuzzer::shrink(sequence what) {
  const std::optional<differing> wanted = difference_in(run(what, patience_of_shrinking));
  const auto still_differs = [&](const sequence& tried) {
    return difference_in(run(tried, patience_of_shrinking)) == wanted;
  };
  if (!wanted) return what;  // Linux was late
  return against_linux::shrink(std::move(what), still_differs);
}

std::string fuzzer::report(const sequence& shrunk, const fuzz_run& first, std::uint64_t seed) {
  const fuzz_run again = run(shrunk, patience_of_shrinking);
  const bool is_sure = again.is == verdict::differs;
  const fuzz_run& made = is_sure ? again : first;
  const fuzz_step& last = made.steps.back();
  std::string text = fmt::format("seed {}: {}\n  Linux:    {} | {}\n  lockstep: {} | {}\n", seed, last.code,
                                 last.said[fuzz_pair::real], last.ready[fuzz_pair::real],
                                 last.said[fuzz_pair::simulated], last.ready[fuzz_pair::simulated]);
  if (!is_sure) text += "but not in a second run\n";
  text += "the body of a row:\n";
  for (const fuzz_step& each : made.steps) {
    std::string code = each.code;
    for (std::size_t at = 0; (at = code.find('\n', at)) != std::string::npos; at += 3) code.replace(at, 1, "\n  ");
    text += "  " + code + "\n";
  }
  text += "on Linux:\n" + transcript_of(made, fuzz_pair::real);
  text += "on lockstep:\n" + transcript_of(made, fuzz_pair::simulated);
  text += fmt::format("again: LOCKSTEP_SOCKET_FUZZ=1,{} socket_fuzz_tests --gtest_filter='*InEveryCall'\n", seed);
  return text;
}

}  // namespace lockstep::sockets
