// Whether a run is deterministic: made twice with the same choices, it must be the same run.
#pragma once

#include <lockstep/trace/trace.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// A whole run, kept with world_options::keep_trace.
struct recorded_run {
  std::vector<trace_record> records;
  std::vector<std::uint64_t> hashes;
  std::map<std::uint32_t, std::string> names;  // given to tasks, by their numbers
  std::map<std::uint32_t, std::string> objects;
  std::vector<trace_note> notes;
  std::vector<trace_event> events{};
  std::map<std::uint32_t, std::string> hosts{};  // of tasks that have made calls
};

// Requires that all records are held. Every one takes 24 bytes.
recorded_run copy_of(const trace& history);

// Where the two part, as a sentence with the virtual time, the step, and the first record that differs of both; nothing
// if they are the same run.
std::optional<std::string> first_difference(const recorded_run& first, const recorded_run& second);

// What a task is called: "main"; "fetch 1.2", which `given` is empty of; or "reader", whose path is "1.2".
struct task_title {
  std::string given;
  std::string path;
  std::string function;

  std::string short_text() const;  // "reader"
  std::string text() const;        // "reader (1.2)"
};

// Those of all tasks of the run, by their numbers.
std::vector<task_title> titles_of(const recorded_run& run);

// The record at that place in words: "fetch 1.2: join at crawler.cpp:40", "reader (1.2): …" where a name was given.
std::string text_of_record(const recorded_run& run, std::size_t at);

}  // namespace lockstep
