// The record of a run: what each step was, in 16 bytes, and one hash over all of them.
//
// Always on. The last `capacity` records are held, in memory that is recycled between runs; the hash covers every
// record since start(). It is made of identities, operations and times, never of lines, names or addresses, so it is
// the same on every compiler. What the steps add is worked out when somebody asks, or the memory is about to be used
// again, because a multiplication in every step would be what the next step waits for.
#pragma once

#include <lockstep/base/hash.hpp>
#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/choice/operation_kind.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

struct trace_record {
  // Of a step: its place. Of moved time: the new time in ns; of a value: the answer; of a task or an object that was
  // made, and of a fault: its identity.
  std::uint64_t payload;
  std::uint32_t task;   // the task's number in this run
  std::uint32_t label;  // the operation in the high 8 bits; the object's number, 0 for none, in the others

  operation_kind operation() const noexcept { return static_cast<operation_kind>(label >> 24); }
  std::uint32_t object() const noexcept { return label & 0xFFFFFF; }
  // Requires a record of a step.
  place where() const noexcept { return std::bit_cast<place>(payload); }
  // What every record adds to the hash; one that is no step adds its payload as well.
  std::uint64_t word() const noexcept { return word_of(task, label); }
  static constexpr std::uint64_t word_of(std::uint32_t task, std::uint32_t label) noexcept {
    return std::uint64_t{label} << 32 | task;
  }
  static constexpr std::uint32_t task_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
  static constexpr std::uint32_t label_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32);
  }
  bool is_step() const noexcept { return operation() < operation_kind::time_moved; }
};
static_assert(sizeof(trace_record) == 16);

// What a report says beside a record: of `subject` "balance" the `text` "= 20".
struct trace_note {
  static constexpr std::string_view awaited = "awaited";  // the subject, if the text is what the step awaited, in full

  std::size_t record;  // its index among all
  std::string subject;
  std::string text;
};

// Memory for what is kept of a run, which is no part of it: it does not fail where the run's memory is made to.
template <class T>
struct memory_of_records {
  using value_type = T;

  memory_of_records() = default;
  template <class U>
  memory_of_records(const memory_of_records<U>&) noexcept {}
  T* allocate(std::size_t count) {
    void* const block = std::malloc(count * sizeof(T));
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) noexcept { std::free(block); }
  bool operator==(const memory_of_records&) const noexcept = default;
};

// What happened between the steps, or within one: a packet that came, a fault.
struct trace_event {
  std::size_t record;  // the next one, by its index among all
  std::string text;
  bool grave = false;  // something failed or was lost
};

class trace {
 public:
  static constexpr std::size_t capacity = 4096;

  trace() : records_(std::make_unique<trace_record[]>(capacity)) { start(); }

