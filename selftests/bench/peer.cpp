// One runtime's workloads behind a protocol of two lines, for harnesses that compare programs in many languages:
// `list` prints the ids of the workloads; an id runs that workload and prints
//   RESULT <workload> <peer> <processor ns an operation> <real ns an operation> <operations> [key=value …]
// The variable SCALE shrinks every workload.

#include "workload.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#ifdef __clang__
#define LOCKSTEP_BENCH_COMPILER "clang"
#else
#define LOCKSTEP_BENCH_COMPILER "gcc"
#endif

namespace {

void print(std::string_view id, const bench::measurement& result) {
  const auto operations = static_cast<double>(result.operations);
  std::printf("RESULT %.*s " LOCKSTEP_BENCH_PEER "_" LOCKSTEP_BENCH_COMPILER " %.3f %.3f %.0f",
              static_cast<int>(id.size()), id.data(), result.cpu_ns / operations, result.wall_ns / operations,
              operations);
  if (result.bytes_per_task != 0) std::printf(" bytes_per_task=%.0f", result.bytes_per_task);
  if (result.firing_order != 0) {
    std::printf(" order=%016llx", static_cast<unsigned long long>(result.firing_order));
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "list";
  const bench::variant runtime = bench::LOCKSTEP_BENCH_VARIANT();
  if (wanted == "list") {
    for (const bench::workload& work : runtime.workloads) {
      std::printf("%.*s ", static_cast<int>(work.id.size()), work.id.data());
    }
    std::printf("\n");
    return 0;
  }
  if (wanted == "variants") {
    std::printf("\n");
    return 0;
  }
  const char* const scale = std::getenv("SCALE");
  for (const bench::workload& work : runtime.workloads) {
    if (work.id != wanted) continue;
    print(work.id, work.run_scaled(scale != nullptr ? std::strtod(scale, nullptr) : 1));
    return 0;
  }
  std::fprintf(stderr, "no workload \"%.*s\"; `list` names them\n", static_cast<int>(wanted.size()), wanted.data());
  return 2;
}
