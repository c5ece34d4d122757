// For tests about whole reports and whole processes: runs the program `testing_subject` and compares what it prints
// with texts that people have approved.
#pragma once

#include <string>

namespace lockstep {

// What one run of it printed on both streams, and how it ended: "exit status 1", "signal 6"; nothing for success.
struct child_run {
  std::string text;
  std::string end;
};

// Runs it in its own folder with `flags` and with `environment`, words as for a shell: "LOCKSTEP_RUNS=3 X=1".
// A slow machine is no failure: no step is called slow unless the words say so.
child_run run_subject(const std::string& flags, const std::string& environment = "");
// Runs a whole command line in that folder.
child_run run_command(const std::string& command);

// What it says of the tests themselves, without the frame of GoogleTest's summary, and how it ended.
std::string report_of(const child_run& run);

// The first line in it that makes a run again, to be pasted.
std::string line_that_repeats(const std::string& report);

// How often `word` stands in `text`.
int count_of(const std::string& word, const std::string& text);

// Expects that `text` is what approved/NAME.txt holds; LOCKSTEP_APPROVE=1 writes that file.
void expect_approved(const std::string& name, const std::string& text);
// The same for the report of the one subject test `name`.
void expect_approved_report(const std::string& name);

}  // namespace lockstep
