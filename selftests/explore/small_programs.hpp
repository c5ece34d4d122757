// Random small programs over everything that tasks may do to each other: what searches are tried on.
#pragma once

#include "../runtime/foreign_coroutines.hpp"

#include <lockstep/runtime/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::small {

// One thing that a task does, with two numbers that say to which object, and which value.
struct step {
  std::size_t kind;
  int a;
  int b;
};

struct world_of_steps;

struct step_kind {
  std::string_view name;
  // `seen` is what the task has seen so far, and what is returned is that and what it has seen now.
  task<int> (*make)(world_of_steps& of, step what, int me, int seen);
};

// What each task does.
struct program {
  std::vector<std::vector<step>> tasks;
  std::vector<step_kind> kinds;  // that these are of

  bool declared = true;  // whether the variables are such that a search sees
  // Coroutines of others that the last run has started: they may wait for ours until it is over.
  mutable std::vector<foreign::owned> abroad{};

  std::string text() const;
  // Whether a value decides what else a step touches, as where a task waits for several things at once.
  bool branches_on_values() const;
};

// Of kinds of one or two groups, such as what can be done to a queue; at most `length_max` steps a task.
program program_of(std::uint64_t seed, int tasks_max, int length_max);

// Runs it, and writes down what its variables and tasks have come to.
task<void> run(const program& what, std::string& outcome);

}  // namespace lockstep::small
