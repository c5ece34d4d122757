#include <lockstep/sim/fault_list.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lockstep::sim {

namespace {

// What ends a connection, and what only a datagram can meet with.
bool ends_connections(const fault_effect& effect) noexcept {
  const int error = effect.error;
  return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}
bool is_of_datagrams(const fault_effect& effect) noexcept {
  return effect.error == ECONNREFUSED || effect.error == EPERM || effect.error == EMSGSIZE;
}

}  // namespace

// -- one --------------------------------------------------------------------------------------------------------------

injected_fault::injected_fault(fault_list& of, fault_terms terms)
    : of_(&of), number_(++of.count_), terms_(std::move(terms)),
      domain_(fmt::format("fault {} on {}", ++of.made_[terms_.text()], terms_.text())) {
  of.all_.push_back(*this);
  detail::touch(everything, access::write);
  if (terms_.over != nullptr) {
    terms_.over->there.break_by(this);
    terms_.over->back.break_by(this);
  } else {
    ++of.in_force_[static_cast<std::size_t>(terms_.what)];
  }
}

injected_fault::~injected_fault() { part(); }

void injected_fault::part() noexcept {
  if (of_ == nullptr) return;
  if (terms_.over != nullptr) {
    terms_.over->there.break_by(nullptr);
    terms_.over->back.break_by(nullptr);
  } else {
    --of_->in_force_[static_cast<std::size_t>(terms_.what)];
  }
  unlink();
  of_ = nullptr;
  detail::touch(everything, access::write);
}

void injected_fault::judge(bool run_has_ended) noexcept {
  if (of_ == nullptr || fired_ != 0 || std::exchange(terms_.may_not_fire, true)) return;
  const bool nobody = names_nobody();
  if (terms_.one_in > 1 && !nobody) return;  // it need not
  const std::string_view noun = terms_.over != nullptr ? "byte" : "operation";
  std::string text = fmt::format("fault on {} never fired; {} {}{} in its scope", terms_.text(), matched_, noun,
                                 matched_ == 1 ? " was" : "s were");
  if (nobody) text += fmt::format(", and there is no host \"{}\"", terms_.to_host);
  of_->report_unfired(std::move(text), terms_.where, run_has_ended);
}

bool injected_fault::names_nobody() const noexcept {
  return terms_.what != op::resolve && !is_on_files(terms_.what) && !terms_.to_host.empty() &&
         of_->network_.find(terms_.to_host) == nullptr;
}

bool injected_fault::covers(const attempted_call& call) const {
  if (terms_.over != nullptr || call.what != terms_.what) return false;
  if (is_on_files(call.what)) return covers_file(call);
  const fault_effect& effect = terms_.effect;
  if (effect.what == fault_effect::kind::fail ? !call.may_fail : !call.may_take_time) return false;
  if (call.of_unix && effect.what == fault_effect::kind::fail) {
    const error_list legal = errors_of_unix(call.what);
    if (std::find(legal.begin(), legal.end(), effect.error) == legal.end()) return false;
  }
  if (call.what == op::read || call.what == op::write) {
    if (!call.connected && ends_connections(effect)) return false;
    if (!call.of_datagrams && is_of_datagrams(effect)) return false;
  }
  // A datagram socket sends nothing when it connects, and a Unix socket waits for nobody.
  const bool at_once = call.what == op::connect && !call.may_take_time;
  if (at_once && (effect.error == ETIMEDOUT || effect.error == EHOSTUNREACH)) return false;
  if (at_once && call.of_datagrams && effect.error == ECONNREFUSED) return false;
  if (!terms_.at.empty() && call.by.name() != terms_.at) return false;
  if (terms_.to.empty()) return true;
  if (call.what == op::resolve) return call.name == terms_.to;
  if (terms_.of_unix()) return matches(call.name) || (!call.spelled.empty() && matches(call.spelled));
  if (terms_.to_port && *terms_.to_port != call.target.port()) return false;
  if (terms_.to_address) return call.target.address().unmapped() == terms_.to_address->unmapped();
  return call.target_host != nullptr && call.target_host->name() == terms_.to_host;
}

bool injected_fault::matches(std::string_view path) const {
  return ::fnmatch(terms_.to.c_str(), std::string(path).c_str(), FNM_PATHNAME) == 0;
}

