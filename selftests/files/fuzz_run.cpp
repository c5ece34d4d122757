#include "fuzz_run.hpp"

#include "rows.hpp"

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace lockstep::files {
namespace {

struct differing {
  operation_kind kind;
  bool in_result;
  bool operator==(const differing&) const = default;
};

std::optional<differing> difference_in(const fuzz_run& run) {
  if (!run.differs) return std::nullopt;
  const fuzz_step& last = run.steps.back();
  return differing{last.kind, last.said[0] != last.said[1]};
}

std::string text_of_step(const fuzz_step& step, std::size_t arm) {
  const std::string& files = step.open_files[arm];
  return step.said[arm] + (files.empty() ? "" : "  | ") + files;
}

// The first lines that do.
std::pair<std::string, std::string> first_that_differ(const std::string& one, const std::string& other) {
  std::istringstream ones(one), others(other);
  std::string line, another;
  do {
    line = another = "nothing";
    std::getline(ones, line);
    std::getline(others, another);
  } while (line == another && ones && others);
  return {line, another};
}

std::string transcript_of_run(const fuzz_run& run, std::size_t arm) {
  std::string text;
  for (const fuzz_step& each : run.steps) text += fmt::format("  {} -> {}\n", each.code, text_of_step(each, arm));
  return text;
}

}  // namespace

fuzz_run fuzzer::run(const sequence& what, user as) {
  const std::unique_ptr<machine> on_other = new_simulated_machine();
  const std::unique_ptr<machine> on_real = new_linux_machine();
  fuzz_pair pair(*on_other, *on_real, as);
  if (prepare_) prepare_(*on_other);
  fuzz_run made;
  for (const operation& each : what) {
    if (made.differs) break;
    ++made.made;
    fuzz_step step = pair.run(each);
    if (step.code.empty()) continue;
    made.differs = step.differs();
    made.steps.push_back(std::move(step));
  }
  if (made.differs) return made;
  if (linux_has(needs::root)) {  // who may read what a sequence has closed
    for (machine* const each : {on_other.get(), on_real.get()}) each->become(user::root);
  }
  made.steps.push_back(pair.compare_trees());
  made.differs = made.steps.back().differs();
  return made;
}

std::optional<finding> fuzzer::check(std::uint64_t seed) {
  sequence what = sequence_of(seed);
  const user as = linux_has(needs::root) && seed % 2 == 0 ? user::root : user::somebody;
  const fuzz_run made = run(what, as);
  ++counts_.sequences;
  counts_.steps += made.steps.size();
  for (const fuzz_step& each : made.steps) {
    if (each.succeeded) ++counts_.succeeded[static_cast<std::size_t>(each.kind)];
  }
  const std::optional<differing> wanted = difference_in(made);
  if (!wanted) return std::nullopt;
  what.resize(made.made);
  const auto still_differs = [&](const sequence& tried) { return difference_in(run(tried, as)) == wanted; };
  if (still_differs(what)) what = against_linux::shrink(std::move(what), still_differs);
  return report(what, as, seed);
}

finding fuzzer::report(const sequence& shrunk, user as, std::uint64_t seed) {
  const fuzz_run made = run(shrunk, as);
  const fuzz_step& last = made.steps.back();
  const auto [of_other, of_real] =
      first_that_differ(text_of_step(last, fuzz_pair::other), text_of_step(last, fuzz_pair::real));
  finding found;
  found.difference = fmt::format("  Linux: {}\n  lockstep: {}\n", of_real, of_other);
  std::string& text = found.report;
  text =
      fmt::format("seed {}, as {}: {}\n{}", seed, as == user::root ? "root" : "somebody", last.code, found.difference);
  if (!made.differs) text += "but not in a second run\n";
  text += "the body of a row:\n";
  for (const fuzz_step& each : made.steps) text += "  " + each.code + "\n";
  text += "on Linux:\n" + transcript_of_run(made, fuzz_pair::real);
  text += fmt::format("on lockstep:\n{}", transcript_of_run(made, fuzz_pair::other));
  text += fmt::format("again: LOCKSTEP_FILE_FUZZ=1,{} file_fuzz_tests --gtest_filter='*InEveryCall'\n", seed);
  return found;
}

}  // namespace lockstep::files
