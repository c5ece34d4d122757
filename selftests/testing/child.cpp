#include "child.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace lockstep {

namespace {

std::string lines_of_tests(const std::string& text) {
  const std::size_t begin = text.find("[ RUN ");
  if (begin == std::string::npos) return text;
  std::istringstream lines(text.substr(begin, text.find("[----------] Global", begin) - begin));
  std::string kept;
  bool of_the_frame = false;
  for (std::string line; std::getline(lines, line);) {
    const bool begins_frame = line.starts_with("[----------]");
    if (!begins_frame && !(of_the_frame && line.empty())) kept += line + '\n';
    of_the_frame = begins_frame;
  }
  return kept;
}

// While it lives, a process that is started hears of Ctrl-C, which a job in the background of a script does not.
class hears_interrupts {
 public:
  hears_interrupts() {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    ::sigaction(SIGINT, &usual, &before_);
  }
  hears_interrupts(const hears_interrupts&) = delete;
  hears_interrupts& operator=(const hears_interrupts&) = delete;
  ~hears_interrupts() { ::sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

}  // namespace

child_run run_command(const std::string& command) {
  const std::string folder = std::filesystem::path(testing::internal::GetArgvs().front()).parent_path().string();
  const std::string whole = "cd '" + (folder.empty() ? "." : folder) +
                            "' && ulimit -c 0 && export GTEST_COLOR=no "
                            "GTEST_PRINT_TIME=0 && { " +
                            command + "\n} 2>&1";
  child_run result;
  FILE* const pipe = [&whole] {
    const hears_interrupts meanwhile;
    return ::popen(whole.c_str(), "r");
  }();
  std::array<char, 4096> block;
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe)) result.text.append(block.data(), got);
  const int status = ::pclose(pipe);
  if (WIFSIGNALED(status)) {
    result.end = "signal " + std::to_string(WTERMSIG(status)) + '\n';
  } else if (WEXITSTATUS(status) != 0) {
    result.end = "exit status " + std::to_string(WEXITSTATUS(status)) + '\n';
  }
  return result;
}

child_run run_subject(const std::string& flags, const std::string& environment) {
  return run_command("exec env LOCKSTEP_SLOW_STEP=1h LOCKSTEP_FAILURES=none " + environment + " ./testing_subject " +
                     flags);
}

std::string report_of(const child_run& run) { return lines_of_tests(run.text) + run.end; }

std::string line_that_repeats(const std::string& report) {
  const std::string head = "repeat: LOCKSTEP_REPLAY='ls1:";
  const std::size_t at = report.find(head) + std::string("repeat: ").size();
  return report.substr(at, report.find('\n', at) - at);
}

int count_of(const std::string& word, const std::string& text) {
  int found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

void expect_approved(const std::string& name, const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(LOCKSTEP_APPROVED) / (name + ".txt");
  if (std::getenv("LOCKSTEP_APPROVE") != nullptr) std::ofstream(path) << text;
  std::stringstream approved;
  approved << std::ifstream(path).rdbuf();
  EXPECT_EQ(approved.str(), text) << "as approved in " << path.filename();
}

void expect_approved_report(const std::string& name) {
  expect_approved(name, report_of(run_subject("--gtest_filter=" + name)));
}

}  // namespace lockstep
