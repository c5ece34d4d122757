#include <lockstep/testing/swept_disks.hpp>

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::detail {

swept_disks::swept_disks(sim::world& of) : of_(&of.network()), hosts_(of_->hosts().size()) {
  for (const auto& host : of_->hosts()) {
    const std::string of_host = host.get() == &of_->first_host() ? "" : fmt::format(" of host \"{}\"", host->name());
    for (sim::file_system* const disk : host->files().disks()) {
      const std::string_view path = host->files().path_of(*disk);
      all_.push_back({host.get(), disk, of_host, (path == "/" ? "" : fmt::format(" on {}", path)) + of_host});
    }
  }
}

bool swept_disks::has_places_of(const swept_disks& other) const noexcept {
  return std::equal(all_.begin(), all_.end(), other.all_.begin(), other.all_.end(),
                    [](const one& a, const one& b) { return a.place == b.place; });
}

void swept_disks::restore(std::size_t number, const sim::disk_image& image) const {
  all_[number].on->files().restore(*all_[number].disk, image);
}

std::string swept_disks::lacks() const {
  std::size_t disks = 0;
  for (std::size_t i = 0; i < of_->hosts().size(); ++i) {
    sim::host& host = *of_->hosts()[i];
    if (i < hosts_) {
      disks += host.files().disks().size();
    } else if (host.has_files()) {
      return fmt::format(
          "the workload has made host \"{}\", and files on it: make the host in `prepare`, so that the world of the "
          "check has it too",
          host.name());
    }
  }
  if (disks == all_.size()) return {};
  return "the workload has mounted a disk: mount it in `prepare`, so that the world of the check has it too";
}

}  // namespace lockstep::detail
