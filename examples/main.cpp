// The main() of the examples: GoogleMock's, which takes --real as well.
//
// With --real an example runs on the operating system, by its clock and its timers, where time is 100,000 times as fast
// as the machine's, so that a day takes less than a second; --real=1 is as fast. It says the same as
// --lockstep_clock=real --lockstep_time_scale=100000.
#include <gmock/gmock.h>

#include <string>
#include <vector>

int main(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--real" || argument.starts_with("--real=")) {
      arguments.push_back("--lockstep_clock=real");
      arguments.push_back("--lockstep_time_scale=" + (argument == "--real" ? "100000" : argument.substr(7)));
    } else {
      arguments.push_back(argument);
    }
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(arguments.size());
  testing::InitGoogleMock(&count, pointers.data());
  return RUN_ALL_TESTS();
}
