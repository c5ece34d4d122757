#include <lockstep/http/route.hpp>

#include <lockstep/http/mock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::http {

namespace {

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string shown(text.substr(0, shown_max));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return fmt::format("\"{}\"{}", shown, text.size() > shown_max ? "…" : "");
}

std::string miss_of(std::string_view part, std::string_view found, const text_matcher& wanted) {
  if (wanted.matches(found)) return {};
  return fmt::format("{} is {}, not {}", part, quoted(found), wanted.described());
}

std::string times_text(std::size_t n) {
  if (n == 0) return "never";
  return n == 1 ? "once" : n == 2 ? "twice" : fmt::format("{} times", n);
}

}  // namespace

route::route(detail::mock_server& of, text_matcher method, text_matcher path, source where)
    : of_(of), where_(where), text_(fmt::format("{} {}", method.plain(), path.plain())) {
  using part = requirement::part;
  requirements_.push_back(
      {part::method, "", method, [method](const request& what) { return miss_of("the method", what.method, method); }});
  requirements_.push_back(
      {part::path, "", path, [path](const request& what) { return miss_of("the path", what.path(), path); }});
}

route& route::with_header(std::string name, text_matcher value) {
  text_ += fmt::format(", {}: {}", name, value.plain());
  requirements_.push_back({requirement::part::header, name, value, [name, value](const request& what) {
                             std::string miss = fmt::format("there is no header {}", name);
                             for (const header_field& each : what.headers) {
                               if (!same_name(each.name, name)) continue;
                               if (value.matches(each.value)) return std::string();
                               miss = miss_of("the header " + name, each.value, value);
                             }
                             return miss;
                           }});
  return *this;
}

route& route::with_query(std::string name, text_matcher value) {
  text_ += fmt::format(", ?{}={}", name, value.plain());
  requirements_.push_back({requirement::part::query, name, value, [name, value](const request& what) {
                             const auto found = what.query(name);
                             return found ? miss_of("the parameter " + name, *found, value)
                                          : fmt::format("there is no parameter {}", name);
                           }});
  return *this;
}

route& route::with_body(text_matcher body) {
  text_ += ", a body";
  requirements_.push_back({requirement::part::body, "", body,
                           [body](const request& what) { return miss_of("the body", what.body, body); }});
  return *this;
}

route& route::when(std::string described, std::function<bool(const request&)> accepts) {
  text_ += ", " + described;
  requirements_.push_back({requirement::part::condition, "", anything(), [described, accepts](const request& what) {
                             return accepts(what) ? std::string()
                                                  : fmt::format("it does not hold that it {}", described);
                           }});
  return *this;
}

// -- how --------------------------------------------------------------------------------------------------------------

route::step& route::add_step(bool first, source where) {
  of_.enter_route("was told what to answer", where);
  if (first && !steps_.empty()) of_.refuse(*this, "has an answer already; then() says what comes next", where);
  if (!first && steps_.empty()) of_.refuse(*this, "has no answer yet that another could follow", where);
  if (!first) refuse_answers_beyond(calls_max_, steps_.size() + 1, where);
  return steps_.emplace_back();
}

// One answer beside times(0) is for nobody, and says nothing wrong.
void route::refuse_answers_beyond(std::size_t calls, std::size_t answers, source where) const {
  if (answers <= std::max<std::size_t>(calls, 1)) return;
  of_.refuse(*this,
             fmt::format("is to be asked {} and would have {} answers, of which the last could never come",
                         times_text(calls), answers),
             where);
}

void route::refuse_status(unsigned status, source where) const {
  if (status == 101 || (status >= 200 && status <= 599)) return;
  of_.refuse(*this, fmt::format("cannot answer {}, as it can 101 and 200 to 599", status), where);
}

void route::refuse_negative(duration length, source where) const {
  if (length < duration::zero()) of_.refuse(*this, fmt::format("cannot answer {} late", to_text(length)), where);
}

route::step& route::last_step(const char* deed, source where) {
  of_.enter_route("was told how to answer", where);
  if (steps_.empty()) of_.refuse(*this, fmt::format("has no answer yet that could {}", deed), where);
  return steps_.back();
}

route& route::answer(response with, source where) {
  refuse_status(with.status, where);
  add_step(true, where).how.answer = std::move(with);
  return *this;
}

route& route::answer(std::function<task<response>(request)> by, source where) {
  add_step(true, where).by = std::move(by);
  return *this;
}

route& route::then(response with, source where) {
  refuse_status(with.status, where);
  add_step(false, where).how.answer = std::move(with);
  return *this;
}

