// What the conformance tests write down: calls and their results, one a line, "client recv -> ECONNRESET".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace lockstep::against_linux {

// A row that cannot go on; the transcript says where.
class row_ended : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The number, or the error's name: "5", "ECONNRESET".
std::string result_text(std::int64_t result);
// Quoted, but of more than 40 only how many.
std::string bytes_text(const std::string& bytes);

class transcript_writer {
 public:
  // A call that has no helper.
  std::int64_t says(const std::string& call, std::int64_t result);
  // The same if only success matters, not the number.
  std::int64_t says_ok(const std::string& call, std::int64_t result);
  void says(const std::string& call, const std::string& result);
  [[noreturn]] void ends(const std::string& why);
  const std::string& transcript() const noexcept { return transcript_; }

 protected:
  transcript_writer() = default;
  ~transcript_writer() = default;

 private:
  std::string transcript_;
};

// Runs the body, and writes into the transcript what ended it.
template <class Machine>
std::string transcript_of(void (*body)(Machine&), std::type_identity_t<Machine>& on) {
  try {
    body(on);
  } catch (const row_ended& why) {
    return on.transcript() + "ended: " + why.what() + "\n";
  }
  return on.transcript();
}

}  // namespace lockstep::against_linux
