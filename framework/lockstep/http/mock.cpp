#include <lockstep/http/mock.hpp>

#include <lockstep/http/url.hpp>
#include <lockstep/http/wire.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/netstat.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/sync/event.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace lockstep::http {

namespace detail {

namespace {

struct place_of_mock {
  std::string host;
  std::uint16_t port = 0;
};

std::optional<place_of_mock> place_in(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  place_of_mock found;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), found.port);
  if (failed != std::errc() || end != port.data() + port.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  found.host = host;
  return found;
}

}  // namespace

mock_server::mock_server(std::string at, const server_options& options, source where)
    : object(label(at)), at_(std::move(at)), where_(where), server_(options, where),
      owner_(lockstep::detail::here().owner) {
  enter("was made", where);
  owner_->run_listeners().push_back(*this);
}

mock_server::~mock_server() {
  if (linked()) unlink();
}

// Not in the constructor, as the daemon shares it.
void mock_server::begin() {
  const std::optional<place_of_mock> place = place_in(at_);
  if (!place) owner_->misused(fmt::format("\"{}\" is no place for a mock, as \"web:80\" is", at_), where_);
  const std::optional<ip_address> address = ip_address::parsed(place->host);
  sim::host* on = nullptr;
  if (!address) {
    sim::network& in = world(where_).network();
    on = in.find(place->host);
    if (on == nullptr) on = &in.add_host(place->host, {}, where_);
    host_ = place->host;
  } else if (auto* const simulation = dynamic_cast<sim::world*>(&owner_->driven_by())) {
    on = simulation->network().host_of(*address);  // null for 127.0.0.1, which is the running task's host
  }
  const endpoint wanted(address ? *address : on->address(), place->port);
  if (on == nullptr) {
    listen(wanted);
  } else {
    const scoped_value there = on->enter(where_);
    listen(wanted);
  }
}

// On the system of the running task, at once, so that nobody comes too early.
void mock_server::listen(const endpoint& at) {
  try {
    tcp_listener listener = tcp_listener::bind(at, {}, where_);
    local_ = listener.local();
    spawn_daemon(serve(shared_from_this(), std::move(listener)), label("http_mock " + at_), where_);
  } catch (const std::system_error& failed) {
    if (failed.code() == std::errc::address_in_use) refuse_place(at, failed.code());
    throw;
  }
}

// It is taken: in a simulation by a socket that can be named, which is a mistake of the test.
void mock_server::refuse_place(const endpoint& at, const std::error_code& code) const {
  const std::string text = fmt::format("{} cannot listen at {}", described(), at.text());
  const auto* const on = dynamic_cast<const sim::host*>(&current_system(where_));
  if (on != nullptr) {
    for (const socket_status& each : world(where_).netstat().sockets()) {
      const bool listens = each.host == on->name() && each.protocol == "tcp" && each.state == "LISTEN";
      if (!listens || !each.local.ends_with(fmt::format(":{}", at.port()))) continue;
      const std::string known =
          each.opened_at.line() == 0 ? "" : fmt::format(" that was opened at {}", file_and_line(each.opened_at));
      owner_->misused(
          fmt::format("{}, where a socket listens{}; take another port or host, or let that one answer", text, known),
          where_);
    }
  }
  throw std::system_error(code, text + ", which is taken; port 0 is one that is free, and local() tells which");
}

task<void> mock_server::serve(std::shared_ptr<mock_server> of, tcp_listener listener) {
  const auto reply = [of](request what) { return reply_to(of, std::move(what)); };
  co_await of->server_.run_replies(std::move(listener), reply, of->where_);
}

route& mock_server::add(text_matcher method, text_matcher path, source where) {
  enter_to_change("was given a route", where);
  routes_.push_back(std::unique_ptr<route>(new route(*this, std::move(method), std::move(path), where)));
  return *routes_.back();
}

std::string mock_server::url(std::string_view target) const {
  http::url made;
  made.host = host_.empty() ? local_.address().text() : host_;
  made.port = local_.port();
  made.target = target;
  return made.text();
}

const std::vector<received_request>& mock_server::requests() const {
  touch(access::read);
  return requests_;
}

void mock_server::refuse(const route& which, const std::string& why, source where) const {
  lockstep::detail::here().owner->misused(fmt::format("the route {} {}", which.text(), why), where);
}

// -- answering --------------------------------------------------------------------------------------------------------

task<reply> mock_server::reply_to(std::shared_ptr<mock_server> of, request what) {
  reply how;
  if (of->owner_ == nullptr) {  // the test has gone, and with it what its callables refer to
    how.says_nothing = true;
    co_return how;
  }
  of->touch(access::write);
  of->requests_.push_back({what, now()});
  route* const found = of->find(what);
  if (found == nullptr) {
    how.answer = {501, of->tell_unmatched(what)};
    co_return how;
  }
  found->calls_.push_back({what, now()});
  const bool to_head = what.method == "HEAD";
  const route::step chosen = found->next_step();
  how = chosen.how;
  if (chosen.hangs) {
    event never("an answer that never comes");
    co_await never.wait();
  }
  if (chosen.by) {
    response made = co_await chosen.by(std::move(what));
    for (const header_field& each : how.answer.headers) made.headers.set(each.name, each.value);
    how.answer = std::move(made);
  }
  if (how.sent_bytes_max) of->tell_if_it_ends_late(*found, how, to_head);
  co_return how;
}

