#include <lockstep/sim/fault.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace lockstep {

std::string_view name_of(op what) noexcept {
  switch (what) {
    case op::socket: return "socket";
    case op::bind: return "bind";
    case op::listen: return "listen";
    case op::accept: return "accept";
    case op::connect: return "connect";
    case op::read: return "read";
    case op::write: return "write";
    case op::close: return "close";
    case op::resolve: return "resolve";
    case op::open: return "open";
    case op::file_read: return "file_read";
    case op::file_write: return "file_write";
    case op::sync: return "sync";
    case op::resize: return "resize";
    case op::stat: return "stat";
    case op::list: return "list";
    case op::link: return "link";
    case op::rename: return "rename";
    case op::remove: return "remove";
    case op::chmod: return "chmod";
    case op::lock: return "lock";
    case op::watch: return "watch";
  }
  return "unknown call";
}

namespace {

// Calls never wait here, so that no signal interrupts one: EINTR is none of them.
constexpr int of_socket[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES};
constexpr int of_bind[] = {EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM};
constexpr int of_listen[] = {EADDRINUSE};
constexpr int of_accept[] = {EMFILE, ENFILE, ECONNABORTED, ENOBUFS, ENOMEM};
constexpr int of_connect[] = {ECONNREFUSED,  ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
                              EADDRNOTAVAIL, EACCES,    EPERM,        ENOBUFS};
constexpr int of_read[] = {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOMEM, ECONNREFUSED};
constexpr int of_write[] = {ECONNRESET, EPIPE,  ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
                            ENOBUFS,    ENOMEM, EPERM,     EMSGSIZE,     ECONNREFUSED};
constexpr int of_close[] = {EIO, EINTR, ENOSPC, EDQUOT};
constexpr int of_open[] = {EIO, EACCES, EMFILE, ENFILE, ENOSPC, EDQUOT, EROFS, EINTR, ENOMEM};
constexpr int of_file_read[] = {EIO, EINTR};
constexpr int of_file_write[] = {EIO, ENOSPC, EDQUOT, EINTR, EFBIG, EROFS};
constexpr int of_sync[] = {EIO, ENOSPC, EDQUOT, EINTR, EROFS};
constexpr int of_resize[] = {EIO, EINTR, ENOSPC, EROFS};
constexpr int of_stat[] = {EIO, EACCES, ENOMEM};
constexpr int of_list[] = {EIO};
constexpr int of_link[] = {ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMLINK};
constexpr int of_rename[] = {EIO, ENOSPC, EDQUOT, EROFS, EACCES};
constexpr int of_remove[] = {EIO, EROFS, EACCES, EBUSY};
constexpr int of_chmod[] = {EPERM, EIO, EROFS, EACCES};
constexpr int of_lock[] = {ENOLCK, EINTR, EDEADLK};
constexpr int of_watch[] = {ENOSPC, ENOMEM, EACCES};
constexpr int of_resolve[] = {EAI_AGAIN, EAI_FAIL, EAI_NONAME, EAI_MEMORY};

std::string name_of_error(op of, int error) {
  if (of == op::resolve) {
    switch (error) {
      case EAI_AGAIN: return "EAI_AGAIN";
      case EAI_FAIL: return "EAI_FAIL";
      case EAI_NONAME: return "EAI_NONAME";
      case EAI_MEMORY: return "EAI_MEMORY";
      default: return std::to_string(error);
    }
  }
  const char* const name = strerrorname_np(error);
  return name != nullptr ? name : std::to_string(error);
}

std::optional<std::uint16_t> port_in(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

error_list errors_of_unix(op what) noexcept {
  static constexpr int of_connect_by_name[] = {ECONNREFUSED, ENOENT, EAGAIN, EACCES, EPERM, EPROTOTYPE};
  static constexpr int of_local_read[] = {ECONNRESET, ENOMEM};
  static constexpr int of_local_write[] = {EPIPE, ECONNRESET, ENOBUFS, ENOMEM};
  switch (what) {
    case op::connect: return {std::data(of_connect_by_name), std::size(of_connect_by_name)};
    case op::read: return {std::data(of_local_read), std::size(of_local_read)};
    case op::write: return {std::data(of_local_write), std::size(of_local_write)};
    default: return errors_of(what);
  }
}

error_list errors_of(op what) noexcept {
  const auto all = [](const auto& of) { return error_list{std::data(of), std::size(of)}; };
  switch (what) {
    case op::socket: return all(of_socket);
    case op::bind: return all(of_bind);
    case op::listen: return all(of_listen);
    case op::accept: return all(of_accept);
    case op::connect: return all(of_connect);
    case op::read: return all(of_read);
    case op::write: return all(of_write);
    case op::close: return all(of_close);
    case op::resolve: return all(of_resolve);
    case op::open: return all(of_open);
    case op::file_read: return all(of_file_read);
    case op::file_write: return all(of_file_write);
    case op::sync: return all(of_sync);
    case op::resize: return all(of_resize);
    case op::stat: return all(of_stat);
    case op::list: return all(of_list);
    case op::link: return all(of_link);
    case op::rename: return all(of_rename);
    case op::remove: return all(of_remove);
    case op::chmod: return all(of_chmod);
    case op::lock: return all(of_lock);
    case op::watch: return all(of_watch);
  }
  return {nullptr, 0};
}

// -- texts ------------------------------------------------------------------------------------------------------------

std::string fault_effect::text(op of) const {
  switch (what) {
    case kind::none: break;
    case kind::fail: return name_of_error(of, error);
    case kind::hang: return "hang";
    case kind::slow: return "slow by " + to_text(delay);
    case kind::reset: return fmt::format("reset after {} bytes", bytes);
    case kind::shorten: return fmt::format("at most {} bytes", bytes);
    case kind::lie: return "lie";
    case kind::fail_later: return name_of_error(of, late_error) + " later";
    case kind::misdirect: return bytes == anywhere ? "misdirect" : fmt::format("misdirect to {}", bytes);
    case kind::bit_rot: return "bit rot";
    case kind::latent_error: return "latent error";
  }
  return "nothing";
}

std::string fault_terms::text() const {
  std::string text(over != nullptr ? "transfer" : name_of(what));
  const bool of_it = what == op::resolve || is_on_files(what);
  if (!to.empty()) text += fmt::format("{}{}", over != nullptr ? " over " : of_it ? " of " : " to ", to);
  if (!at.empty()) text += " at " + at;
  if (bytes_end != ~std::uint64_t{0}) text += fmt::format(" bytes {} to {}", bytes_begin, bytes_end);
  text += " (";
  if (first != 1) text += fmt::format("nth {}, ", first);
  if (one_in > 1) text += fmt::format("one in {}, ", one_in);
  if (when) text += "when(), ";
  return text + effect.text(what) + ")";
}

// -- a rule -----------------------------------------------------------------------------------------------------------

fault_rule& fault_rule::to(std::string_view target) {
  terms_.to = target;
  terms_.to_address.reset();
  terms_.to_port.reset();
  terms_.to_host.clear();
  if (is_on_files(terms_.what)) {
    if (target.empty() || target.front() != '/') {
      detail::here().owner->misused(fmt::format("a path of a fault begins at the root, unlike \"{}\"", target),
                                    terms_.where);
    }
    return *this;
  }
  if (terms_.of_unix()) return *this;
  std::string_view host = target;
  if (const std::size_t colon = target.rfind(':'); colon != std::string_view::npos && terms_.what != op::resolve) {
    const bool of_v6 = target.find(':') != colon && target[colon - 1] != ']';  // without a port
    if (!of_v6) {
      terms_.to_port = port_in(target.substr(colon + 1));
      host = target.substr(0, colon);
      if (!terms_.to_port) refuse_target(target, "its port is no number of 0 to 65535");
    }
  }
  if (host.empty()) refuse_target(target, "it names nobody");
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  terms_.to_address = ip_address::parsed(host);
  if (!terms_.to_address) terms_.to_host = host;
  return *this;
}

void fault_rule::refuse_target(std::string_view target, const char* why) const {
  detail::here().owner->misused(fmt::format("\"{}\" is no target of a fault, as \"db:5432\" is: {}", target, why),
                                terms_.where);
}

fault_rule& fault_rule::to(const endpoint& target) {
  terms_.to = target.text();
  terms_.to_address = target.address();
  terms_.to_port = target.port();
  terms_.to_host.clear();
  return *this;
}

fault_rule& fault_rule::bytes(std::uint64_t begin, std::uint64_t end) {
  if ((terms_.what != op::file_read && terms_.what != op::file_write) || begin >= end) {
    detail::here().owner->misused(
        fmt::format("bytes {} to {} of {}: a range, of file_read and file_write", begin, end, name_of(terms_.what)),
        terms_.where);
  }
  terms_.bytes_begin = begin;
  terms_.bytes_end = end;
  return *this;
}

fault_rule& fault_rule::at(std::string_view host) {
  terms_.at = host;
  return *this;
}

fault_rule& fault_rule::nth(std::uint64_t n) {
  terms_.first = n;
  return *this;
}

fault_rule& fault_rule::one_in(std::uint64_t n) {
  if (n == 0) {
    detail::here().owner->misused("one_in(0) is no share of the calls; make it 1 at least, which is all of them",
                                  terms_.where);
  }
  terms_.one_in = n;
  return *this;
}

fault_rule& fault_rule::when(std::function<bool(const attempted_call&)> predicate) {
  terms_.when = std::move(predicate);
  return *this;
}

fault_rule& fault_rule::times(std::uint64_t n) {
  terms_.times = n;
  return *this;
}

fault fault_rule::made(const fault_effect& effect) const {
  fault_terms terms = terms_;
  terms.effect = effect;
  return fault(std::move(terms));
}

fault fault_rule::fail(int error) const {
  const error_list legal = terms_.of_unix() ? errors_of_unix(terms_.what) : errors_of(terms_.what);
  if (std::find(legal.begin(), legal.end(), error) == legal.end()) {
    std::string names;
    for (const int each : legal) names += (names.empty() ? "" : ", ") + name_of_error(terms_.what, each);
    world(terms_.where);
    detail::here().owner->misused(
        fmt::format("{} does not fail with {} on Linux: {}", name_of(terms_.what), name_of_error(terms_.what, error),
                    names.empty() ? "it does not fail" : "it may with " + names),
        terms_.where);
  }
  return made({fault_effect::kind::fail, error});
}

fault fault_rule::hang() const {
  if (terms_.what != op::connect || terms_.of_unix()) {
    detail::here().owner->misused(fmt::format("{}{} cannot hang, as connect can", name_of(terms_.what),
                                              terms_.of_unix() ? " of Unix sockets" : ""),
                                  terms_.where);
  }
  return made({fault_effect::kind::hang});
}

fault fault_rule::slow(duration by) const {
  if (terms_.what != op::connect && terms_.what != op::accept && !is_on_files(terms_.what)) {
    detail::here().owner->misused(
        fmt::format("{} cannot be slow, as connect, accept and calls on files can", name_of(terms_.what)),
        terms_.where);
  }
  if (by <= duration::zero()) detail::here().owner->misused("a fault cannot be slow by no time", terms_.where);
  return made({fault_effect::kind::slow, 0, 0, by});
}

fault fault_rule::shorten(std::uint64_t bytes) const {
  if ((terms_.what != op::file_read && terms_.what != op::file_write) || bytes == 0) {
    detail::here().owner->misused(
        fmt::format("{} cannot be shortened to {} bytes, as file_read and file_write can to 1 or more",
                    name_of(terms_.what), bytes),
        terms_.where);
  }
  return made({fault_effect::kind::shorten, 0, 0, {}, bytes});
}

fault fault_rule::fail_later(int error) const {
  if (terms_.what != op::file_write || (error != EIO && error != ENOSPC && error != EDQUOT)) {
    detail::here().owner->misused(
        fmt::format("{} cannot fail later with {}, as file_write can with EIO, ENOSPC and EDQUOT", name_of(terms_.what),
                    name_of_error(terms_.what, error)),
        terms_.where);
  }
  return made({fault_effect::kind::fail_later, 0, error});
}

fault fault_rule::lie() const {
  if (terms_.what != op::sync) {
    detail::here().owner->misused(fmt::format("{} cannot lie, as sync can", name_of(terms_.what)), terms_.where);
  }
  return made({fault_effect::kind::lie});
}

fault fault_rule::misdirect(std::uint64_t to) const {
  if (terms_.what != op::file_write) {
    detail::here().owner->misused(fmt::format("{} cannot be misdirected, as file_write can", name_of(terms_.what)),
                                  terms_.where);
  }
  return made({fault_effect::kind::misdirect, 0, 0, {}, to});
}

fault fault_rule::bit_rot() const {
  if (terms_.what != op::file_read) {
    detail::here().owner->misused(fmt::format("{} meets no bit rot, as file_read does", name_of(terms_.what)),
                                  terms_.where);
  }
  return made({fault_effect::kind::bit_rot});
}

fault fault_rule::latent_error() const {
  if (terms_.what != op::file_read) {
    detail::here().owner->misused(fmt::format("{} meets no latent error, as file_read does", name_of(terms_.what)),
                                  terms_.where);
  }
  return made({fault_effect::kind::latent_error});
}

// -- a guard ----------------------------------------------------------------------------------------------------------

fault::fault(fault_terms terms) {
  loop& owner = *detail::here().owner;
  sim::network& in = world(terms.where).network();
  if (terms.first == 0) owner.misused("nth(0) is no call of a fault, as they count from 1", terms.where);
  if (terms.times == 0) owner.misused("a fault that is for times(0) never fires; make it 1 at least", terms.where);
  if (!terms.at.empty()) in.at(terms.at, terms.where);
  injected_ = std::make_unique<sim::injected_fault>(in.faults(), std::move(terms));
}

fault::fault(fault&& other) noexcept = default;

fault::~fault() {
  if (injected_ != nullptr) injected_->judge();
}

fault& fault::may_not_fire() & noexcept {
  if (injected_ != nullptr) injected_->may_not_fire();
  return *this;
}

std::uint64_t fault::fired() const noexcept { return injected_ != nullptr ? injected_->fired() : 0; }

std::uint64_t fault::matched() const noexcept { return injected_ != nullptr ? injected_->matched() : 0; }

}  // namespace lockstep
