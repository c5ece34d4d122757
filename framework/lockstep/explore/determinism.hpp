// Whether a run is deterministic: made twice with the same choices, it must be the same run.
#pragma once

#include <lockstep/trace/trace.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// A whole run, kept with world_options::keep_trace.
struct recorded_run {
  std::vector<trace_record> records;
  std::vector<std::uint64_t> hashes;
};

// Requires that all records are held. Every one takes 24 bytes.
recorded_run copy_of(const trace& history);

// The first record in which the two differ, as a sentence with that record of both; nothing if they are the same run.
std::optional<std::string> first_difference(const recorded_run& first, const recorded_run& second);

// One record in words: "task 3 join at crawler.cpp:40".
std::string to_text(const trace_record& record);

}  // namespace lockstep
