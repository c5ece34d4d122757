#include <lockstep/testing/fault_sweep.hpp>

#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/testing/swept_fault.hpp>
#include <lockstep/testing/swept_world.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>

namespace lockstep {

namespace {

class sweep {
 public:
  sweep(fault_rule rule, int error, const std::function<task<void>()>& body, const sweep_options& how)
      : rule_(std::move(rule)), error_(error), body_(body), how_(how), called_(text_of(rule_.nth(1).one_in(1))) {}

  testing::AssertionResult all() {
    const auto asked = detail::found_for_sweep(detail::swept_fault_of);
    if (const std::string* problem = std::get_if<std::string>(&asked)) {
      return testing::AssertionFailure() << "replay refused: " << *problem;
    }
    if (const detail::swept_fault* one = std::get_if<detail::swept_fault>(&asked)) return again(*one);
    if (!passes(0)) return failed("without any fault");
    for (const bool each_later : {false, true}) {
      for (std::uint64_t n = 1;; ++n) {
        if (n > how_.calls_max) {
          return testing::AssertionFailure() << fmt::format("the sweep does not end: there is a call number {} of {}",
                                                            n, name_of(rule_.terms().what));
        }
        if (!passes(n, each_later)) return failed(n, each_later);
        if (fired_ == 0 && n == 1) return nothing_in_scope();
        if (fired_ == 0) break;
      }
    }
    return testing::AssertionSuccess() << fmt::format("{} runs passed", runs_);
  }

 private:
  // The run of the token, and no other.
  testing::AssertionResult again(const detail::swept_fault& one) {
    if (one.calls != called_) {
      return testing::AssertionFailure() << departed(
                 fmt::format("its calls are those of {}, not of {}", called_, one.calls));
    }
    if (!passes(one.number, one.each_later)) return failed(one.number, one.each_later);
    if (fired_ == 0) return testing::AssertionFailure() << departed("so many calls are not made");
    const std::string remark = fmt::format("the body passes {}", place_of(one.number, one.each_later));
    fmt::print("replayed: {}\n", remark);
    return testing::AssertionSuccess() << remark;
  }

  static std::string departed(const std::string& why) {
    return fmt::format(
        "departed replay: this sweep has no such run: {}; the code or its input has changed since, or the token is of "
        "another sweep of this test",
        why);
  }

  std::string place_of(std::uint64_t n, bool each_later) const {
    return fmt::format("where call {} of {}{}{}", n, called_, name_.empty() ? "" : ", on " + name_,
                       each_later ? ", and each later one" : "");
  }

  // With a fault in the n-th call, 0 for none, and in each later one or not.
  bool passes(std::uint64_t n, bool each_later = false) {
    ++runs_;
    rule_.times(each_later ? ~std::uint64_t{0} : 1);
    fired_ = 0;
    name_.clear();
    found_ = world_.run([this, n] { return run(n); }, how_.world);
    return found_.empty();
  }

  task<void> run(std::uint64_t n) {
    if (n == 0) co_return co_await body_();
    fault_rule rule = rule_.nth(n).may_not_fire();
    const fault injected = rule.fail(error_);
    sim::fault_list& all = world().network().faults();
    const counting until_it_ends{*this, injected, text_of(rule), all};
    all.set_excuse(&injected);  // what the body meant to meet with, it may not come to
    co_await body_();
  }

  std::string text_of(const fault_rule& rule) const {
    fault_terms terms = rule.terms();
    terms.effect = {fault_effect::kind::fail, error_};
    return terms.text();
  }

  // How often it has fired, and first on which file.
  struct counting {
    sweep& into;
    const fault& of;
    std::string text;
    sim::fault_list& all;
    counting(sweep& of_sweep, const fault& counted, std::string its_text, sim::fault_list& among) noexcept
        : into(of_sweep), of(counted), text(std::move(its_text)), all(among) {}
    counting(const counting&) = delete;
    counting& operator=(const counting&) = delete;
    ~counting() {
      all.set_excuse(nullptr);
      into.fired_ = of.fired();
      const bool on_files = into.fired_ != 0 && is_on_files(into.rule_.terms().what);
      for (const sim::fired_fault& each : all.log()) {
        if (on_files && into.name_.empty() && each.fault == text) into.name_ = each.name;
      }
      if (into.name_ == into.rule_.terms().to) into.name_.clear();  // which the call has in it
    }
  };

  // A sweep without a call has tested nothing.
  testing::AssertionResult nothing_in_scope() const {
    return testing::AssertionFailure() << fmt::format(
               "the sweep tests nothing: no call is in the scope of its rule on {}", called_);
  }

  testing::AssertionResult failed(const std::string& where) const {
    return testing::AssertionFailure() << fmt::format("the body fails {} (run {} of the sweep):{}", where, runs_,
                                                      found_);
  }
  testing::AssertionResult failed(std::uint64_t n, bool each_later) const {
    const std::string repeat = detail::repeat_line_of(detail::swept_fault{called_, n, each_later});
    testing::AssertionResult found = failed(place_of(n, each_later));
    if (!repeat.empty()) found << '\n' << repeat << '\n';  // GoogleTest puts a bracket behind it
    return found;
  }

  fault_rule rule_;
  int error_;
  const std::function<task<void>()>& body_;
  const sweep_options& how_;
  detail::swept_world world_;
  std::string called_;
  std::string name_;
  std::string found_;
  std::uint64_t runs_ = 0;
  std::uint64_t fired_ = 0;
};

}  // namespace

testing::AssertionResult fault_sweep(fault_rule rule, int error, const std::function<task<void>()>& body,
                                     const sweep_options& how) {
  return sweep(std::move(rule), error, body, how).all();
}

testing::AssertionResult fault_sweep(op what, const std::function<task<void>()>& body, const sweep_options& how,
                                     source where) {
  const error_list errors = errors_of(what);
  return fault_sweep(on(what, where), errors.count != 0 ? *errors.first : 0, body, how);
}

}  // namespace lockstep
