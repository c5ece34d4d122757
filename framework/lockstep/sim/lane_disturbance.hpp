// What a test does to lanes: it cuts them until it heals them, or clogs them for a time. Whoever does so counts the
// packets that it meets with. That there were none when it is over is a verdict, as the test has not tested what it
// says, but for may_not_fire(). It says nothing where the run has ended by something else.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/base/source.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::sim {

class host;
class network;

// Belongs to the network until it or that dies.
class lane_disturbance : public list_hook<lane_disturbance> {
 public:
  // `text` is for reports: "partition client | web".
  lane_disturbance(network& of, std::string text, source where);
  lane_disturbance(const lane_disturbance&) = delete;
  lane_disturbance& operator=(const lane_disturbance&) = delete;
  ~lane_disturbance() { end(); }

  void cut(lane& one);
  void cut(link& both_ways);
  // All lanes to and from a host, those to hosts that are made later too.
  void cut_around(host& who);
  void clog_around(host& who, time_point until);

  // How many packets it has stopped, or made late.
  std::uint64_t fired() const noexcept;
  // That there was none is no verdict.
  lane_disturbance& may_not_fire() noexcept {
    may_not_fire_ = true;
    return *this;
  }

  // Heals what it has cut, and is judged. What is called later does nothing.
  void end() noexcept;

  // -- for its network --------------------------------------------------------------------------------------------

  // There is a new link between these.
  void link_made(link& made, const host& one, const host& other);
  void judge(bool run_has_ended) noexcept;
  // The network ends.
  void part() noexcept;

 private:
  struct met {
    lane* with;
    std::uint64_t before;  // so many packets were met there already
  };

  std::uint64_t met_on(const lane& one) const noexcept;
  std::uint64_t count() const noexcept;
  // One that is over meets with nothing any more, whatever the next does to its lanes.
  void settle() noexcept;

  network* of_;  // null when it is over
  std::string text_;
  source where_;
  const host* around_ = nullptr;
  std::optional<time_point> clogged_until_;  // if it clogs
  std::optional<std::uint64_t> over_;        // and is over, with so many
  bool may_not_fire_ = false;                // or it was judged
  std::vector<met> lanes_;
};

}  // namespace lockstep::sim
