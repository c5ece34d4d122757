#include "folder_site.hpp"

#include "url.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace crawling {

using lockstep::http::request;
using lockstep::http::response;

response page_in(const std::filesystem::path& folder, const request& asked) {
  if (asked.method != "GET" && asked.method != "HEAD") return response(405);
  std::filesystem::path inside = std::filesystem::path(decoded_path(asked.target)).relative_path();
  const bool leaves_folder = std::find(inside.begin(), inside.end(), "..") != inside.end();
  if (inside.empty() || std::filesystem::is_directory(folder / inside)) inside /= "index.html";
  std::ifstream file(folder / inside, std::ios::binary);
  if (leaves_folder || !file) return response(404, "no such page");
  const bool is_page = inside.extension() == ".html" || inside.extension() == ".htm";
  response found(200, std::string(std::istreambuf_iterator<char>(file), {}));
  found.headers.add("Content-Type", is_page ? "text/html; charset=utf-8" : "application/octet-stream");
  return found;
}

namespace {

lockstep::task<response> page_of_site(const std::filesystem::path& folder, request asked) {
  co_return page_in(folder, asked);
}

}  // namespace

lockstep::http::handler site_of(std::filesystem::path folder) {
  return [folder = std::move(folder)](request asked) { return page_of_site(folder, std::move(asked)); };
}

}  // namespace crawling
