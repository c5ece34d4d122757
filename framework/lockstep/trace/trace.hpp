// The record of a run: what each step was, in 16 bytes, and one rolling hash over all of them.
//
// Always on. The last `capacity` records are kept, in memory that is recycled between runs; the hash covers every
// step since start(). It is made of identities, operations and times, never of lines, names or addresses, so it is
// the same on every compiler. With keep_all() nothing is overwritten and the hash after each step is kept too.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/choice/operation_kind.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep {

struct trace_record {
  std::uint64_t payload;          // of a step: its source; of moved time: the new time in ns; of a value: the answer
  std::uint32_t task;             // the task's number in this run
  std::uint32_t kind_and_object;  // the operation in the high 8 bits; the object's number, 0 for none, in the others

  operation_kind operation() const noexcept { return static_cast<operation_kind>(kind_and_object >> 24); }
  std::uint32_t object() const noexcept { return kind_and_object & 0xFFFFFF; }
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
  void start(bool keep_all = false);

  // Adds a step by the task `who` on the object `what` (0: none).
  void step(std::uint32_t task, identity who, operation_kind kind, std::uint32_t object, identity what,
            const source& where) {
    const std::uint64_t code = static_cast<std::uint64_t>(kind);
    hash_ = roll(hash_, who ^ std::rotl(what, 23) ^ (code << 56));
    add(std::bit_cast<std::uint64_t>(where), task, kind, object);
  }
  void time_moved(std::uint64_t now_ns) {
    hash_ = roll(hash_, now_ns ^ 0xA0761D6478BD642Full);
    add(now_ns, 0, operation_kind::time_moved, 0);
  }
  void value_picked(std::uint32_t task, identity domain, std::uint64_t value) {
    hash_ = roll(roll(hash_, domain), value);
    add(value, task, operation_kind::value_picked, 0);
  }

  std::uint64_t hash() const noexcept { return hash_; }
  // The number of records since start().
  std::uint64_t count() const noexcept { return earlier_ + static_cast<std::uint64_t>(next_ - records_.get()); }
  // The records that are still held, the oldest first.
  std::vector<trace_record> recent() const;
  // With keep_all: the hash after each record.
  const std::vector<std::uint64_t>& hashes() const noexcept { return hashes_; }

 private:
  // The fields are stored one by one: assembled first, they would be read back before the stores have ended.
  void add(std::uint64_t payload, std::uint32_t task, operation_kind kind, std::uint32_t object) {
    trace_record& record = *next_++;
    record.payload = payload;
    record.task = task;
    record.kind_and_object = (object & 0xFFFFFF) | static_cast<std::uint32_t>(kind) << 24;
    if (next_ == end_) [[unlikely]] turn();
  }
  // The end was reached: begins again at the start, or keeps what was written.
  void turn();

  std::unique_ptr<trace_record[]> records_;
  trace_record* next_ = nullptr;
  trace_record* end_ = nullptr;
  std::uint64_t earlier_ = 0;   // records before those from the start of the memory to next_
  std::uint64_t hash_ = 0;
  bool keep_all_ = false;
  std::vector<trace_record> all_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace lockstep
