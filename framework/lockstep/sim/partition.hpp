// Hosts that do not reach each other, while the scope lives.
//
//   {
//     const partition cut("client", "db");
//     co_await client.put("k", "v");  // times out
//   }                                 // healed: what was under way arrives
//
// TCP's bytes in flight are frozen and set out again when all is healed; datagrams are lost. Partitions nest.
// One that has stopped no packet when it is over is a verdict, as of any fault that never fired, but for
// may_not_fire().
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/sim/lane_disturbance.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

class [[nodiscard("the hosts are apart while it lives")]] partition {
 public:
  // Both ways. Misuse if there is no such host, or both are the same.
  partition(std::string_view one, std::string_view other, source where = source::current());
  // Between each of these and each of those.
  partition(std::initializer_list<std::string_view> these, std::initializer_list<std::string_view> those,
            source where = source::current())
      : partition(std::vector(these), std::vector(those), where) {}
  partition(const std::vector<std::string_view>& these, const std::vector<std::string_view>& those,
            source where = source::current());
  // Nothing comes from the one to the other; the way back is open.
  static partition one_way(std::string_view from, std::string_view to, source where = source::current());
  partition(partition && other) noexcept = default;
  partition& operator=(partition&&) = delete;
  ~partition();
  // That it stops nothing is no verdict.
  partition& may_not_fire()& noexcept;
  partition may_not_fire()&& noexcept { return std::move(may_not_fire()); }
  // Before the end of the scope; then that does nothing, as it does when the run has ended.
  void heal() noexcept;
  // How many packets it has stopped, of those that were under way when it began and of those that were sent since.
  std::uint64_t fired() const noexcept;

 private:
  explicit partition(std::unique_ptr<sim::lane_disturbance> made) noexcept;

  std::unique_ptr<sim::lane_disturbance> made_;
};

}  // namespace lockstep
