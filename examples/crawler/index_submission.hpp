// Telling a search service which pages there are.
#pragma once

#include <lockstep/runtime/task.hpp>

#include <set>
#include <string>

namespace crawling {

// What a submission that is tried again says.
enum class repetition {
  numbered,  // the same Idempotency-Key each time, by which the service knows it again
  blind,     // nothing. A defect, kept to be found: the service may have taken it before the connection broke
};

// Posts the URLs of the pages to `service`, one a line. Where the connection fails or says nothing for ten
// seconds it is tried again, three times in all. Errors: what the last attempt threw; std::runtime_error, if the
// service refuses.
lockstep::task<void> submit_index(std::string service, std::set<std::string> pages,
                                  repetition how = repetition::numbered);

}  // namespace crawling
