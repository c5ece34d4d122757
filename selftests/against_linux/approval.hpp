// Transcripts that stand in the sources of the rows, and the tables of them in the docs: LOCKSTEP_APPROVE=1 writes
// them.
#pragma once

#include <string>

namespace lockstep::against_linux {

bool is_approving();
// "C1" and "a closed port" make C1AClosedPort.
std::string test_name(const std::string& id, const std::string& name);
// Puts the transcript where the row's stands in its source, and says whether it found the place.
bool approve(const std::string& source_path, const std::string& id, const std::string& name,
             const std::string& transcript);
// The lines of a transcript in one cell of a table.
std::string cell_of(const std::string& transcript);
// That the table behind the line `begin` of the file is this one, a failure of the running test if not.
void expect_table(const std::string& path, const std::string& begin, const std::string& table);

}  // namespace lockstep::against_linux