route* mock_server::find(const request& what) {
  for (const auto& each : routes_) {
    if (each->may_be_called() && each->misses_of(what).empty() && out_of_turn(*each).empty()) return each.get();
  }
  return nullptr;
}

// The first before it that takes all that it could take; null if that is not known of any.
const route* mock_server::route_that_hides(const route& which) const {
  for (const auto& each : routes_) {
    if (each.get() == &which) return nullptr;
    if (each->covers(which)) return each.get();
  }
  return nullptr;
}

std::string mock_server::out_of_turn(const route& which) const {
  if (!which.ordered_) return {};
  bool is_before = true;
  for (const auto& each : routes_) {
    if (each.get() == &which) {
      is_before = false;
    } else if (!each->ordered_) {
      continue;
    } else if (is_before && !each->is_met()) {
      return fmt::format("it comes before its turn: {} is first", each->text());
    } else if (!is_before && !each->calls_.empty()) {
      return fmt::format("it comes after its turn: {} was asked already", each->text());
    }
  }
  return {};
}

// Makes the verdict, once for requests that are alike, and returns what it says. Routes come nearer the less of them is
// missed, and of those that miss as much, the one that was made first.
std::string mock_server::tell_unmatched(const request& what) {
  constexpr std::size_t shown_max = 3;
  std::vector<std::pair<const route*, std::vector<std::string>>> misses;
  for (const auto& each : routes_) {
    std::vector<std::string> of_it = each->misses_of(what);
    if (of_it.empty()) {
      const std::string turn = out_of_turn(*each);
      of_it.push_back(each->may_be_called() ? turn : "it has been asked as often as it was to be");
    }
    misses.emplace_back(each.get(), std::move(of_it));
  }
  std::stable_sort(misses.begin(), misses.end(),
                   [](const auto& one, const auto& other) { return one.second.size() < other.second.size(); });
  std::string text = fmt::format("{} was asked {} {}, which no route takes", described(), what.method, what.target);
  if (misses.empty()) text += "; it has none";
  if (misses.size() > shown_max) misses.resize(shown_max);
  for (const auto& [which, of_it] : misses) {
    text += fmt::format("\n  not {}: {}", which->text(), fmt::join(of_it, ", and "));
  }
  tell(verdict_kind::unmatched_request, text, where_);
  return text;
}

void mock_server::tell_if_it_ends_late(const route& of, const reply& how, bool to_head) {
  answer_terms terms;
  terms.to_head = to_head;
  if (how.chunk_bytes != 0) terms.chunk_bytes = how.chunk_bytes;
  const std::size_t bytes = text_of(how.answer, terms).body.size();
  if (*how.sent_bytes_max <= bytes) return;
  tell(verdict_kind::unfired_fault,
       fmt::format("the answer to {} was to end after {} bytes of its body, which has {}", of.text(),
                   *how.sent_bytes_max, bytes),
       of.where_);
}

void mock_server::tell(verdict_kind kind, const std::string& text, source where) {
  if (owner_ != nullptr && told_.insert(text).second) owner_->report(owner_->verdict_here(kind, text, where));
}

// -- ending -----------------------------------------------------------------------------------------------------------

void mock_server::judge(bool run_has_ended) noexcept {
  loop& owner = *owner_;
  if (owner.given_up()) return;
  for (const auto& each : routes_) {
    const route* const hides = each->calls_.empty() ? route_that_hides(*each) : nullptr;
    if (each->is_met() && hides == nullptr) continue;
    std::string text = hides == nullptr ? each->expected() : each->never_asked_because_of(*hides);
    if (run_has_ended) {
      owner.report(verdict_kind::unmet_expectation, std::move(text), each->where_);
    } else {
      owner.report_end(verdict_kind::unmet_expectation, std::move(text), each->where_, {});
    }
  }
}

void mock_server::part() noexcept {
  if (owner_ == nullptr || lockstep::detail::current_context == nullptr) return;
  touch(access::read);
  judge(false);
  if (!owner_->destroying()) server_.stop_now(where_);
  owner_ = nullptr;
}

// Its mock lives on, where it is nobody's who runs.
void mock_server::run_ends(bool well) noexcept {
  if (owner_ == nullptr) return;
  if (well) judge(true);
  owner_ = nullptr;
}

}  // namespace detail

mock::mock(std::string at, const server_options& options, source where)
    : server_(std::make_shared<detail::mock_server>(std::move(at), options, where)) {
  server_->begin();
}

}  // namespace lockstep::http