route& route::then(std::function<task<response>(request)> by, source where) {
  add_step(false, where).by = std::move(by);
  return *this;
}

route& route::header(std::string name, std::string value, source where) {
  last_step("have a header", where).how.answer.headers.add(std::move(name), std::move(value));
  return *this;
}

route& route::after(duration delay, source where) {
  detail::reply& how = last_step("come later", where).how;
  refuse_negative(delay, where);
  how.delay = delay;
  return *this;
}

route& route::dribble(std::size_t piece_bytes, duration gap, source where) {
  detail::reply& how = last_step("come in pieces", where).how;
  if (piece_bytes == 0) of_.refuse(*this, "cannot send pieces of no bytes", where);
  refuse_negative(gap, where);
  how.piece_bytes = piece_bytes;
  how.gap = gap;
  return *this;
}

route& route::chunked(std::size_t chunk_bytes, source where) {
  detail::reply& how = last_step("come in chunks", where).how;
  if (chunk_bytes == 0) of_.refuse(*this, "cannot send chunks of no bytes", where);
  how.chunk_bytes = chunk_bytes;
  how.answer.headers.set("Transfer-Encoding", "chunked");
  return *this;
}

route& route::reset_after(std::size_t body_bytes, source where) {
  detail::reply& how = last_step("end in a reset", where).how;
  how.sent_bytes_max = body_bytes;
  how.then = detail::reply::ending::reset;
  return *this;
}

route& route::close_after(std::size_t body_bytes, source where) {
  detail::reply& how = last_step("end early", where).how;
  how.sent_bytes_max = body_bytes;
  how.then = detail::reply::ending::close;
  return *this;
}

route& route::reset(source where) {
  detail::reply& how = add_step(steps_.empty(), where).how;
  how.says_nothing = true;
  how.then = detail::reply::ending::reset;
  return *this;
}

route& route::close(source where) {
  detail::reply& how = add_step(steps_.empty(), where).how;
  how.says_nothing = true;
  how.then = detail::reply::ending::close;
  return *this;
}

route& route::hang(source where) {
  add_step(steps_.empty(), where).hangs = true;
  return *this;
}

route& route::garble(std::string bytes, source where) {
  add_step(steps_.empty(), where).how.instead = std::move(bytes);
  return *this;
}

// -- how often --------------------------------------------------------------------------------------------------------

route& route::times(std::size_t n, source where) {
  of_.enter_route("was told how often it is to be asked", where);
  refuse_answers_beyond(n, steps_.size(), where);
  limited_ = true;
  calls_min_ = calls_max_ = n;
  return *this;
}

route& route::always() {
  calls_min_ = 0;
  calls_max_ = std::numeric_limits<std::size_t>::max();
  return *this;
}

route& route::in_order() {
  ordered_ = true;
  return *this;
}

const std::vector<received_request>& route::calls() const {
  of_.touch(access::read);
  return calls_;
}

std::string route::text() const { return fmt::format("{} ({})", text_, file_and_line(where_)); }

std::vector<std::string> route::misses_of(const request& what) const {
  std::vector<std::string> misses;
  for (const requirement& each : requirements_) {
    if (std::string miss = each.miss(what); !miss.empty()) misses.push_back(std::move(miss));
  }
  return misses;
}

bool route::requirement::covers(const requirement& other) const {
  const bool same = of == part::header ? same_name(name, other.name) : name == other.name;
  return of == other.of && of != part::condition && same && wanted.covers(other.wanted);
}

bool route::covers(const route& other) const {
  return !limited_ && !ordered_ &&
         std::all_of(requirements_.begin(), requirements_.end(), [&](const requirement& mine) {
           return std::any_of(other.requirements_.begin(), other.requirements_.end(),
                              [&](const requirement& theirs) { return mine.covers(theirs); });
         });
}

// One that says nothing answers 200.
const route::step& route::next_step() const {
  static const step plain;
  return steps_.empty() ? plain : steps_[std::min(calls_.size(), steps_.size()) - 1];
}

std::string route::expected() const {
  const std::size_t least = calls_min();
  const std::string wanted = calls_max_ == least ? times_text(least) : "at least " + times_text(least);
  return fmt::format("{} was to be asked {}, and was {}", text(), wanted,
                     calls_.empty() ? "never asked" : times_text(calls_.size()));
}

std::string route::never_asked_because_of(const route& before) const {
  return fmt::format(
      "{} could never be asked, as {} before it takes every such request; put it first, or limit that "
      "one by times()",
      text(), before.text());
}

}  // namespace lockstep::http
