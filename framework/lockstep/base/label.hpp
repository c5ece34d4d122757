// A name of a task, an object or a choice: text that outlives whatever carries it.
//
// A string literal costs nothing; a std::string is copied once. A default label is empty.
// What is passed on is no literal any more, since it could be any array of characters, and does not compile:
// std::make_unique<mutex>("door") and emplace_back("door") want label("door").
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

class label {
 public:
  label() noexcept = default;
  template <std::size_t N>
  consteval label(const char (&literal)[N]) noexcept : literal_(literal) {}
  label(std::string text) : owned_(std::make_shared<const std::string>(std::move(text))) {}

  bool empty() const noexcept { return view().empty(); }
  std::string_view view() const noexcept {
    if (owned_) return *owned_;
    return literal_ != nullptr ? std::string_view(literal_) : std::string_view();
  }

 private:
  const char* literal_ = nullptr;
  std::shared_ptr<const std::string> owned_;
};

}  // namespace lockstep
