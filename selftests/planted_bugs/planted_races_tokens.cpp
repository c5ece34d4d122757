// What the search finds in each planted race, shrunk, is kept in races/tokens.txt: the token, the failure, the hash of
// the run's trace. Whatever compiler and process makes the same search comes to the same; and a kept token makes the
// very same failure wherever it is replayed. LOCKSTEP_APPROVE=1 writes the file anew.
#include "races/races.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/world_program.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <variant>

namespace lockstep::planted {
namespace {

// Lines move when something else is edited.
std::string without_places(const std::string& signature) {
  static const std::regex place(R"re(( thrown)? at [^ ,:]+:[0-9]+)re");
  return std::regex_replace(signature, place, "");
}

// One run as the token says.
struct replayed {
  std::string failure;  // nothing if it passes
  std::uint64_t trace_hash = 0;
  fingerprint print;
  std::optional<std::string> departure;
};
replayed replay(const planted_race& of, const token& by) {
  world_program code(of.buggy);
  guided_oracle choices(by);
  const run_result result = code.run(choices, by.order);
  const std::uint64_t hash = code.trace_hash();
  return {without_places(result.signature), hash, choices.print(hash), choices.departure(hash)};
}

std::string entry_of(const planted_race& of, const token& found, const replayed& run) {
  return fmt::format("{}\n  {}\n  {:016x}\n  {}\n", of.name, to_text(found), run.trace_hash, run.failure);
}

// Nothing is said if the search finds none.
std::string search_in(const planted_race& of) {
  world_program code(of.buggy);
  const explore_options how;
  const exploration explored = explorer(code).explore(how);
  if (!explored.failure) return fmt::format("{}\n  nothing found\n", of.name);
  const std::string signature = explored.failure->result.signature;
  const token failing = token_of_answers(code, test_hash(of.name), how.order, explored.failure->answers);
  token found = shrink(code, failing, signature).replay;
  const replayed run = replay(of, found);
  found.print = run.print;
  return entry_of(of, found, run);
}

std::string kept_entries() {
  std::stringstream text;
  text << std::ifstream(LOCKSTEP_KEPT_TOKENS).rdbuf();
  return text.str();
}

TEST(PlantedRacesTokens, AreWhatTheSearchComesToEverywhere) {
  std::string found;
  for (const planted_race& each : planted_races()) found += search_in(each);
  if (std::getenv("LOCKSTEP_APPROVE") != nullptr) std::ofstream(LOCKSTEP_KEPT_TOKENS) << found;
  EXPECT_EQ(kept_entries(), found);
}

TEST(PlantedRacesTokens, MakeTheVeryFailureInAnotherProcess) {
  std::map<std::string, std::string> tokens;
  std::stringstream kept(kept_entries());
  for (std::string name, text, hash, failure; std::getline(kept, name) && std::getline(kept, text) &&
                                              std::getline(kept, hash) && std::getline(kept, failure);) {
    tokens[name] = text.substr(2);
    const auto found = std::find_if(planted_races().begin(), planted_races().end(),
                                    [&name](const planted_race& each) { return each.name == name; });
    ASSERT_NE(found, planted_races().end()) << name;
    const std::variant<token, std::string> parsed = parse_token(tokens[name]);
    ASSERT_TRUE(std::holds_alternative<token>(parsed)) << name << ": " << std::get<std::string>(parsed);
    const token& by = std::get<token>(parsed);
    const replayed run = replay(*found, by);
    EXPECT_EQ(entry_of(*found, by, run), fmt::format("{}\n{}\n{}\n{}\n", name, text, hash, failure));
    EXPECT_EQ(run.departure, std::nullopt) << name;
  }
  EXPECT_EQ(tokens.size(), planted_races().size());
}

}  // namespace
}  // namespace lockstep::planted
