#include "transcript.hpp"

#include <cstring>

namespace lockstep::against_linux {

std::string result_text(std::int64_t result) {
  if (result >= 0) return std::to_string(result);
  const char* const name = ::strerrorname_np(static_cast<int>(-result));
  return name != nullptr ? name : "error " + std::to_string(-result);
}

std::string bytes_text(const std::string& bytes) {
  constexpr std::size_t shown_max = 40;
  if (bytes.size() > shown_max) return std::to_string(bytes.size()) + " bytes";
  std::string text = "\"";
  for (const char each : bytes) text += each == '\0' ? "\\0" : std::string(1, each);
  return text + "\"";
}

void transcript_writer::says(const std::string& call, const std::string& result) {
  transcript_ += call + " -> " + result + "\n";
}

std::int64_t transcript_writer::says(const std::string& call, std::int64_t result) {
  says(call, result_text(result));
  return result;
}

std::int64_t transcript_writer::says_ok(const std::string& call, std::int64_t result) {
  says(call, result < 0 ? result_text(result) : "ok");
  return result;
}

void transcript_writer::ends(const std::string& why) { throw row_ended(why); }

}  // namespace lockstep::against_linux
