#include <lockstep/runtime/agent.hpp>

#include <lockstep/runtime/annotation.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/snapshot.hpp>
#include <lockstep/runtime/task_local.hpp>

#include <fmt/format.h>

#include <cxxabi.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>

namespace lockstep {

// -- agent ------------------------------------------------------------------------------------------------------------

agent::rarities& agent::rare() {
  if (!rare_) rare_.reset(new rarities);
  return *rare_;
}

void agent::forget_rarities::operator()(rarities* made) const noexcept { delete made; }

detail::bound_values& agent::values_to_change() {
  is_.has_values = true;
  return *rare().values;
}

detail::bound_values* agent::exchange_values(detail::bound_values* others) {
  is_.has_values = true;
  return std::exchange(rare().values, others != nullptr ? others : &rare().own_values);
}

agent::inheritance agent::to_inherit() {
  const detail::bound_values* const here = detail::values_here();
  inheritance given;
  if (here != nullptr && !here->empty()) {
    given.reset(new rarities);
    given->own_values = *here;
  }
  return given;
}

std::string agent::path() const {
  if (parent_ == nullptr) return "main";
  std::vector<std::uint32_t> ordinals;
  for (const agent* at = this; at->parent_ != nullptr; at = at->parent_) ordinals.push_back(at->ordinal_);
  return fmt::format("{}", fmt::join(ordinals.rbegin(), ordinals.rend(), "."));
}

std::string agent::name(detail::unseen_t) const {
  if (rare_ && !rare_->name.empty()) return std::string(rare_->name.view());
  if (parent_ == nullptr) return "main";
  const frame* const start = start_frame();
  if (start == nullptr) return (is_.in_foreign ? "foreign coroutine " : "task ") + path();
  std::string made = fmt::format("{} {}", function_of(start->where), path());
  if (is_callback()) made += fmt::format(" ({})", file_and_line(spawned_at_));
  return made;
}

void agent::rename(label name, detail::unseen_t) {
  if (loop* owner = current_loop(); owner != nullptr) {
    const sparing_allocations of_the_trace;
    owner->trace_.task_named(number(), name.view());
  }
  rare().name = std::move(name);
}

std::vector<std::string> names_of(const std::vector<agent*>& tasks) {
  std::vector<std::string> names;
  names.reserve(tasks.size());
  for (const agent* who : tasks) names.push_back(who->name(detail::unseen));
  return names;
}

std::string list_of(const std::vector<agent*>& tasks) {
  constexpr std::size_t most = 8;
  if (tasks.size() <= most) return fmt::format("{}", fmt::join(names_of(tasks), ", "));
  const std::vector<agent*> first(tasks.begin(), tasks.begin() + most);
  return fmt::format("{} and {} more", fmt::join(names_of(first), ", "), tasks.size() - most);
}

inbox& agent::home() const noexcept { return agent_pool::of(*this).home(); }

// By what does not change while it lives: this may be another thread.
detail::usage agent::use_of(const char* deed, const source& where) const {
  const bool named = rare_ && !rare_->name.empty();
  return {fmt::format("task \"{}\"", named ? std::string(rare_->name.view()) : path()), identity_, deed, where};
}

void agent::refuse(const char* deed, source where) const {
  inbox& mine = home();
  mine.refuse(mine.run(), use_of(deed, where));
}

void agent::tell_elsewhere(const char* deed, const source& where) const noexcept {
  inbox& mine = home();
  static_cast<void>(mine.tell(mine.run(), use_of(deed, where)));
}

void agent::dropped_elsewhere() noexcept {
  std::optional<detail::usage> use;
  if (!is_.outlives) use = use_of("lost its handle", spawned_at_);
  home().take_over(*this, std::move(use));
}

void agent::keep_reason(label reason) noexcept {
  try {
    rare().cancel_reason = std::move(reason);
  } catch (const std::bad_alloc&) {
  }
}

bool agent::cancel(label reason, source where) {
  require_here("was cancelled", where);
  detail::touch(identity_, access::write);
  if (finished(detail::unseen)) return false;
  if (shield_scope* kept_by = shield(); kept_by != nullptr) {
    kept_by->within(nullptr).keep_request(std::move(reason), true);
    return true;
  }
  if (!reason.empty() || rare_) keep_reason(std::move(reason));
  request_cancellation();
  return true;
}

void agent::cancel_within(const shield_scope* shield_of_asker, label reason) {
  detail::touch(identity_, access::write);
  if (finished(detail::unseen)) return;
  if (shield_scope* innermost = shield(); innermost != shield_of_asker) {
    innermost->within(shield_of_asker).keep_request(std::move(reason), false);
    return;
  }
  if (cancel_requests_ == 0) keep_reason(std::move(reason));
  request_cancellation();
}

void agent::request_cancellation() {
  ++cancel_requests_;
#ifdef __cpp_lib_jthread
  if (rare_ && rare_->stop && !stop_its_token()) return;
#endif
  if (state_ != state::parked) {
    if (const detail::context* const context = detail::current_context; context->observer != nullptr) {
      // A task that runs may have left the operation behind.
      const bool waits_to_run = state_ == state::ready && context->owner->seat_of(*this) == nullptr;
      if (waits_to_run && operation_ != nullptr) operation_->touch_end();
    }
    attention_ |= loop::attention_cancel;
    return;
  }
  detail::here().owner->cancel_wait(*this);
}

void agent::cancel_wait() noexcept {
  operation& at = *operation_;
  if (at.progress_ != operation::progress::parked) return;  // stopped for good
  if (detail::current_context->observer != nullptr) at.touch_end();
  if (at.cancel_requested()) {
    attention_ |= loop::attention_swallow;
    at.progress_ = operation::progress::cancelled;
    state_ = state::ready;
    detail::here().owner->make_ready(*this);
  }
}

unsigned agent::uncancel(source where) {
  require_here("was uncancelled", where);
  detail::touch(identity_, access::write);
  if (cancel_requests_ != 0) {
    if (--cancel_requests_ == 0) {
      constexpr int pending = loop::attention_cancel | loop::attention_swallow;
      attention_ = static_cast<std::uint16_t>(attention_ & ~pending);
      if (rare_) rare_->forget_cancellation();
    }
    return cancelling();
  }
  for (shield_scope* at = shield(); at != nullptr; at = at->outer_) {
    if (at->take_request_back()) return cancelling();
  }
  detail::here().owner->misused(fmt::format("uncancel() of task \"{}\", which has no request to cancel it", name()),
                                where);
}

bool agent::end_request(unsigned requests_before) {
  if (cancel_requests_ > requests_before) uncancel();
  if (cancel_requests_ > requests_before) return false;
  // What was delivered was this request, so nothing is being swallowed.
  attention_ = static_cast<std::uint16_t>(attention_ & ~loop::attention_swallow);
  return true;
}

unsigned agent::cancelling() const noexcept {
  detail::touch(identity_, access::read);
  unsigned requests = cancel_requests_;
  for (const shield_scope* at = shield(); at != nullptr; at = at->outer_) requests += at->requests_;
  return requests;
}

// From now on the loop makes its calls, and refuses.
void agent::doom() noexcept {
  detail::touch(everything, access::write);  // nobody makes another step
  attention_ |= loop::attention_doomed;
  detail::current_context->stack_end = detail::current_context->stack_limit + detail::context::stack_bytes;
}

void agent::pardon() noexcept {
  attention_ = static_cast<std::uint16_t>(attention_ & ~loop::attention_doomed);
  detail::current_context->stack_end = detail::current_context->stack_limit;
}

void agent::add_watch(detail::finish_watch& watch) {
  rare().watches.push_back(watch);
  if (!is_.watched) listen(nullptr);
  is_.watched = true;
}

void agent::take_off_watch(detail::finish_watch& watch) noexcept {
  watch.unlink();
  is_.watched = listener_ != nullptr || !rare_->watches.empty();
}

void agent::keep_cancellation() noexcept { attention_ |= loop::attention_cancel; }

bool agent::accept_cancellation() noexcept {
  if ((attention_ & loop::attention_cancel) == 0) return false;
  attention_ = static_cast<std::uint16_t>((attention_ & ~loop::attention_cancel) | loop::attention_swallow);
  return true;
}

void agent::rarities::forget_cancellation() noexcept {
  cancel_reason = {};
#ifdef __cpp_lib_jthread
  stop.reset();  // a token that is asked for from now on is not stopped
#endif
}

#ifdef __cpp_lib_jthread
// What its token calls may do anything. Returns whether the request still stands: it may have been taken back, or the
// task destroyed.
bool agent::stop_its_token() {
  std::stop_source stop = *rare_->stop;
  loop::retain(*this);
  stop.request_stop();
  const bool stands = !finished(detail::unseen) && cancel_requests_ != 0;
  loop::release(*this);
  return stands;
}

void agent::stop_requested() noexcept {
  if (!is_here()) return tell_elsewhere("was cancelled by its stop_token", source());
  cancel("stop requested");
}

std::stop_token agent::stop_token() {
  require_here("was asked for its stop_token", source());
  if (!rare().stop) {
    rare().stop.emplace();
    if (cancel_requests_ != 0) rare().stop->request_stop();
  }
  return rare().stop->get_token();
}
#endif

agent::state agent::condition(detail::unseen_t) const noexcept {
  const detail::context* context = detail::current_context;
  const bool runs = state_ == state::ready && context != nullptr && context->owner->seat_of(*this) != nullptr;
  return runs ? state::running : state_;
}

std::exception_ptr agent::failure(detail::unseen_t) const noexcept {
  const frame* const start = start_frame();
  return start != nullptr && !is_.cancelled ? start->failure : nullptr;
}

std::exception_ptr agent::thrown(detail::unseen_t) const {
  const frame* const start = start_frame();  // null if it was destroyed
  if (start != nullptr && start->failure) return start->failure;
  return std::make_exception_ptr(cancelled(cancel_reason(detail::unseen)));
}

namespace {

std::vector<place> lines_from(const frame* innermost) {
  std::vector<place> lines;
  for (const frame* at = innermost; at != nullptr && at != &no_frame; at = at->caller) {
    if (!is_internal(at->where) && !file_of(at->where).empty()) lines.push_back(at->where);
  }
  return lines;
}

}  // namespace

std::vector<place> agent::stack(detail::unseen_t) const {
  return lines_from(finished(detail::unseen) ? nullptr : leaf_frame_);
}

// -- frame ------------------------------------------------------------------------------------------------------------

void frame::leave_by_exception() noexcept {
  if (detail::current_context != nullptr && detail::current_context->destroyed == this) {
    fmt::print(stderr, "lockstep: a destructor threw while {}() was destroyed before its end: {}\n", function_of(where),
               text_of(std::current_exception()));
    std::terminate();  // as in every destructor that is called while something else is under way
  }
  failure = std::current_exception();
  agent* who = detail::current_context != nullptr ? detail::current_context->running : nullptr;
  if (who != nullptr) who->leaves(failure, *this);
}

namespace {

const void* address_of(const std::exception_ptr& thrown) noexcept {
  static_assert(sizeof thrown == sizeof(void*), "an exception_ptr is one pointer");
  const void* address = nullptr;
  std::memcpy(&address, static_cast<const void*>(&thrown), sizeof address);
  return address;
}

const std::type_info* type_of(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    return abi::__cxa_current_exception_type();
  }
}

}  // namespace

