// What files cost at the least: a copy from or to a page of a table, and a look-up in a hash map for each part of a
// path. No coroutine, no system call, no record.

#include "file_work.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bench {
namespace {

using page = std::array<std::byte, page_size>;

std::vector<std::unique_ptr<page>> filled_table() {
  std::vector<std::unique_ptr<page>> table(file_pages);
  for (auto& each : table) each = std::make_unique<page>();
  return table;
}

measurement reading(std::uint64_t operations) {
  const std::vector<std::unique_ptr<page>> table = filled_table();
  page buffer{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    std::memcpy(buffer.data(), table[page_of(i)]->data(), page_size);
    keep(buffer.data());
  }
  return watch.read(operations);
}

measurement writing(std::uint64_t operations) {
  const std::vector<std::unique_ptr<page>> table = filled_table();
  page buffer{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    buffer[0] = static_cast<std::byte>(i);
    std::memcpy(table[page_of(i)]->data(), buffer.data(), page_size);
    keep(table[page_of(i)]->data());
  }
  return watch.read(operations);
}

// Directories by name, one in another.
struct node {
  std::unordered_map<std::string, std::unique_ptr<node>> names;
  std::unique_ptr<std::array<std::byte, 64>> line;
};

class tree {
 public:
  node& make(std::string_view path) {
    node* at = &root_;
    for_each_part(path, [&](std::string_view part) {
      std::unique_ptr<node>& next = at->names[std::string(part)];
      if (next == nullptr) next = std::make_unique<node>();
      at = next.get();
    });
    return *at;
  }

  const node* find(std::string_view path) const {
    const node* at = &root_;
    std::string key;
    for_each_part(path, [&](std::string_view part) {
      key.assign(part);
      const auto found = at->names.find(key);
      require(found != at->names.end(), "a name is missing");
      at = found->second.get();
    });
    return at;
  }

 private:
  node root_;
};

template <int Paths>
measurement looking_up(std::uint64_t operations) {
  tree names;
  names.make(deep_path);
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    for (int path = 0; path < Paths; ++path) keep(names.find(deep_path));
  }
  return watch.read(operations);
}

template <std::uint64_t Files>
measurement making_files(std::uint64_t operations) {
  measurement result;
  for (std::uint64_t round = 0; round * Files < operations; ++round) {
    tree names;
    const stopwatch watch;
    for (std::uint64_t i = 0; i < Files; ++i) {
      node& made = names.make(name_of(i));
      made.line = std::make_unique<std::array<std::byte, 64>>();
      keep(made.line.get());
    }
    const measurement now = watch.read(Files);
    result.operations += now.operations;
    result.cpu_ns += now.cpu_ns;
    result.wall_ns += now.wall_ns;
  }
  return result;
}

constexpr std::array workloads{
    workload{"W11_read4k", 2'000'000, reading},
    workload{"W11_write4k", 2'000'000, writing},
    workload{"W11_stat", 2'000'000, looking_up<1>},
    workload{"W11_open", 2'000'000, looking_up<1>},
    workload{"W11_rename", 2'000'000, looking_up<2>},
    workload{"W11_files1e3", 1'000'000, making_files<1'000>},
    workload{"W11_files1e6", 1'000'000, making_files<1'000'000>},
};

}  // namespace

variant floor_files_variant() { return {"floor", workloads}; }

}  // namespace bench
