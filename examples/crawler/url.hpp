// What the links of a page mean: as much of URLs as a crawler needs.
#pragma once

#include <string>
#include <string_view>

namespace crawling {

// The absolute URL that `reference` means in the page at `base`, without its fragment.
// Requires that `base` is absolute.
// Source: RFC 3986, section 5.2.
std::string resolve(std::string_view base, std::string_view reference);

// Whether two absolute URLs have the same scheme and host.
bool same_site(std::string_view a, std::string_view b);

// "http://host:80" of "http://host:80/a.html".
std::string origin_of(std::string_view url);

// The path of a URL, with %xx decoded: "/a b.html" of "http://host/a%20b.html?q".
std::string decoded_path(std::string_view url);

}  // namespace crawling
