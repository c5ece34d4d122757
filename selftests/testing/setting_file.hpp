// A workload of sweeps: a setting in a file, which is to be old or new, whole.
#pragma once

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/system/current.hpp>
#include <lockstep/testing/crash_sweep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep {

inline void write_all(const char* path, std::string_view text, bool synced) {
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
  EXPECT_EQ(system.write(fd, text.data(), text.size()), static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(synced ? system.fsync(fd) : 0, 0);
  system.close(fd);
}

inline void sync_root() {
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, "/", O_RDONLY, 0);
  EXPECT_EQ(system.fsync(fd), 0);
  system.close(fd);
}

inline std::string read_all(const char* path) {
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return "none";
  std::array<char, 100> text{};
  const std::int64_t size = system.read(fd, text.data(), text.size());
  system.close(fd);
  return std::string(text.data(), static_cast<std::size_t>(std::max<std::int64_t>(size, 0)));
}

inline void prepare_setting(sim::world& of) {
  system_calls& system = of.network().first_host();
  const int fd = system.openat(AT_FDCWD, "/setting", O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);
  system.write(fd, "old", 3);
  system.close(fd);
}

inline const crash_sweep_options with_setting{.prepare = prepare_setting};

inline task<void> is_old_or_new() {
  EXPECT_THAT(read_all("/setting"), testing::AnyOf("old", "new"));
  co_return;
}

inline task<void> overwrites() {
  write_all("/setting", "new", true);
  co_return;
}

}  // namespace lockstep
