// What each model leaves behind each sequence: every image that it allows is looked at. docs/reference/power_cuts.md
// has the tables; LOCKSTEP_APPROVE=1 writes them.
#include "sequences.hpp"

#include "../against_linux/approval.hpp"
#include "crash_bugs.hpp"
#include "plain_calls.hpp"

#include <fmt/format.h>

#include <map>
#include <ostream>

namespace lockstep::power_cuts {

void PrintTo(const sequence& which, std::ostream* to) { *to << which.calls; }

namespace {

std::set<std::string_view> models_that_break(const sequence& of) {
  std::set<std::string_view> broken;
  in_world([&](system_calls&) {
    of.prepare();
    here().sync();
    of.run();
    for (const sim::crash_model* model : sim::crash_models()) {
      sim::for_all_answers([&](const sim::crash_chooser& choose) {
        const sim::disk_image left = here().files().disk().image_after_power_cut(*model, choose, nullptr);
        if (!of.holds(left)) broken.insert(model->name);
      });
    }
  });
  return broken;
}

class SequenceTest : public testing::TestWithParam<sequence> {};

TEST_P(SequenceTest, LeavesWhatTheModelsAllow) { EXPECT_EQ(models_that_break(GetParam()), GetParam().broken_in); }

std::string name_of_test(const testing::TestParamInfo<sequence>& of) {
  return against_linux::test_name(std::string(of.param.id), std::string(of.param.guarantee)) + std::to_string(of.index);
}
INSTANTIATE_TEST_SUITE_P(OfFileSystems, SequenceTest, testing::ValuesIn(sequences_of_file_systems()), name_of_test);
INSTANTIATE_TEST_SUITE_P(OfModels, SequenceTest, testing::ValuesIn(promises_of_models()), name_of_test);

// What a file system that is in use has broken is a bug of it, and not what it promises.
TEST(SequencesOfFileSystemsTest, AreGuaranteedInAllJournalledModels) {
  for (const sequence& each : sequences_of_file_systems()) {
    for (const char* model : {"data_journal", "ext3_ordered", "ext4_ordered", "btrfs_like", "ext3_writeback"}) {
      EXPECT_EQ(each.broken_in.count(model), 0u) << each.calls << ": " << model;
    }
  }
}

// -- the tables -------------------------------------------------------------------------------------------------------

const std::vector<std::string_view> columns = {"process_crash", "data_journal",   "ext3_ordered", "ext4_ordered",
                                               "btrfs_like",    "ext3_writeback", "strict_sync",  "weakest"};

std::string header(const char* first) {
  std::string text = first;
  std::string line = "\n|---|---|---|";
  for (const std::string_view each : columns) {
    text += fmt::format(" {} |", each);
    line += "---|";
  }
  return text + line + "\n";
}

std::string cells(const std::set<std::string_view>& models, const char* in, const char* not_in) {
  std::string text;
  for (const std::string_view each : columns) text += fmt::format(" {} |", models.count(each) != 0 ? in : not_in);
  return text + "\n";
}

std::string table_of(const std::vector<sequence>& sequences) {
  std::string text = header("| Id | Calls, and then the power is cut | Guarantee |");
  for (const sequence& each : sequences) {
    text += fmt::format("| {} | {} | {} |", each.id, each.calls, each.guarantee) + cells(each.broken_in, "no", "yes");
  }
  return text;
}

std::string table_of_bugs() {
  std::string text = header("| Id | Program | Source |");
  std::multimap<int, std::string> rows;
  for (const crash_bug& each : all_bugs()) {
    const std::string row = fmt::format("| {} | {} | {} |", each.id, each.name, each.source);
    rows.emplace(std::stoi(std::string(each.id.substr(1))), row + cells(each.found_in, "found", "no"));
  }
  for (const auto& [number, row] : rows) text += row;
  return text;
}

TEST(PowerCutTablesTest, AreWhatTheTestsSay) {
  std::vector<std::string_view> names;
  for (const sim::crash_model* each : sim::crash_models()) names.push_back(each->name);
  EXPECT_THAT(columns, testing::UnorderedElementsAreArray(names));
  const std::string text =
      "\n## What the models promise\n\n" + table_of(promises_of_models()) +
      "\n## What file systems have broken\n\nNo model with a journal may. Source: CrashMonkey, newBugs.md.\n\n" +
      table_of(sequences_of_file_systems()) +
      "\n## What power cuts have shown in programs\n\n"
      "In all models a rename is one step here, also in `weakest`. Each program has a twin that survives in all of "
      "them.\n"
      "\n" +
      table_of_bugs();
  against_linux::expect_table(LOCKSTEP_POWER_CUTS_TABLE, "<!-- generated from selftests/power_cuts -->\n", text);
}

}  // namespace
}  // namespace lockstep::power_cuts
