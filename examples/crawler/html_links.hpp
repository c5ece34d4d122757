// The links of an HTML page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crawling {

// The href of each <a> and <area> in the order of the page, as it is written there but with entities decoded. Broken
// HTML is read as a browser reads it.
std::vector<std::string> links_in(std::string_view html);

}  // namespace crawling
