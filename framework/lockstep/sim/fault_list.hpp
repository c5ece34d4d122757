// The faults that are in force in a network: what the kernel asks before it makes a call.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/sim/fault.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lockstep {
class loop;
}

namespace lockstep::sim {

class fault_list;
class lane;
class network;

class injected_fault : public list_hook<injected_fault> {
 public:
  injected_fault(fault_list& of, fault_terms terms);
  injected_fault(const injected_fault&) = delete;
  injected_fault& operator=(const injected_fault&) = delete;
  ~injected_fault();

  const fault_terms& terms() const noexcept { return terms_; }
  // What it does to a call.
  fault_effect effect() const;
  // The n-th of its network, from 1 on.
  std::uint32_t number() const noexcept { return number_; }
  std::uint64_t fired() const noexcept {
    detail::touch(domain_.id, access::read);
    return fired_;
  }
  std::uint64_t matched() const noexcept {
    detail::touch(domain_.id, access::read);
    return matched_;
  }
  // That it never fired is a verdict, unless it may be.
  void may_not_fire() noexcept { terms_.may_not_fire = true; }
  void judge(bool run_has_ended = false) noexcept;
  // Its network ends.
  void part() noexcept;

  // Counts the call, if it is in its scope. Returns whether it is due on it, for which it may have to be drawn yet.
  bool counts(const attempted_call& call);
  // Requires that it is due. Returns whether it happens, one time in so many.
  bool happens(const attempted_call& call);
  // So many bytes are about to arrive over its link. Returns how many of them still do before the connection is reset;
  // all of them if it is not.
  std::uint64_t lets_through(std::uint64_t bytes, bool& resets);

 private:
  bool covers(const attempted_call& call) const;
  bool covers_file(const attempted_call& call) const;
  // Whether it is the path that it is about, or one of those.
  bool matches(std::string_view path) const;
  void fires(std::string_view host, std::string_view name = {});

  // Whom it is about is no host of the network.
  bool names_nobody() const noexcept;

  fault_list* of_;
  std::uint32_t number_;
  fault_terms terms_;
  choice_domain domain_;
  std::uint64_t matched_ = 0;
  std::uint64_t eligible_ = 0;  // those of them for which the predicate holds
  std::uint64_t fired_ = 0;
};

// One that has happened.
struct fired_fault {
  time_point at{};
  std::string fault;  // "connect to db:5432 (ECONNREFUSED)"
  std::string host;   // whose call it was; of a link the empty text
  std::string name;   // that was to be resolved; on files the path
};

class fault_list {
 public:
  fault_list(loop& owner, network& of) noexcept : owner_(owner), network_(of) {}
  fault_list(const fault_list&) = delete;
  fault_list& operator=(const fault_list&) = delete;
  ~fault_list();

  bool empty() const noexcept { return all_.empty(); }
  // Whether there is one on such calls.
  bool any_on(op what) const noexcept { return in_force_[static_cast<std::size_t>(what)] != 0; }
  // What is to happen instead of that call, or how late. All faults that have it in their scope count it. Of those that
  // are due the first one happens, and the others stay due; but one that is only slow comes behind all others, or, on a
  // file, with them.
  fault_effect ask(const attempted_call& call, fault_kinds of = fault_kinds::all);
  // Whether the fault of that number is still there.
  bool is_in_force(std::uint32_t number) noexcept;
  // In the order in which they happened.
  const std::vector<fired_fault>& log() const noexcept { return log_; }

  // Stays in force until the run ends.
  void keep(std::unique_ptr<injected_fault> standing) { standing_.push_back(std::move(standing)); }
  // The run ends: those that are there still are judged.
  void judge() noexcept;
  // Where that has fired, nothing else needs to; null for nothing. Requires that it lives until then.
  void set_excuse(const fault* fired) noexcept { excuse_ = fired; }
  // The verdict on something that was to go wrong, and never did.
  void report_unfired(std::string text, source where, bool run_has_ended) noexcept;
  void part() noexcept;

 private:
  friend class injected_fault;

  loop& owner_;
  network& network_;
  const fault* excuse_ = nullptr;
  std::uint32_t count_ = 0;  // of all that there ever were
  intrusive_list<injected_fault, injected_fault> all_;
  std::uint32_t in_force_[op_count] = {};
  std::vector<std::unique_ptr<injected_fault>> standing_;
  std::vector<fired_fault> log_;
  std::map<std::string, std::uint64_t> made_;  // of the same text
};

}  // namespace lockstep::sim
