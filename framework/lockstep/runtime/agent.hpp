// The control block of one task: who it is, where it waits, whether it was cancelled, whether anybody looked.
//
// A loop schedules agents; a spawned coroutine is one kind. Deadlock reports, stacks, wait graphs, leak reports and
// cancellation all read this block.
//
// State
//   ready    in the ready queue, or about to start
//   running  its step is being made
//   parked   waits at `parked_at()`
//   done     finished: a result, an exception or a cancellation; the frame with the result may still be there
//   dead     its frames were destroyed before it finished
//
// Lifetime: counted. The owner (handle, group, or the loop for daemons) and each child's `parent()` keep it.
// Threads: everything happens on the loop's thread, within its run. To change a task from elsewhere is misuse, which is
// thrown there, and a verdict of the run that the task belongs to (`require_here`).
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/operation.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <bit>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <version>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace lockstep {

class loop;

class inbox;
class scoped_annotation;
class shield_scope;

namespace detail {

class foreign_wait;
class result_scope;

// Told when a task that it watches has finished, on the loop's thread, within the task's last step. A task has one at
// most: what it was spawned into.
class finish_listener {
 public:
  virtual void finished(agent& who) noexcept = 0;
  // Whether what it watches calls a function and is no coroutine of the user's.
  virtual bool watches_callback() const noexcept { return false; }

 protected:
  ~finish_listener() = default;
};

// The same for one task that belongs to somebody else, of which there may be any number: they are told in the order in
// which they came, before the listener.
class finish_watch : public finish_listener, public list_hook<finish_watch> {
 protected:
  finish_watch() noexcept { mark_unlinked(); }
  ~finish_watch() = default;
};
class selection;

// What a task-local variable is, in one task.
struct bound_value {
  const void* variable;
  std::shared_ptr<const void> value;
};
using bound_values = std::vector<bound_value>;  // each variable once

// Says that who asks a task for something is the library, whose answer is the same whenever it asks, or which tells the
// observer of the run itself: see agent::finished().
struct unseen_t {};
inline constexpr unseen_t unseen;

enum class task_state : std::uint8_t {
  ready,  // also while it is running, but for what others see
  running,
  parked,
  done,
  dead
};

// What each step of a task touches, first in its block and half a cache line long.
struct step_state {
  // What a step's record is made of, beside its place: the task's number, and what its next step, or the present one,
  // is. One word, as it is in the record: of two, a step that comes soon after one was stored would wait until that has
  // reached the cache.
  std::uint64_t word_;
  std::coroutine_handle<> leaf_;  // what a step resumes
  frame* leaf_frame_;             // the innermost frame of ours, which runs or waits; null when the task has ended
  operation* operation_;          // where it waits, or waited before this step; null if no frame holds that
  std::uint16_t attention_;       // see loop::attention
  task_state state_ = task_state::dead;
  struct marks {
    bool main : 1 = false;
    bool daemon : 1 = false;
    bool observed : 1 = false;
    bool cancelled : 1 = false;   // it ended by that
    bool in_foreign : 1 = false;  // awaits something foreign, whose coroutines act in its name
    bool watched : 1 = false;     // by a finish_listener or a finish_watch
    bool outlives : 1 = false;    // its run: a handle keeps it
    bool has_values : 1 = false;  // of task-local variables, or has had; all eight are made by one store
  } is_;
};

}  // namespace detail

class agent : private detail::step_state {
 public:
  using state = detail::task_state;

  identity id() const noexcept { return identity_; }
  std::uint32_t number() const noexcept { return trace_record::task_of(word_); }
  // What one task asks another is an access of its step, as the answer may be another one in another order: the
  // observer of the run is told, but for `unseen`. The steps that an oracle knew of; an order of tasks that is not
  // picked is not counted.
  std::uint32_t steps() const noexcept;
  state condition() const noexcept;
  state condition(detail::unseen_t) const noexcept;
  bool finished() const noexcept;
  bool finished(detail::unseen_t) const noexcept { return state_ >= state::done; }
  agent* parent() const noexcept { return parent_; }
  const source& spawned_at() const noexcept { return spawned_at_; }
  bool daemon() const noexcept { return is_.daemon; }
  // Whether it is there to call a function once, see callback.hpp.
  inline bool is_callback() const noexcept;
  // A daemon that is not cancelled when the run ends.
  bool cleans_up() const noexcept { return rare_ && rare_->cleans_up; }
  // Null also if nothing can end the wait any more, because what it waited for is gone.
  const operation* parked_at() const noexcept;
  const operation* parked_at(detail::unseen_t) const noexcept {
    return state_ == state::parked && !operation_->stopped() ? operation_ : nullptr;
  }

  // Whether its next step is the one after a yield.
  bool yields() const noexcept { return step_label() == trace::label(operation_kind::yield, 0); }

  // The given name, else the coroutine's name and the path: "reader", "fetch 1.2".
  std::string name() const;
  std::string name(detail::unseen_t) const;
  // "main", "1", "1.2": the ordinals of the spawns that lead here.
  std::string path() const;
  void rename(label name);
  void rename(label name, detail::unseen_t);

  // Asks it to stop: counted, and delivered as `cancelled` at its present or next await, or where the shield around it
  // ends; a task that returns before is cancelled too. Returns whether it was not finished. The last reason counts.
  bool cancel(label reason = {}, source where = source::current());
  // Takes one request back and returns how many are left. Requires cancelling() > 0.
  unsigned uncancel(source where = source::current());
  // The requests that were made and not taken back, those that a shield keeps for later among them.
  unsigned cancelling() const noexcept;
  // Whether it ended by `cancelled`.
  bool was_cancelled() const noexcept;
  bool was_cancelled(detail::unseen_t) const noexcept { return is_.cancelled; }

  // The exception that ended it; null if none did.
  std::exception_ptr failure() const noexcept;
  std::exception_ptr failure(detail::unseen_t) const noexcept;
  // The same of one that was cancelled: the `cancelled` that left it, or what it would have got. Requires that it has
  // finished without a result.
  std::exception_ptr thrown() const;
  std::exception_ptr thrown(detail::unseen_t) const;
  // Marks its outcome as seen, so that an exception in it is no verdict.
  void observe() noexcept { is_.observed = true; }

  label cancel_reason() const;
  label cancel_reason(detail::unseen_t) const { return rare_ ? rare_->cancel_reason : label(); }
  wait_list& joiners() noexcept { return joiners_; }
  // The request to cancel went on to what it waits for, and is delivered to it as well when that has ended.
  void keep_cancellation() noexcept;
  // Whether a request waits for the next await. It is delivered then: the caller throws `cancelled`.
  bool accept_cancellation() noexcept;
  // An assertion of it has failed: it goes no further than its next await, until it is pardoned.
  void doom() noexcept;
  void pardon() noexcept;
  // Something may end its waits, and those of what it spawned, from outside: a cycle of waits through one of them is
  // not final then.
  void add_rescue(int change) noexcept { rescues_ = static_cast<std::uint16_t>(rescues_ + change); }
  bool has_rescue() const noexcept { return rescues_ != 0; }
  void listen(detail::finish_listener* listener) noexcept {
    listener_ = listener;
    is_.watched = listener != nullptr;
  }
  // Tells `watch`, which must live until it was told or is taken off.
  void add_watch(detail::finish_watch& watch);
  void take_off_watch(detail::finish_watch& watch) noexcept;
  // A number for the listener, which keeps many.
  void keep_at(std::uint32_t place) noexcept { kept_at_ = place; }
  std::uint32_t kept_at() const noexcept { return kept_at_; }
  // Of its task-local variables, see task_local.hpp; null for none.
  const detail::bound_values* values() const noexcept { return rare_ ? rare_->values : nullptr; }
  detail::bound_values& values_to_change();
  // Has others instead, which must live for as long as it has them; null for its own. Returns those it had.
  detail::bound_values* exchange_values(detail::bound_values* others);
#ifdef __cpp_lib_jthread
  // Stops when the task is cancelled.
  std::stop_token stop_token();
  // cancel() by a stop token. Where that is misuse, it is reported and not thrown.
  void stop_requested() noexcept;
#endif

  // Whether its loop is the one that runs here.
  inline bool is_here() const noexcept;
  // For what may be done with it only there: misuse elsewhere, as in `task "reader" was cancelled on another thread`.
  inline void require_here(const char* deed, source where) const;
  // The same for what cannot throw.
  void tell_elsewhere(const char* deed, const source& where) const noexcept;
  // Its owner lets go of it where it is not at home.
  void dropped_elsewhere() noexcept;

  // The user's lines at which it stands, innermost frame first.
  std::vector<place> stack() const;
  std::vector<place> stack(detail::unseen_t) const;
  // What follows is for reports: where there is no memory for it, they show less.
  // For who is about to throw `thrown` in its name: it comes from these tasks, as trail_of() tells of them.
  void passes_on(const std::exception_ptr& thrown, std::vector<task_snapshot> from) noexcept;
  // The same in a handler of its innermost frame: `thrown` takes the place of what was caught.
  void throws_instead(const std::exception_ptr& thrown) noexcept;
  // The same, where what was caught is thrown on: reports of it carry this note.
  void notes_of_caught(std::string_view note) noexcept;
  // Its innermost frame of ours, which runs or waits, is now this one.
  void stands_at(frame* innermost) noexcept { leaf_frame_ = innermost; }
  frame* stands_at() const noexcept { return leaf_frame_; }

 private:
  friend class inbox;
  friend class loop;
  friend class agent_pool;
  friend struct frame;
  friend class object;
  friend class scoped_annotation;
  friend class timeout_scope;
  friend class shield_scope;
  friend class task_group;
  friend class agent_owner;
  friend class detail::foreign_wait;
  friend class detail::result_scope;
  friend class detail::selection;
  friend class snapshot_builder;

  // An exception on its way out of the frames of a task. It is not kept, as what it holds must go when its handler has
  // ended; then another may get its address. That is taken for another if its type differs, or if the frame has awaited
  // since the first one came, and the texts differ.
  struct flight {
    const void* thrown;               // its address
    const std::type_info* type;       // null for what is not C++'s
    std::string text;                 // what it says
    const frame* next;                // which it reaches next; null when it has left the task
    place arrived;                    // where that stood when it came
    std::vector<place> stack;         // where it was thrown, innermost first
    std::vector<task_snapshot> from;  // the tasks that it has left before
    std::vector<std::string> notes;   // of what it came across
  };

  // What few tasks have, made when it is first needed.
  struct rarities {
    label name;
    label cancel_reason;
    scoped_annotation* annotations = nullptr;
    shield_scope* shield = nullptr;  // the innermost around where it is
    std::vector<flight> flights;     // of the last few exceptions, the latest last
    intrusive_list<detail::finish_watch, detail::finish_watch> watches;
    detail::foreign_wait* foreign = nullptr;  // the foreign thing it awaits
    std::coroutine_handle<> foreign_leaf;     // the coroutine that awaits it
    frame* foreign_frame = nullptr;           // and its frame
    detail::bound_values own_values;
    detail::bound_values* values = &own_values;
    bool cleans_up = false;  // a daemon that the end of the run waits for
#ifdef __cpp_lib_jthread
    std::optional<std::stop_source> stop;
#endif
    void forget_cancellation() noexcept;
  };
  struct forget_rarities {
    [[gnu::cold]] void operator()(rarities* made) const noexcept;
  };
  using inheritance = std::unique_ptr<rarities, forget_rarities>;
  // What a task that is spawned here and now gets of its spawner; null for nothing.
  static inheritance to_inherit();
  void inherit(inheritance given) noexcept {
    is_.has_values = given != nullptr;
    rare_ = std::move(given);
  }
  // Tells the observer that the present step looks at what the task's end, a request to cancel it and a new name
  // change.
  void is_looked_at() const noexcept;
  // The same of what each of its steps changes, and whoever makes it ready.
  void is_watched() const noexcept;
  inbox& home() const noexcept;
  [[noreturn]] void refuse(const char* deed, source where) const;
  detail::usage use_of(const char* deed, const source& where) const;
  rarities& rare();
  // Without memory, a reason is lost and the request is not.
  [[gnu::cold]] void keep_reason(label reason) noexcept;
  flight* find_flight(const std::exception_ptr& thrown, const frame* reached);
  void leaves(const std::exception_ptr& thrown, const frame& left) noexcept;
  flight& begin_flight(const std::exception_ptr& thrown, const frame* at, std::vector<place> stack,
                       std::vector<task_snapshot> from);
  shield_scope* shield() const noexcept { return rare_ ? rare_->shield : nullptr; }
  // cancel() by a scope of the task's own that stands within `shield`, which does not keep this request from reaching
  // it; null for none. A reason that was given before stays.
  void cancel_within(const shield_scope* shield, label reason);
  void request_cancellation();
#ifdef __cpp_lib_jthread
  [[gnu::cold]] bool stop_its_token();
#endif
  // Delivers a request to it where it is parked, or passes it on to what it waits for.
  void cancel_wait() noexcept;
  // The requests that are no news to a scope which begins now: not the one that its first await delivers.
  inline unsigned requests_delivered() const noexcept;
  // Takes the request of such a scope back. Returns whether no other was made since there were `requests_before`.
  bool end_request(unsigned requests_before);

  // A block that waits for a task.
  agent() noexcept = default;
  // A new task's, ready to start at `root`, for one owner.
  void begin(identity id, std::uint32_t number, std::coroutine_handle<> root, frame& first, agent* parent,
             std::uint32_t ordinal, source spawned_at) noexcept {
    leaf_ = root;
    leaf_frame_ = &first;
    operation_ = nullptr;
    word_ = trace_record::word_of(number, trace::label(operation_kind::start, 0));
    attention_ = 0;
    state_ = state::ready;
    is_ = {};
    references_ = 1;
    root_ = root;
    identity_ = id;
    parent_ = parent;
    spawned_at_ = spawned_at;
    ordinal_ = ordinal;
    steps_ = spawned_ = objects_made_ = 0;
    rescues_ = cancel_requests_ = 0;
    if (parent != nullptr) ++parent->references_;
  }

  // The frame that it started with; null if it stands for a foreign coroutine.
  frame* start_frame() const noexcept { return root_ ? start_frame_of(root_) : nullptr; }
  static frame* start_frame_of(std::coroutine_handle<> root) noexcept {
    return &std::coroutine_handle<frame>::from_address(root.address()).promise();
  }
  void waits_at(operation& op) noexcept {
    operation_ = &op;
    is_now(op.label_);
  }
  std::uint32_t step_label() const noexcept { return trace_record::label_of(word_); }
  void is_now(std::uint32_t label) noexcept { word_ = trace_record::word_of(number(), label); }

  // With what a step touches, one cache line.
  std::uint32_t references_;
  wait_list joiners_;
  std::coroutine_handle<> root_;  // destroyed with the last owner; null if it stands for a foreign coroutine
  // The other line.
  detail::finish_listener* listener_;  // if it is watched; may be null then
  identity identity_;
  agent* parent_;
  source spawned_at_;
  inheritance rare_;
  std::uint32_t ordinal_;
  std::uint32_t kept_at_;  // by the listener, if it is watched
  // All zero at its begin.
  std::uint32_t steps_;
  std::uint32_t spawned_;
  std::uint32_t objects_made_;
  std::uint16_t rescues_;          // timeouts armed around where it is, and races that it runs
  std::uint16_t cancel_requests_;  // those that may reach it: no shield keeps them
};

// What reports call them.
std::vector<std::string> names_of(const std::vector<agent*>& tasks);
// The same in one line, which of many names only the first: "a, b, c, d, e, f, g, h and 92 more".
std::string list_of(const std::vector<agent*>& tasks);

inline bool agent::is_callback() const noexcept {
  return is_.watched && listener_ != nullptr && listener_->watches_callback();
}

}  // namespace lockstep
