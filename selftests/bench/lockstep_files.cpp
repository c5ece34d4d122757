// Files of a simulated disk, through what users of lockstep use; recording, hash and every detector on.

#include "file_work.hpp"
#include "in_a_world.hpp"
#include "memory.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <lockstep/fs/file.hpp>
#include <lockstep/fs/paths.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/sim/host.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {
namespace {

using lockstep::file;
using lockstep::task;

// While it lives, the calls are those of a host with that file.
struct host_with_file {
  host_with_file(const std::string& path, const std::string& text) {
    lockstep::world().fs("db").write_file(path, text);
  }
  const lockstep::scoped_value on_it = lockstep::world().host("db").enter();
};

// -- what is in them --------------------------------------------------------------------------------------------------

task<file> open_filled() {
  const host_with_file db("/data", std::string(file_pages * page_size, '.'));
  co_return co_await lockstep::open("/data", {.read = true, .write = true});
}

task<measurement> reading(std::uint64_t operations) {
  file data = co_await open_filled();
  std::array<std::byte, page_size> buffer{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    const std::size_t count = co_await data.read_at(buffer, page_of(i) * page_size);
    require(count == page_size, "a page is short");
  }
  co_return watch.read(operations);
}

task<measurement> writing(std::uint64_t operations) {
  file data = co_await open_filled();
  std::array<std::byte, page_size> buffer{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    buffer[0] = static_cast<std::byte>(i);
    co_await data.write_at(buffer, page_of(i) * page_size);
  }
  co_return watch.read(operations);
}

// As a database does: a sync behind every few pages.
task<measurement> writing_and_syncing(std::uint64_t operations) {
  constexpr std::uint64_t pages_a_sync = 8;
  file data = co_await open_filled();
  std::array<std::byte, page_size> buffer{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    buffer[0] = static_cast<std::byte>(i);
    co_await data.write_at(buffer, page_of(i) * page_size);
    if (i % pages_a_sync == 0) co_await data.sync();
  }
  co_return watch.read(operations);
}

// -- their names ------------------------------------------------------------------------------------------------------

const std::string path(deep_path);
const std::string other_path = path + "2";

task<measurement> opening(std::uint64_t operations) {
  const host_with_file db(path, "");
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    const file opened = co_await lockstep::open(path);
    keep(&opened);
  }
  co_return watch.read(operations);
}

task<measurement> asking(std::uint64_t operations) {
  const host_with_file db(path, "12345");
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    const lockstep::file_status there = co_await lockstep::status(path);
    require(there.size_bytes == 5, "the size is wrong");
  }
  co_return watch.read(operations);
}

task<measurement> renaming(std::uint64_t operations) {
  const host_with_file db(path, "");
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    co_await lockstep::rename_file(i % 2 == 0 ? path : other_path, i % 2 == 0 ? other_path : path);
  }
  co_return watch.read(operations);
}

// -- many -------------------------------------------------------------------------------------------------------------

// So many files with a line in each, none of which is durable; again and again until all operations are done.
task<measurement> making_files(std::uint64_t files, std::uint64_t operations) {
  measurement result;
  for (std::uint64_t round = 0; round * files < operations; ++round) {
    const std::string host = "db-" + std::to_string(round);
    const auto on_it = lockstep::world().host(host).enter();
    for (std::uint64_t i = 0; i < 16; ++i) lockstep::world().fs(host).make_directory("/d" + std::to_string(i));
    const double before = heap_bytes();
    const stopwatch watch;
    for (std::uint64_t i = 0; i < files; ++i) {
      file made = co_await lockstep::open(name_of(i), {.write = true, .create = true});
      co_await made.write("a line of it\n");
    }
    const measurement now = watch.read(files);
    result.operations += now.operations;
    result.cpu_ns += now.cpu_ns;
    result.wall_ns += now.wall_ns;
    result.bytes_per_task = (heap_bytes() - before) / static_cast<double>(files);
    for (std::uint64_t i = 0; i < 16; ++i) lockstep::world().fs(host).remove("/d" + std::to_string(i));
  }
  co_return result;
}

// So many changes of one file which no sync has made durable; then one sync.
task<measurement> changing(std::uint64_t changes, std::uint64_t operations) {
  constexpr std::size_t piece = 16;
  file data = co_await open_filled();
  std::array<std::byte, piece> buffer{};
  const stopwatch watch;
  std::uint64_t i = 0;
  while (i < operations) {
    for (std::uint64_t each = 0; each < changes; ++each, ++i) {
      buffer[0] = static_cast<std::byte>(i);
      co_await data.write_at(buffer, page_of(i) * page_size);
    }
    co_await data.sync();
  }
  co_return watch.read(i);
}

constexpr std::array workloads{
    workload{"W11_read4k", 2'000'000, run<reading>},
    workload{"W11_write4k", 2'000'000, run<writing>},
    workload{"W11_sync8", 2'000'000, run<writing_and_syncing>},
    workload{"W11_stat", 2'000'000, run<asking>},
    workload{"W11_open", 2'000'000, run<opening>},
    workload{"W11_rename", 1'000'000, run<renaming>},
    workload{"W11_files1e3", 1'000'000, run<making_files, 1'000>},
    workload{"W11_files1e6", 1'000'000, run<making_files, 1'000'000>},
    workload{"W11_changes1e3", 1'000'000, run<changing, 1'000>},
    workload{"W11_changes1e6", 1'000'000, run<changing, 1'000'000>},
};

}  // namespace

variant lockstep_files_variant() { return {"lockstep", workloads}; }

}  // namespace bench
