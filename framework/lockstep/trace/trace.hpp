// The record of a run: what each step was, in 16 bytes, and one rolling hash over all of them.
//
// Always on. The last `capacity` records are kept, in memory that is recycled between runs; the hash covers every
// step since start(). It is made of identities, operations and times, never of lines, names or addresses, so it is
// the same on every compiler. With keep_all() nothing is overwritten and the hash after each step is kept too.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/choice/operation_kind.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep {

struct trace_record {
  std::uint64_t payload;  // of a step: its source; of moved time: the new time in ns; of a value: the answer
  std::uint32_t task;     // the task's number in this run
  std::uint32_t label;    // the operation in the high 8 bits; the object's number, 0 for none, in the others

  operation_kind operation() const noexcept { return static_cast<operation_kind>(label >> 24); }
  std::uint32_t object() const noexcept { return label & 0xFFFFFF; }
  // Requires a record of a step.
  source where() const noexcept { return std::bit_cast<source>(payload); }
};
static_assert(sizeof(trace_record) == 16);
static_assert(sizeof(source) == sizeof(std::uint64_t), "a source location is one pointer");

class trace {
 public:
  static constexpr std::size_t capacity = 4096;

  trace() : records_(std::make_unique<trace_record[]>(capacity)) { start(); }

  // Begins a new run; the memory stays.
  void start(std::uint64_t steps_max = ~std::uint64_t{0}, bool keep_all = false);

  // What an operation on the object `what` (0: none) is in the hash, and what one on the object of that number is in a
  // record. Worked out once for each operation.
  static constexpr std::uint64_t code(operation_kind kind, identity what) noexcept {
    return std::rotl(what, 23) ^ (static_cast<std::uint64_t>(kind) << 56);
  }
  static constexpr std::uint32_t label(operation_kind kind, std::uint32_t object) noexcept {
    return (object & 0xFFFFFF) | static_cast<std::uint32_t>(kind) << 24;
  }
  static constexpr operation_kind kind_of(std::uint32_t label) noexcept {
    return static_cast<operation_kind>(label >> 24);
  }

  // Adds a step of the task `who`. Returns whether the limit of steps is reached.
  bool step(std::uint32_t task, identity who, std::uint64_t code, std::uint32_t label, const source& where) {
    hash_ = roll(hash_, who ^ code);
    return add(std::bit_cast<std::uint64_t>(where), task, label);
  }
  void time_moved(std::uint64_t now_ns) {
    hash_ = roll(hash_, now_ns ^ 0xA0761D6478BD642Full);
    ++others_;
    add(now_ns, 0, label(operation_kind::time_moved, 0));
  }
  void value_picked(std::uint32_t task, identity domain, std::uint64_t value) {
    hash_ = roll(roll(hash_, domain), value);
    ++others_;
    add(value, task, label(operation_kind::value_picked, 0));
  }

  std::uint64_t hash() const noexcept { return hash_; }
  // The number of records since start().
  std::uint64_t count() const noexcept {
    const trace_record* next = next_.load(std::memory_order_relaxed);
    return earlier_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(next - records_.get());
  }
  // Those of them that are steps.
  std::uint64_t steps() const noexcept { return count() - others_; }
  // A number that changes with every record; may be asked from another thread.
  std::uint64_t pulse() const noexcept { return count(); }
  // The records that are still held, the oldest first.
  std::vector<trace_record> recent() const;
  // With keep_all: the hash after each record.
  const std::vector<std::uint64_t>& hashes() const noexcept { return hashes_; }

 private:
  // The fields are stored one by one: assembled first, they would be read back before the stores have ended.
  bool add(std::uint64_t payload, std::uint32_t task, std::uint32_t label) {
    trace_record* const record = next_.load(std::memory_order_relaxed);
    record->payload = payload;
    record->task = task;
    record->label = label;
    next_.store(record + 1, std::memory_order_relaxed);
    return record + 1 == end_ && turn();
  }
  // The end was reached: of the memory, which begins again at the start; of the steps; or of a record to be kept.
  // Returns whether it was that of the steps.
  [[gnu::cold]] bool turn();
  void set_end() noexcept;

  std::unique_ptr<trace_record[]> records_;
  std::atomic<trace_record*> next_ = nullptr;
  trace_record* end_ = nullptr;
  std::atomic<std::uint64_t> earlier_ = 0;  // records before those from the start of the memory to next_
  std::uint64_t others_ = 0;                // records that are no steps
  std::uint64_t steps_max_ = 0;
  bool limit_reached_ = false;
  std::uint64_t hash_ = 0;
  bool keep_all_ = false;
  std::vector<trace_record> all_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace lockstep
