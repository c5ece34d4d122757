// A folder of pages as a web site.
#pragma once

#include <lockstep/http/message.hpp>
#include <lockstep/http/server.hpp>

#include <filesystem>

namespace crawling {

// The file that a GET means: 404 if there is none, 405 for another method. A folder's page is its index.html, and
// nothing outside the folder is given. The file is read at once.
lockstep::http::response page_in(const std::filesystem::path& folder, const lockstep::http::request& asked);

// Answers with the pages of the folder.
lockstep::http::handler site_of(std::filesystem::path folder);

}  // namespace crawling
