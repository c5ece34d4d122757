// The disks of all hosts of a world, of which a sweep cuts the power at once.
#pragma once

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/disk_image.hpp>
#include <lockstep/sim/file_system.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/world.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::detail {

class swept_disks {
 public:
  swept_disks() = default;
  // As they are now, the one at / of the first host first; each host is given one.
  explicit swept_disks(sim::world& of);

  std::size_t count() const noexcept { return all_.size(); }
  sim::file_system& at(std::size_t number) const noexcept { return *all_[number].disk; }
  // Behind what is told of it: " on /log of host \"db\"", " on /log" of the first host, "" of that one's first disk.
  const std::string& place(std::size_t number) const noexcept { return all_[number].place; }
  // The part of that which is of the host.
  std::string_view host_of(std::size_t number) const noexcept { return all_[number].of_host; }
  // Whether it has those of `other`, in the same places.
  bool has_places_of(const swept_disks& other) const noexcept;
  // What is on it from now on. Nobody may have a file of it open.
  void restore(std::size_t number, const sim::disk_image& image) const;
  // Why these are not all on which there may be files by now, as a sentence that says what to do; empty if they are.
  std::string lacks() const;

 private:
  struct one {
    sim::host* on;
    sim::file_system* disk;
    std::string of_host;
    std::string place;
  };

  sim::network* of_ = nullptr;
  std::size_t hosts_ = 0;
  std::vector<one> all_;
};

}  // namespace lockstep::detail
