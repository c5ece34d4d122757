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
  std::uint64_t payload;      // of a step: its source; of moved time: the new time in ns; of a value: the answer
  std::uint32_t task;         // the task's number in this run
  std::uint32_t object : 24;  // the object's number in this run, 0 for none
  std::uint32_t kind : 8;

  operation_kind operation() const noexcept { return static_cast<operation_kind>(kind); }
  // Requires a record of a step.
  source where() const noexcept { return std::bit_cast<source>(payload); }
};
static_assert(sizeof(trace_record) == 16);
static_assert(sizeof(source) == sizeof(std::uint64_t), "a source location is one pointer");

class trace {
 public:
  static constexpr std::size_t capacity = 4096;

  trace() : records_(std::make_unique<trace_record[]>(capacity)) {}

  // Begins a new run; the memory stays.
  void start(bool keep_all = false);

  // Adds a step by the task `who` on the object `what` (0: none).
  void step(std::uint32_t task, identity who, operation_kind kind, std::uint32_t object, identity what,
            const source& where) {
    hash_ = roll(hash_, who ^ (what + static_cast<std::uint64_t>(kind) * 0xD6E8FEB86659FD93ull));
    add({std::bit_cast<std::uint64_t>(where), task, object & 0xFFFFFF, static_cast<std::uint8_t>(kind)});
  }
  void time_moved(std::uint64_t now_ns) {
    hash_ = roll(hash_, now_ns ^ 0xA0761D6478BD642Full);
    add({now_ns, 0, 0, static_cast<std::uint8_t>(operation_kind::time_moved)});
  }
  void value_picked(std::uint32_t task, identity domain, std::uint64_t value) {
    hash_ = roll(roll(hash_, domain), value);
    add({value, task, 0, static_cast<std::uint8_t>(operation_kind::value_picked)});
  }

  std::uint64_t hash() const noexcept { return hash_; }
  // The number of records since start().
  std::uint64_t count() const noexcept { return count_; }
  // The records that are still held, the oldest first.
  std::vector<trace_record> recent() const;
  // With keep_all: the hash after each record.
  const std::vector<std::uint64_t>& hashes() const noexcept { return hashes_; }

 private:
  void add(const trace_record& record) {
    records_[count_++ % capacity] = record;
    if (keep_all_) [[unlikely]] keep(record);
  }
  void keep(const trace_record& record);

  std::unique_ptr<trace_record[]> records_;
  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 0;
  bool keep_all_ = false;
  std::vector<trace_record> all_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace lockstep