// Requires that `thrown` is the current exception.
agent::flight* agent::find_flight(const std::exception_ptr& thrown, const frame* reached) {
  if (!rare_) return nullptr;
  const void* const address = address_of(thrown);
  for (auto at = rare_->flights.rbegin(); at != rare_->flights.rend(); ++at) {
    if (at->next != reached || at->thrown != address || at->type != abi::__cxa_current_exception_type()) continue;
    if (reached == nullptr || at->arrived == reached->where || at->text == text_of(thrown)) return &*at;
  }
  return nullptr;
}

// Remembers from where the exception came. It is still the same exception when it reaches the caller of the frame
// that it left last, perhaps after it was caught, kept and thrown again, while others came and went.
void agent::leaves(const std::exception_ptr& thrown, const frame& left) noexcept {
  try {
    flight* under_way = find_flight(thrown, &left);
    if (under_way == nullptr) under_way = &begin_flight(thrown, &left, lines_from(&left), {});
    under_way->next = left.caller;
    if (left.caller != nullptr) under_way->arrived = left.caller->where;
  } catch (const std::bad_alloc&) {
  }
}

agent::flight& agent::begin_flight(const std::exception_ptr& thrown, const frame* at, std::vector<place> stack,
                                   std::vector<task_snapshot> from) {
  constexpr std::size_t kept_max = 8;
  std::vector<flight>& flights = rare().flights;
  if (flights.size() == kept_max) flights.erase(flights.begin());
  return flights.emplace_back(flight{address_of(thrown),
                                     type_of(thrown),
                                     text_of(thrown),
                                     at,
                                     at != nullptr ? at->where : place(),
                                     std::move(stack),
                                     std::move(from),
                                     {}});
}

