#include "html_links.hpp"

#include <gumbo.h>

#include <memory>

namespace crawling {

namespace {

struct destroy_output {
  void operator()(GumboOutput* parsed) const noexcept { gumbo_destroy_output(&kGumboDefaultOptions, parsed); }
};

}  // namespace

std::vector<std::string> links_in(std::string_view html) {
  const std::unique_ptr<GumboOutput, destroy_output> parsed(
      gumbo_parse_with_options(&kGumboDefaultOptions, html.data(), html.size()));
  std::vector<std::string> links;
  std::vector<const GumboNode*> to_visit{parsed->root};
  while (!to_visit.empty()) {
    const GumboNode& node = *to_visit.back();
    to_visit.pop_back();
    if (node.type != GUMBO_NODE_ELEMENT && node.type != GUMBO_NODE_TEMPLATE) continue;
    const GumboElement& element = node.v.element;
    if (element.tag == GUMBO_TAG_A || element.tag == GUMBO_TAG_AREA) {
      const GumboAttribute* href = gumbo_get_attribute(&element.attributes, "href");
      if (href != nullptr) links.emplace_back(href->value);
    }
    for (unsigned i = element.children.length; i > 0; --i) {
      to_visit.push_back(static_cast<const GumboNode*>(element.children.data[i - 1]));
    }
  }
  return links;
}

}  // namespace crawling