  // Begins a new run; the memory stays.
  void start(std::uint64_t steps_max = ~std::uint64_t{0}, bool keep_all = false) {
    if (earlier_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      forget_earlier();
    others_.store(0, std::memory_order_relaxed);
    tasks_made_.store(0, std::memory_order_relaxed);
    payloads_ = 0;
    steps_max_ = steps_max;
    limit_passed_ = false;
    if (keep_all_) [[unlikely]]
      forget_all();
    keep_all_ = keep_all;
    if (keep_all) [[unlikely]]
      make_room(steps_max);
    trace_record* const first = records_.get();
    next_.store(first, std::memory_order_relaxed);
    end_ = first + (keep_all ? 1 : steps_max < capacity ? steps_max + 1 : capacity);
  }

  // What an operation on the object of that number, 0 for none, is in a record.
  static constexpr std::uint32_t label(operation_kind kind, std::uint32_t object) noexcept {
    return (object & 0xFFFFFF) | static_cast<std::uint32_t>(kind) << 24;
  }
  static constexpr operation_kind kind_of(std::uint32_t label) noexcept {
    return static_cast<operation_kind>(label >> 24);
  }

  // Adds a step. Returns whether it is to be seen to: there are more than the limit allows, or all is kept.
  bool step(std::uint32_t task, std::uint32_t label, const place& where) {
    return step(trace_record::word_of(task, label), where);
  }
  // The same of a task and a label in one word.
  bool step(std::uint64_t word, const place& where) {
    return store(std::bit_cast<std::uint64_t>(where), word) && turn();
  }
  void time_moved(std::uint64_t now_ns) { add_other(now_ns, 0, label(operation_kind::time_moved, 0)); }
  void value_picked(std::uint32_t task, identity domain, std::uint64_t value) {
    add_other(value, task, label(operation_kind::value_picked, static_cast<std::uint32_t>(domain)));
  }
  // Ties the numbers by which records name tasks and objects to their identities. That of a task is tasks_made()
  // before. Returns whether turn() must follow.
  [[nodiscard]] bool task_made(identity made) {
    payloads_ = roll_fast(payloads_, made);
    const std::uint32_t number = tasks_made();
    tasks_made_.store(number + 1, std::memory_order_relaxed);
    return store(made, trace_record::word_of(number, label(operation_kind::task_made, 0)));
  }
  std::uint32_t tasks_made() const noexcept { return tasks_made_.load(std::memory_order_relaxed); }
  // A fault was injected; the running task is that one, or 0.
  void fault_fired(std::uint32_t task, identity fault) {
    add_other(fault, task, label(operation_kind::fault_fired, 0));
  }
  // What follows is kept beside the records with `keep_all` only, and is no part of the hash.
  bool keeps_all() const noexcept { return keep_all_; }
  // What the code calls a task, and an object.
  void task_named(std::uint32_t number, std::string_view name) {
    if (keep_all_) [[unlikely]]
      names_[number] = name;
  }
  void object_named(std::uint32_t number, std::string_view name) {
    if (keep_all_ && !name.empty()) [[unlikely]]
      objects_[number] = name;
  }
  // On which host it runs, as its calls have shown.
  void task_on_host(std::uint32_t number, std::string_view host) {
    if (keep_all_) [[unlikely]]
      hosts_[number] = host;
  }
  void happened(std::string text, bool grave) {
    if (keep_all_) events_.push_back({all_.size(), std::move(text), grave});
  }
  // If the last is still that one, and no step was made since, it says this instead. Returns whether it is so.
  bool last_event_says(std::string_view before, std::string_view now);
  // Belongs to the last step of that task, if it has made one. Not kept if the step's last note of `subject` says the
  // same already, or "= " and the same.
  void note(std::uint32_t task, std::string_view subject, std::string_view text);
  // The same of a value that was drawn; such as one step draws of one label, in a row, are one note: "drew 3, 0, 5".
  // Without a label, the subject is "drew".
  void note_drawn(std::uint32_t task, std::string_view label, std::string_view value);
  // That step; null if it has made none.
  const trace_record* last_step_of(std::uint32_t task) const noexcept;
  // The last record, which is a step, has a better place.
  void last_step_is_at(const place& where) noexcept;
  void object_made(std::uint32_t task, std::uint32_t number, identity made) {
    add_other(made, task, label(operation_kind::object_made, number));
  }

  // The end was reached: of the memory, which begins again at the start; of the steps, which the last record is the
  // first too many of; or of a record to be kept. Returns whether that is to be seen to, as step() does.
  [[gnu::cold]] bool turn();
  // Whether there are more steps than the limit allows.
  bool limit_passed() const noexcept { return limit_passed_; }

  std::uint64_t hash() const noexcept;
  // The number of records since start(); may be asked from another thread.
  std::uint64_t count() const noexcept {
    const trace_record* next = next_.load(std::memory_order_relaxed);
    return earlier_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(next - records_.get());
  }
  // Those of them that are steps; from another thread, give or take the present one.
  std::uint64_t steps() const noexcept { return count() - others_.load(std::memory_order_relaxed) - tasks_made(); }
  // The records that are still held, the oldest first.
  std::vector<trace_record> recent() const;
  // The last names that were given, by the numbers of the tasks; with `keep_all`.
  const std::map<std::uint32_t, std::string>& names() const noexcept { return names_; }
  // Those of objects, by theirs.
  const std::map<std::uint32_t, std::string>& objects() const noexcept { return objects_; }
  // Of tasks that have made calls.
  const std::map<std::uint32_t, std::string>& hosts() const noexcept { return hosts_; }
  const std::vector<trace_event>& events() const noexcept { return events_; }
  // Those of one record in the order in which they were made.
  const std::vector<trace_note>& notes() const noexcept { return notes_; }
  // The hash as it was after each of these records. Requires that all are held: `keep_all`, or at most `capacity`.
  std::vector<std::uint64_t> hashes() const;

 private:
  // Of the words: several chains side by side, each of every n-th record, so that one multiplication does not wait for
  // the other.
  struct rolling_hash {
    std::uint64_t lanes[4] = {mix(1), mix(2), mix(3), mix(4)};

    // With these records behind it. Requires that their number so far is a multiple of 4.
    rolling_hash after(const trace_record* first, const trace_record* last) const noexcept;
    void add_one(const trace_record& record, std::uint64_t index) noexcept;
    std::uint64_t value(std::uint64_t payloads) const noexcept;
  };

  // Stored at once, as a step is made of little else. Returns whether turn() must follow.
  bool store(std::uint64_t payload, std::uint64_t word) {
    using halves = std::uint64_t __attribute__((vector_size(16)));
    constexpr bool task_is_low = std::endian::native == std::endian::little;
    const halves both = {payload, task_is_low ? word : std::rotl(word, 32)};
    trace_record* const record = next_.load(std::memory_order_relaxed);
    std::memcpy(record, &both, sizeof both);
    next_.store(record + 1, std::memory_order_relaxed);
    return record + 1 == end_;
  }
  void add_other(std::uint64_t payload, std::uint32_t task, std::uint32_t label) {
    others_.store(others_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    payloads_ = roll_fast(payloads_, payload);
    if (store(payload, trace_record::word_of(task, label))) turn();
  }
  void set_end() noexcept;
  // Where in notes_ those end that belong to the record or to an earlier one.
  std::vector<trace_note>::iterator end_of_notes(std::size_t record) noexcept;
  [[gnu::cold]] void forget_earlier() noexcept;
  [[gnu::cold]] void forget_all() noexcept;
  [[gnu::cold]] void make_room(std::uint64_t steps);

  std::unique_ptr<trace_record[]> records_;
  std::atomic<trace_record*> next_ = nullptr;
  trace_record* end_ = nullptr;
  std::atomic<std::uint64_t> earlier_ = 0;  // records before those from the start of the memory to next_
  std::atomic<std::uint64_t> others_ = 0;   // records of neither a step nor a task
  std::uint64_t payloads_ = 0;              // the chain of what is in records that are no steps
  std::atomic<std::uint32_t> tasks_made_ = 0;
  std::uint64_t steps_max_ = 0;
  bool limit_passed_ = false;
  rolling_hash earlier_hash_;  // of those that were overwritten, or will be next
  bool keep_all_ = false;
  std::vector<trace_record, memory_of_records<trace_record>> all_;
  std::map<std::uint32_t, std::string> names_;
  std::map<std::uint32_t, std::string> objects_;
  std::map<std::uint32_t, std::string> hosts_;
  std::vector<trace_note> notes_;
  std::vector<trace_event> events_;
};

}  // namespace lockstep