void agent::passes_on(const std::exception_ptr& thrown, std::vector<task_snapshot> from) noexcept {
  try {
    begin_flight(thrown, leaf_frame_, lines_from(leaf_frame_), std::move(from));
  } catch (const std::bad_alloc&) {
  }
}

void agent::throws_instead(const std::exception_ptr& thrown) noexcept {
  try {
    if (const flight* found = find_flight(std::current_exception(), leaf_frame_); found != nullptr) {
      begin_flight(thrown, leaf_frame_, std::vector<place>(found->stack), std::vector<task_snapshot>(found->from));
    }
  } catch (const std::bad_alloc&) {
  }
}

void agent::notes_of_caught(std::string_view note) noexcept {
  try {
    if (flight* found = find_flight(std::current_exception(), leaf_frame_); found != nullptr) {
      found->notes.emplace_back(note);
    }
  } catch (const std::bad_alloc&) {
  }
}

// -- operation and object ---------------------------------------------------------------------------------------------

std::string operation::describe() const {
  const std::string_view text = name_of(kind());
  if (what_ == nullptr) return std::string(text);
  if (!what_->name().empty()) return fmt::format("{} \"{}\"", text, what_->name());
  return fmt::format("{} #{}", text, what_->number());
}

agent* operation::holder() const noexcept { return what_ != nullptr ? what_->holder() : nullptr; }

