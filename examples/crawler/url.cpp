#include "url.hpp"

#include <charconv>
#include <vector>

namespace crawling {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// The components of a URL or a reference, each with the sign that sets it off; empty if there is none.
struct components {
  std::string_view scheme;     // "http:"
  std::string_view authority;  // "//host:80"
  std::string_view path;       // "/a/b.html"
  std::string_view query;      // "?q"
};

// Takes the first `length` characters off `text`.
std::string_view take(std::string_view& text, std::size_t length) {
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(taken.size());
  return taken;
}

components split(std::string_view text) {
  text = text.substr(0, text.find('#'));
  components parts;
  const std::size_t colon = text.find_first_of(":/?");
  if (colon != 0 && colon < text.size() && text[colon] == ':' && letters.find(text[0]) != letters.npos) {
    parts.scheme = take(text, colon + 1);
  }
  if (text.starts_with("//")) parts.authority = take(text, text.find_first_of("/?", 2));
  parts.path = take(text, text.find('?'));
  parts.query = text;
  return parts;
}

// Follows "." and ".." in a path; above the root there is nothing.
std::string without_dots(std::string_view path) {
  if (!path.starts_with('/')) return std::string(path);  // "mailto:somebody"
  std::vector<std::string_view> kept;
  bool ends_in_folder = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = take(path, path.find('/'));
    ends_in_folder = segment == "." || segment == "..";
    if (!ends_in_folder) kept.push_back(segment);
    if (segment == ".." && !kept.empty()) kept.pop_back();
  }
  if (ends_in_folder) kept.emplace_back();
  std::string result;
  for (const std::string_view segment : kept) result.append("/").append(segment);
  return result;
}

std::string join(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query) {
  return std::string(scheme).append(authority).append(without_dots(path)).append(query);
}

}  // namespace

std::string resolve(std::string_view base, std::string_view reference) {
  const components from = split(base);
  const components to = split(reference);
  if (!to.scheme.empty()) return join(to.scheme, to.authority, to.path, to.query);
  if (!to.authority.empty()) return join(from.scheme, to.authority, to.path, to.query);
  if (to.path.empty()) return join(from.scheme, from.authority, from.path, to.query.empty() ? from.query : to.query);
  if (to.path.starts_with('/')) return join(from.scheme, from.authority, to.path, to.query);
  std::string path(from.path.substr(0, from.path.rfind('/') + 1));
  if (path.empty()) path = "/";
  return join(from.scheme, from.authority, path.append(to.path), to.query);
}

bool same_site(std::string_view a, std::string_view b) {
  const components left = split(a);
  const components right = split(b);
  return left.scheme == right.scheme && left.authority == right.authority;
}

std::string origin_of(std::string_view url) {
  const components parts = split(url);
  return std::string(parts.scheme).append(parts.authority);
}

std::string decoded_path(std::string_view url) {
  const std::string_view path = split(url).path;
  std::string decoded;
  for (std::size_t at = 0; at < path.size(); ++at) {
    unsigned char value = 0;
    if (path[at] == '%' && at + 2 < path.size() &&
        std::from_chars(&path[at + 1], &path[at + 1] + 2, value, 16).ptr == &path[at + 1] + 2) {
      decoded += static_cast<char>(value);
      at += 2;
    } else {
      decoded += path[at];
    }
  }
  return decoded;
}

}  // namespace crawling
