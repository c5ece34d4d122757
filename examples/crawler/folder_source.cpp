#include "folder_source.hpp"

#include "url.hpp"

#include <lockstep/runtime/random.hpp>
#include <lockstep/runtime/sleep.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace crawling {

namespace {

using namespace std::chrono_literals;

page read_file(const std::filesystem::path& folder, const std::string& url) {
  std::filesystem::path inside = std::filesystem::path(decoded_path(url)).relative_path();
  const bool leaves_folder = std::find(inside.begin(), inside.end(), "..") != inside.end();
  if (inside.empty() || std::filesystem::is_directory(folder / inside)) inside /= "index.html";
  std::ifstream file(folder / inside, std::ios::binary);
  if (leaves_folder || !file) return {404, "text/plain", "no such page"};
  page read;
  if (inside.extension() != ".html" && inside.extension() != ".htm") read.type = "application/octet-stream";
  read.body.assign(std::istreambuf_iterator<char>(file), {});
  return read;
}

}  // namespace

folder_source::folder_source(std::filesystem::path folder, connection_quality quality)
    : folder_(std::move(folder)), quality_(quality) {}

lockstep::task<page> folder_source::fetch(std::string url) {
  co_await lockstep::sleep_for(
      lockstep::random_duration("latency of " + url, quality_.latency_min, quality_.latency_max));
  const int luck = 100 - lockstep::random_int("luck of " + url, 0, 99);  // 1 … 100; the plain run has the best
  if (luck <= quality_.resets_percent) {
    throw std::system_error(std::make_error_code(std::errc::connection_reset), url);
  }
  if (luck <= quality_.resets_percent + quality_.stalls_percent) co_await lockstep::sleep_for(1min);
  co_return read_file(folder_, url);
}

}  // namespace crawling