bool operation::part_from(const object& dying, wait_list& orphans) noexcept {
  if (what_ != &dying) return false;
  if (progress_ == progress::switching) {
    progress_ = progress::parked;
    orphans.push_back(*this);
    return true;
  }
  if (progress_ == progress::granted && needs_object_to_return()) {
    orphan();
    return true;
  }
  what_ = nullptr;
  return false;
}

// -- annotations ------------------------------------------------------------------------------------------------------

scoped_annotation::scoped_annotation(std::string text, source where) : text_(std::move(text)), where_(where) {
  owner_ = detail::current_context != nullptr ? detail::current_context->running : nullptr;
  if (owner_ == nullptr) return;
  outer_ = std::exchange(owner_->rare().annotations, this);
}

scoped_annotation::~scoped_annotation() {
  if (owner_ != nullptr) owner_->rare().annotations = outer_;
}

const scoped_annotation* scoped_annotation::innermost() noexcept {
  const agent* who = detail::current_context != nullptr ? detail::current_context->running : nullptr;
  return who != nullptr && who->rare_ ? who->rare_->annotations : nullptr;
}

// -- snapshots --------------------------------------------------------------------------------------------------------

class snapshot_builder {
 public:
  static task_snapshot of(const agent& who) {
    task_snapshot made;
    made.name = who.name(detail::unseen);
    made.spawned_at = who.spawned_at_;
    made.daemon = who.is_.daemon;
    made.stack = who.stack(detail::unseen);
    switch (who.condition(detail::unseen)) {
      case agent::state::ready:
        made.state = task_snapshot::condition::ready;
        if ((who.attention_ & loop::attention_frozen) == 0) break;
        made.state = task_snapshot::condition::waiting;
        made.waits_for = "its host, which is paused";
        break;
      case agent::state::running: made.state = task_snapshot::condition::running; break;
      case agent::state::parked: made.state = task_snapshot::condition::waiting; break;
      case agent::state::done:
      case agent::state::dead: made.state = end_of(who); break;
    }
    if (const operation* at = who.parked_at(detail::unseen); at != nullptr) {
      made.waits_for = at->describe();
      if (const agent* holder = at->holder(); holder != nullptr) made.held_by = holder->name(detail::unseen);
    } else if (who.condition(detail::unseen) == agent::state::parked) {
      made.waits_for = fmt::format("{}, which is gone", name_of(who.operation_->kind()));
    }
    if (who.rare_) {
      if (const agent::flight* out = flight_out_of(who); out != nullptr) {
        made.stack = out->stack;
        made.notes = out->notes;
      }
      for (const scoped_annotation* at = who.rare_->annotations; at != nullptr; at = at->outer()) {
        made.notes.insert(made.notes.begin(), fmt::format("{}: {}", file_and_line(at->where()), at->text()));
      }
    }
    return made;
  }

