// What a network adds to the record of a run that is kept whole, for its report: messages that hosts get from each
// other, what is lost of them, and on which host a task is.
#pragma once

#include <lockstep/sim/traffic.hpp>

#include <cstddef>
#include <string>

namespace lockstep {
class loop;
}

namespace lockstep::sim {

class network_notes final : public traffic_listener {
 public:
  explicit network_notes(loop& owner) noexcept : owner_(owner) {}

 private:
  void saw(const traffic& packet) noexcept override;
  void call_ended(const system_call& made) noexcept override;

  loop& owner_;
  std::string last_route_;  // what follows is part of it, if no step was made since
  std::string last_text_;
  std::size_t last_bytes_ = 0;
};

}  // namespace lockstep::sim
