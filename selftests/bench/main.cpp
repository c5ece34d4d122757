// lockstep_bench: every workload on every runtime, in one process, under Google Benchmark.
//
// A repetition is one whole run of a workload, timed by the workload itself, so that what it sets up is not counted.
// Beside Google Benchmark's own options: --scale=0.1 does a tenth of the operations.

#include "memory.hpp"
#include "workload.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

void add(const bench::variant& runtime, double scale) {
  for (const bench::workload& work : runtime.workloads) {
    const std::string name = std::string(runtime.name) + '/' + std::string(work.id);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [work, scale](benchmark::State& state) {
                                   for (auto _ : state) {
                                     bench::trim_heap();
                                     const bench::measurement result = work.run_scaled(scale);
                                     state.SetIterationTime(result.cpu_ns * 1e-9);
                                     const auto operations = static_cast<double>(result.operations);
                                     state.counters["operations"] = operations;
                                     state.counters["ns_per_operation"] = result.cpu_ns / operations;
                                     state.counters["bytes_per_task"] = result.bytes_per_task;
                                     state.counters["bytes_per_host"] = result.bytes_per_host;
                                     state.counters["building_ns"] = result.building_ns;
                                   }
                                 })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
}

// Takes --scale=… out of the arguments.
double take_scale(std::vector<char*>& arguments) {
  constexpr std::string_view option = "--scale=";
  double scale = 1;
  std::erase_if(arguments, [&](const char* argument) {
    if (!std::string_view(argument).starts_with(option)) return false;
    scale = std::strtod(argument + option.size(), nullptr);
    return true;
  });
  return scale;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const double scale = take_scale(arguments);
  arguments.push_back(nullptr);
  int count = static_cast<int>(arguments.size()) - 1;

  bench::forget_large_blocks();
  add(bench::floor_variant(), scale);
  add(bench::floor_network_variant(), scale);
  add(bench::floor_files_variant(), scale);
  add(bench::lockstep_variant(), scale);
  add(bench::lockstep_network_variant(), scale);
  add(bench::lockstep_files_variant(), scale);
  add(bench::search_variant(), scale);
#ifdef LOCKSTEP_BENCH_ASIO
  add(bench::asio_variant(), scale);
  add(bench::asio_network_variant(), scale);
#endif
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::AddCustomContext("build_type", LOCKSTEP_BENCH_BUILD_TYPE);
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
