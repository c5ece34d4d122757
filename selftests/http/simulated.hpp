// What the tests of HTTP are made of.
#pragma once

#include "../net/in_both_worlds.hpp"

#include <lockstep/http/message.hpp>

#include <exception>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep::http {

// The kinds and messages of the verdicts on it.
inline std::vector<std::string> messages_on(const base_world& of) {
  std::vector<std::string> all;
  for (const verdict& each : of.verdicts()) all.push_back(std::string(name_of(each.kind)) + ": " + each.message);
  return all;
}

// Those on a simulation of it.
template <class F>
std::vector<std::string> verdicts_on(F body) {
  sim::world world;
  try {
    world.run([&body]() -> task<void> { co_await body(); });
  } catch (const std::exception& error) {
    if (world.verdicts().empty()) return {error.what()};
  }
  return messages_on(world);
}

// Simulates it, and expects none.
template <class F>
void simulate(F body) {
  EXPECT_THAT(verdicts_on(body), testing::ElementsAre());
}

inline void PrintTo(const header_field& shown, std::ostream* out) { *out << shown.name << ": " << shown.value; }

}  // namespace lockstep::http