  static std::vector<task_snapshot> trail_of(const agent& failed) {
    std::vector<task_snapshot> trail{of(failed)};
    add_what_ended(failed, trail, 0);
    return trail;
  }

  static void add_what_ended(const agent& who, std::vector<task_snapshot>& tasks, std::size_t at) {
    if (const agent::flight* out = flight_out_of(who); out != nullptr) add_trail(tasks, at, out->from);
  }

  static std::vector<task_snapshot> trail_of_caught(agent& catcher, std::string part) {
    std::vector<task_snapshot> trail(1);
    trail[0].name = std::move(part);
    trail[0].state = task_snapshot::condition::failed;
    if (const agent::flight* caught = catcher.find_flight(std::current_exception(), catcher.leaf_frame_)) {
      trail[0].stack = caught->stack;
      trail[0].notes = caught->notes;
      add_trail(trail, 0, caught->from);
    }
    return trail;
  }

 private:
  static task_snapshot::condition end_of(const agent& who) {
    if (who.was_cancelled(detail::unseen)) return task_snapshot::condition::cancelled;
    return who.failure(detail::unseen) != nullptr ? task_snapshot::condition::failed
                                                  : task_snapshot::condition::finished;
  }

  // Of the exception that ended it.
  static const agent::flight* flight_out_of(const agent& who) {
    if (!who.rare_ || end_of(who) == task_snapshot::condition::finished) return nullptr;
    const std::vector<agent::flight>& flights = who.rare_->flights;
    const auto out = std::find_if(flights.rbegin(), flights.rend(), [](const auto& each) { return !each.next; });
    return out != flights.rend() ? &*out : nullptr;
  }
};

std::vector<task_snapshot> trail_of(const agent& failed) noexcept {
  try {
    return snapshot_builder::trail_of(failed);
  } catch (const std::bad_alloc&) {
    return {};
  }
}

std::vector<task_snapshot> trail_of_caught(agent& catcher, std::string_view part) noexcept {
  try {
    return snapshot_builder::trail_of_caught(catcher, std::string(part));
  } catch (const std::bad_alloc&) {
    return {};
  }
}

std::vector<task_snapshot> snapshot_of(std::vector<agent*> tasks) {
  std::optional<loop::finding> holders;
  if (loop* here = current_loop(); here != nullptr) holders.emplace(*here);
  const auto older = [](const agent* a, const agent* b) { return a->number() < b->number(); };
  std::stable_sort(tasks.begin(), tasks.end(), older);
  tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
  std::map<identity, const agent*> by_identity;
  for (const agent* who : tasks) by_identity.emplace(who->id(), who);
  std::vector<task_snapshot> made;
  for (const agent* who : tasks) {
    made.push_back(snapshot_builder::of(*who));
    if (const operation* at = who->parked_at(detail::unseen); at != nullptr && at->feeder() != who->id()) {
      const auto feeder = by_identity.find(at->feeder());
      if (feeder != by_identity.end()) made.back().fed_by = feeder->second->name(detail::unseen);
    }
    for (const agent* at = who->parent(); at != nullptr && !made.back().parent; at = at->parent()) {
      const auto found = std::lower_bound(tasks.begin(), tasks.end(), at, older);
      if (found != tasks.end() && *found == at) made.back().parent = static_cast<std::size_t>(found - tasks.begin());
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) snapshot_builder::add_what_ended(*tasks[i], made, i);
  return made;
}

}  // namespace lockstep
