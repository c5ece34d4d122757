// The events of inotify, from the records that a read brings.
#pragma once

#include <lockstep/system/calls.hpp>

#include <sys/inotify.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

struct watch_event {
  int watch;
  std::uint32_t mask;
  std::uint32_t cookie;
  std::string name;  // empty if it has none
};

inline std::vector<watch_event> events_in(std::string_view records) {
  std::vector<watch_event> events;
  while (!records.empty()) {
    inotify_event head{};
    std::memcpy(&head, records.data(), sizeof head);
    const char* const name = head.len == 0 ? "" : records.data() + sizeof head;
    events.push_back({head.wd, head.mask, head.cookie, name});
    records.remove_prefix(sizeof head + head.len);
  }
  return events;
}

// Those that a read of so many bytes brings; none if it fails.
inline std::vector<watch_event> read_events(system_calls& system, int fd, std::size_t bytes = 4096) {
  std::vector<char> records(bytes);
  const std::int64_t got = system.read(fd, records.data(), records.size());
  return events_in({records.data(), got < 0 ? 0 : static_cast<std::size_t>(got)});
}

}  // namespace lockstep
