// crawler [FOLDER] [START]: crawls a folder of HTML pages as if it were a server far away, in virtual time; with
// --real, in real time, which may be faster than the machine's.
#include "crawler.hpp"
#include "folder_source.hpp"
#include "url.hpp"

#include <lockstep/explore/strategy.hpp>
#ifdef CRAWLER_RUNS_FOR_REAL
#include <lockstep/real/world.hpp>
#endif
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

namespace crawling {
namespace {

struct arguments {
  std::filesystem::path folder = "/usr/share/doc/git/html";  // of Debian's git-doc
  std::string start = "index.html";
  std::uint64_t seed = 1;
  std::uint32_t real = 0;  // how many times faster than the machine's the real clock is; 0 for virtual time
  crawl_options options;
};

void print(const arguments& given, const crawl_result& found, const lockstep::sim::run_summary& run,
           std::chrono::duration<double> real_time) {
  const auto on_site = [](const std::string& url) {
    return url.starts_with(folder_source::site) ? url.substr(folder_source::site.size()) : url;
  };
  fmt::print("crawled {} from {}, {} pages at a time, seed {}\n", given.folder.string(), given.start,
             given.options.parallel_max, given.seed);
  fmt::print("  pages         {}\n", found.pages.size());
  fmt::print("  links         {}, and {} to other sites\n", found.links, found.links_outside);
  fmt::print("  dead links    {}\n", found.dead_links.size());
  std::size_t shown = 0;
  for (const link& dead : found.dead_links) {
    if (++shown > 10) break;
    fmt::print("    {} -> {}\n", on_site(dead.from), on_site(dead.to));
  }
  if (shown > 10) fmt::print("    ...\n");
  fmt::print("  retries       {}\n", found.retries);
  fmt::print("  given up      {}\n", found.failures.size());
  for (const auto& [url, reason] : found.failures) fmt::print("    {}: {}\n", on_site(url), reason);
  fmt::print("  {}  {}\n", given.real == 0 ? "virtual time" : "its time    ", lockstep::to_text(run.virtual_time));
  fmt::print("  real time     {:.2f} s\n", real_time.count());
  fmt::print("  steps         {}, trace {:016x}\n", run.steps, run.trace_hash);
}

#ifdef CRAWLER_RUNS_FOR_REAL
void crawl_for_real(const arguments& given) {
  lockstep::real::world world;
  lockstep::real::world_options how;
  how.clock.time_scale = given.real;
  how.seed = given.seed;
  folder_source source(given.folder);
  const auto begin = std::chrono::steady_clock::now();
  const crawl_result found = world.run(crawl(source, resolve(folder_source::site, given.start), given.options), how);
  print(given, found, world.summary(), std::chrono::steady_clock::now() - begin);
}
#endif

void crawl_folder(const arguments& given) {
#ifdef CRAWLER_RUNS_FOR_REAL
  if (given.real != 0) return crawl_for_real(given);
#endif
  const auto choices = lockstep::make_oracle(lockstep::schedule::random, given.seed);
  lockstep::sim::world world;
  lockstep::sim::world_options how;
  how.choices = choices.get();
  folder_source source(given.folder);

  const auto begin = std::chrono::steady_clock::now();
  const crawl_result found = world.run(crawl(source, resolve(folder_source::site, given.start), given.options), how);
  print(given, found, world.summary(), std::chrono::steady_clock::now() - begin);
}

}  // namespace
}  // namespace crawling

int main(int argc, char** argv) {
  crawling::arguments given;
  CLI::App app("Crawls a folder of HTML pages in virtual time, as if it were a server far away.");
  app.add_option("FOLDER", given.folder, "the pages")->capture_default_str();
  app.add_option("START", given.start, "the page to begin with")->capture_default_str();
  app.add_option("--seed", given.seed, "of latencies, failures and the order of events")->capture_default_str();
  app.add_option("--parallel", given.options.parallel_max, "pages fetched at the same time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
#ifdef CRAWLER_RUNS_FOR_REAL
  app.add_option("--real", given.real, "for real, on timers of the system that are this many times faster; 20")
      ->check(CLI::Range(1, 1'000'000'000))
      ->expected(0, 1)
      ->default_str("20");
#endif
  CLI11_PARSE(app, argc, argv);

  if (!std::filesystem::is_directory(given.folder)) {
    fmt::print(stderr, "crawler: there is no folder {}; give one, or install Debian's git-doc\n",
               given.folder.string());
    return 1;
  }
  if (!std::filesystem::exists(given.folder / given.start)) {
    fmt::print(stderr, "crawler: there is no page {} in {}\n", given.start, given.folder.string());
    return 1;
  }
  try {
    crawling::crawl_folder(given);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "crawler: {}\n", failure.what());
    return 1;
  }
}