bool injected_fault::covers_file(const attempted_call& call) const {
  if (!terms_.at.empty() && call.by.name() != terms_.at) return false;
  const bool has_range = call.what == op::file_read || call.what == op::file_write;
  if (has_range && (call.offset >= terms_.bytes_end || call.offset + call.bytes <= terms_.bytes_begin)) return false;
  const fault_effect::kind effect = terms_.effect.what;
  const bool is_of_sectors = effect == fault_effect::kind::bit_rot || effect == fault_effect::kind::latent_error;
  if (is_of_sectors && call.bytes == 0) return false;
  if (is_of_sectors && std::max(call.offset, terms_.bytes_begin) >= call.file_bytes) return false;
  if ((call.of_disk || call.of_its_files) && terms_.effect.error == EINTR) return false;
  if (terms_.to.empty()) return !call.of_its_files;  // their disk is in its scope already
  if (call.of_disk) return terms_.to == call.name;
  const auto is_meant = [this](std::string_view path) { return matches(path); };
  if (call.all_names != nullptr && std::any_of(call.all_names->begin(), call.all_names->end(), is_meant)) return true;
  return is_meant(call.name) || (!call.spelled.empty() && is_meant(call.spelled));
}

bool injected_fault::counts(const attempted_call& call) {
  if (!covers(call)) return false;
  detail::touch(domain_.id, access::write);
  ++matched_;
  if (terms_.when && !terms_.when(call)) return false;
  return ++eligible_ >= terms_.first && fired_ < terms_.times;
}

bool injected_fault::happens(const attempted_call& call) {
  if (terms_.one_in > 1 && of_->owner_.pick(domain_, terms_.one_in) != 1) return false;
  fires(call.by.name(), call.name);
  return true;
}

std::uint64_t injected_fault::lets_through(std::uint64_t bytes, bool& resets) {
  detail::touch(domain_.id, access::write);
  const std::uint64_t left = terms_.effect.bytes - std::min(matched_, terms_.effect.bytes);
  matched_ += bytes;
  resets = fired_ < terms_.times && bytes >= left;
  if (!resets) return bytes;
  fires({});
  return left;
}

void injected_fault::fires(std::string_view host, std::string_view name) {
  ++fired_;
  const std::string text = terms_.text();
  of_->log_.push_back({of_->owner_.now(), text, std::string(host), std::string(name)});
  trace& record = of_->owner_.history();
  const agent* const who = detail::here().running;
  record.fault_fired(who != nullptr ? who->number() : 0, domain_.id);
  if (!of_->owner_.takes_notes()) return;
  const bool names_it = name.empty() || !is_on_files(terms_.what) || terms_.to == name;
  record.happened(names_it ? "fault: " + text : fmt::format("fault: {} on {}", text, name), true);
}

// -- all --------------------------------------------------------------------------------------------------------------

fault_list::~fault_list() { part(); }

void fault_list::part() noexcept {
  while (!all_.empty()) all_.front().part();
  standing_.clear();
}

fault_effect fault_list::ask(const attempted_call& call, fault_kinds of) {
  const auto is_slow = [](const injected_fault& each) { return each.terms().effect.what == fault_effect::kind::slow; };
  fault_effect due;
  for (injected_fault& each : all_) {
    if (of == fault_kinds::slow || is_slow(each) || !each.counts(call)) continue;
    if (due.what == fault_effect::kind::none && each.happens(call)) due = each.effect();
  }
  for (injected_fault& each : all_) {
    if (of == fault_kinds::but_slow || !is_slow(each) || !each.counts(call)) continue;
    const bool is_first = due.what == fault_effect::kind::none;
    if ((!is_first && !is_on_files(call.what)) || !each.happens(call)) continue;
    const duration late = due.delay;
    if (is_first) due = each.effect();
    due.delay = saturating_add(late, each.terms().effect.delay);
  }
  return due;
}

fault_effect injected_fault::effect() const {
  fault_effect made = terms_.effect;
  made.number = number_;
  made.begin = terms_.bytes_begin;
  made.end = terms_.bytes_end;
  made.where = terms_.where;
  return made;
}

bool fault_list::is_in_force(std::uint32_t number) noexcept {
  for (const injected_fault& each : all_) {
    if (each.number() == number) return true;
  }
  return false;
}

void fault_list::report_unfired(std::string text, source where, bool run_has_ended) noexcept {
  if (owner_.given_up() || (excuse_ != nullptr && excuse_->fired() != 0)) return;
  if (run_has_ended) {
    owner_.report(verdict_kind::unfired_fault, std::move(text), where);
  } else {
    owner_.report_end(verdict_kind::unfired_fault, std::move(text), where, {});
  }
}

void fault_list::judge() noexcept {
  for (injected_fault& each : all_) each.judge(true);
}

}  // namespace lockstep::sim
