// A name for which a system is asked, as by getaddrinfo(), without waiting: the system says when it knows the answer.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/net/endpoint.hpp>

#include <string>
#include <utility>
#include <vector>

namespace lockstep {

// What getaddrinfo() gives, or fails with.
struct found_addresses {
  int error = 0;         // EAI_NONAME and so on
  int system_error = 0;  // what EAI_SYSTEM stands for
  std::vector<ip_address> addresses;
};

// In a list of the system's until it is answered. Whoever destroys it before wants no answer any more.
class name_query : public list_hook<name_query> {
 public:
  // AF_INET, AF_INET6, or AF_UNSPEC for both.
  name_query(std::string name, int family) : name_(std::move(name)), family_(family) { mark_unlinked(); }

  const std::string& name() const noexcept { return name_; }
  int family() const noexcept { return family_; }
  // The system knows: once, perhaps before the call that asked returns.
  void answer(found_addresses found) {
    found_ = std::move(found);
    was_answered();
  }
  const found_addresses& found() const noexcept { return found_; }

 protected:
  ~name_query() {
    if (linked()) unlink();
  }
  virtual void was_answered() = 0;

 private:
  std::string name_;
  int family_;
  found_addresses found_;
};

}  // namespace lockstep
