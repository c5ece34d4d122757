// Hosts that do not reach each other, while the scope lives.
//
//   {
//     const partition cut("client", "db");
//     co_await client.put("k", "v");  // times out
//   }                                 // healed: what was under way arrives
//
// TCP's bytes in flight are frozen and set out again when all is healed; datagrams are lost. Partitions nest.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/sim/link.hpp>

#include <initializer_list>
#include <string_view>
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
  // Before the end of the scope; then that does nothing, as it does when the run has ended.
  void heal() noexcept { lanes_.heal(); }

 private:
  partition() = default;

  sim::lane_cuts lanes_;
};

}  // namespace lockstep
