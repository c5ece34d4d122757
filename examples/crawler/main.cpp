// crawler [FOLDER] [START]: serves a folder of HTML pages over HTTP and crawls it, on two hosts of a simulation that
// are far apart, in virtual time; with --real over the machine's loopback, in real time, which may be faster than the
// machine's.
#include "crawler.hpp"
#include "folder_site.hpp"
#include "http_source.hpp"
#include "url.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/fs/paths.hpp>
#include <lockstep/http/server.hpp>
#include <lockstep/real/world.hpp>
#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>

namespace crawling {
namespace {

using namespace std::chrono_literals;

// When the hosts do not reach each other, from the beginning of the crawl on; never, if it is for no time.
struct cut_time {
  std::chrono::seconds from{0};
  std::chrono::seconds length{0};
};

struct arguments {
  std::filesystem::path folder = "/usr/share/doc/git/html";  // of Debian's git-doc
  std::string start = "index.html";
  std::uint64_t seed = 1;
  std::uint32_t real = 0;  // how many times faster than the machine's the real clock is; 0 for virtual time
  cut_time cut;
  std::chrono::seconds crash{0};  // when the crawler's power is cut; never, if it is 0
  crawl_options options;
};

// What a crawl has found, and the address of the site.
struct crawled {
  std::string site;
  crawl_result found;
};

void print(const arguments& given, const crawled& done, const lockstep::sim::run_summary& run,
           std::chrono::duration<double> real_time) {
  const crawl_result& found = done.found;
  const auto on_site = [&site = done.site](const std::string& url) {
    return url.starts_with(site) ? url.substr(site.size()) : url;
  };
  fmt::print("crawled {} from {}, {} pages at a time, seed {}\n", given.folder.string(), given.start,
             given.options.parallel_max, given.seed);
  fmt::print("  pages         {}\n", found.pages.size());
  if (!given.options.resume_file.empty()) fmt::print("  resumed with  {}\n", found.resumed);
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

lockstep::task<crawl_result> crawl_over_http(std::string start, crawl_options options) {
  http_source source;
  co_return co_await crawl(source, std::move(start), options);
}

lockstep::task<void> die(std::chrono::seconds after) {
  co_await lockstep::sleep_for(after);
  std::_Exit(1);
}

lockstep::task<crawled> crawl_on_loopback(const arguments& given) {
  auto listener = lockstep::tcp_listener::bind("127.0.0.1:0");
  std::string site = "http://" + listener.local().text() + "/";
  lockstep::spawn_daemon(lockstep::http::serve(std::move(listener), site_of(given.folder)), "site");
  if (given.crash > 0s) lockstep::spawn_daemon(die(given.crash), "crash");
  crawl_result found = co_await crawl_over_http(resolve(site, given.start), given.options);
  co_return crawled{std::move(site), std::move(found)};
}

void crawl_for_real(const arguments& given) {
  lockstep::real::world world;
  lockstep::real::world_options how;
  how.clock.time_scale = given.real;
  how.seed = given.seed;
  const auto begin = std::chrono::steady_clock::now();
  const crawled done = world.run(crawl_on_loopback(given), how);
  print(given, done, world.summary(), std::chrono::steady_clock::now() - begin);
}

lockstep::task<void> cut(cut_time when) {
  co_await lockstep::sleep_for(when.from);
  const lockstep::partition apart("manual", "crawler");
  co_await lockstep::sleep_for(when.length);
}

// [network]
lockstep::task<crawled> crawl_far_away(const arguments& given) {
  lockstep::sim::world& simulation = lockstep::world();
  lockstep::sim::host& manual = simulation.host("manual", "10.0.0.80");
  lockstep::sim::host& crawler = simulation.host("crawler");
  simulation.link("manual", "crawler").latency(100ms, 1s).bandwidth(1'000'000).loss(20);
  const std::string folder = lockstep::directory_of(given.options.resume_file);
  simulation.fs("crawler").make_directory(folder);
  simulation.network().add(lockstep::on(lockstep::op::read).at("crawler").one_in(1'000).forever().fail(ECONNRESET));

  auto listener = [&] {
    const auto on_manual = manual.enter();
    return lockstep::tcp_listener::bind("10.0.0.80:80");
  }();
  manual.spawn_daemon(lockstep::http::serve(std::move(listener), site_of(given.folder)), "site");
  if (given.cut.length > 0s) lockstep::spawn_daemon(cut(given.cut), "cut");
  const std::string site = "http://manual/";
  const auto crawl_there = [&] { return crawl_over_http(resolve(site, given.start), given.options); };
  auto crawling = crawler.spawn(crawl_there(), "crawl");
  if (given.crash > 0s) {
    co_await lockstep::sleep_for(given.crash);
    crawler.crash();
    static_cast<void>(co_await lockstep::as_result(crawling.join()));
    crawling = crawler.restart(crawl_there);
  }
  crawl_result found = co_await crawling.join();
  co_return crawled{site, std::move(found)};
}
// [/network]

void crawl_folder(const arguments& given) {
  if (given.real != 0) return crawl_for_real(given);
  const auto choices = lockstep::make_oracle(lockstep::schedule::random, given.seed);
  lockstep::sim::world world;
  lockstep::sim::world_options how;
  how.choices = choices.get();

  const auto begin = std::chrono::steady_clock::now();
  const crawled done = world.run(crawl_far_away(given), how);
  print(given, done, world.summary(), std::chrono::steady_clock::now() - begin);
}

// "60:30".
cut_time cut_time_of(const std::string& text) {
  unsigned from = 0;
  unsigned length = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%9u:%9u%c", &from, &length, &rest) != 2) {
    throw CLI::ValidationError("--cut", "wants FROM:FOR in seconds, such as 60:30");
  }
  return {std::chrono::seconds(from), std::chrono::seconds(length)};
}

}  // namespace
}  // namespace crawling

int main(int argc, char** argv) {
  crawling::arguments given;
  CLI::App app("Serves a folder of HTML pages over HTTP and crawls it, on hosts that are far apart, in virtual time.");
  app.add_option("FOLDER", given.folder, "the pages")->capture_default_str();
  app.add_option("START", given.start, "the page to begin with")->capture_default_str();
  app.add_option("--seed", given.seed, "of latencies, failures and the order of events")->capture_default_str();
  app.add_option("--parallel", given.options.parallel_max, "pages fetched at the same time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option_function<std::string>(
      "--cut", [&given](const std::string& text) { given.cut = crawling::cut_time_of(text); },
      "FROM:FOR, in seconds: the hosts do not reach each other for so long");
  auto* resume = app.add_option("--resume", given.options.resume_file,
                                "a file from which the crawl goes on, if it is there; in the simulation on the "
                                "crawler's own disk, an absolute path");
  app.add_option_function<unsigned>(
         "--crash", [&given](unsigned after) { given.crash = std::chrono::seconds(after); },
         "SECONDS: so long after the begin the crawler's power is cut, and it begins anew; for real, the process ends")
      ->needs(resume);
  app.add_option("--real", given.real,
                 "for real, over loopback, on timers of the system that are this many times faster; 20")
      ->check(CLI::Range(1, 1'000'000'000))
      ->expected(0, 1)
      ->default_str("20");
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
