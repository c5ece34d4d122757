#include <lockstep/trace/trace.hpp>

#include <algorithm>
#include <iterator>

namespace lockstep {

void trace::forget_earlier() noexcept {
  earlier_.store(0, std::memory_order_relaxed);
  earlier_hash_ = {};
}

void trace::forget_all() noexcept {
  all_.clear();
  names_.clear();
  objects_.clear();
  hosts_.clear();
  notes_.clear();
  events_.clear();
}

// Records that are moved while a task runs would make its step a slow one. What is not written to takes no memory.
void trace::make_room(std::uint64_t steps) {
  constexpr std::uint64_t records_max = 1'100'000;  // of 16 bytes
  all_.reserve(static_cast<std::size_t>(std::min(steps, records_max)));
}

// The next record at which turn() has something to do.
void trace::set_end() noexcept {
  trace_record* const next = next_.load(std::memory_order_relaxed);
  std::uint64_t room = static_cast<std::uint64_t>(records_.get() + capacity - next);
  // The step after the last that is allowed is told of.
  if (const std::uint64_t left = steps_max_ - steps(); !limit_passed_ && left < room) room = left + 1;
  end_ = next + (keep_all_ ? 1 : room);
}

bool trace::turn() {
  trace_record* const next = next_.load(std::memory_order_relaxed);
  if (keep_all_) all_.push_back(next[-1]);
  if (steps() > steps_max_) limit_passed_ = true;
  if (next == records_.get() + capacity) {
    const std::uint64_t before = earlier_.load(std::memory_order_relaxed);
    earlier_hash_ = earlier_hash_.after(records_.get(), records_.get() + capacity);
    earlier_.store(before + capacity, std::memory_order_relaxed);
    next_.store(records_.get(), std::memory_order_relaxed);
  }
  set_end();
  return limit_passed_ || keep_all_;
}

void trace::last_step_is_at(const place& where) noexcept {
  if (keep_all_) all_.back().payload = std::bit_cast<std::uint64_t>(where);
}

const trace_record* trace::last_step_of(std::uint32_t task) const noexcept {
  const auto found = std::find_if(all_.rbegin(), all_.rend(),
                                  [task](const trace_record& each) { return each.is_step() && each.task == task; });
  return found != all_.rend() ? &*found : nullptr;
}

// Kept in the order of their records; nearly always it is the last one's.
std::vector<trace_note>::iterator trace::end_of_notes(std::size_t record) noexcept {
  auto end = notes_.end();
  while (end != notes_.begin() && end[-1].record > record) --end;
  return end;
}

void trace::note(std::uint32_t task, std::string_view subject, std::string_view text) {
  const trace_record* const step = last_step_of(task);
  if (step == nullptr) return;
  const std::size_t at = static_cast<std::size_t>(step - all_.data());
  const auto end = end_of_notes(at);
  const auto same = [&](const trace_note& each) { return each.record != at || each.subject == subject; };
  const auto before = std::find_if(std::make_reverse_iterator(end), notes_.rend(), same);
  const bool known = before != notes_.rend() && before->record == at &&
                     (before->text == text || before->text == std::string("= ").append(text));
  if (!known) notes_.insert(end, {at, std::string(subject), std::string(text)});
}

bool trace::last_event_says(std::string_view before, std::string_view now) {
  if (events_.empty() || events_.back().text != before) return false;
  const auto since = all_.begin() + static_cast<std::ptrdiff_t>(events_.back().record);
  if (std::any_of(since, all_.end(), [](const trace_record& each) { return each.is_step(); })) return false;
  events_.back().text = now;
  return true;
}

void trace::note_drawn(std::uint32_t task, std::string_view label, std::string_view value) {
  constexpr std::size_t bytes_max = 160;  // of a note that goes on
  const trace_record* const step = last_step_of(task);
  if (step == nullptr) return;
  const std::size_t at = static_cast<std::size_t>(step - all_.data());
  const std::string_view subject = label.empty() ? "drew" : label;
  const auto end = end_of_notes(at);
  const bool goes_on = end != notes_.begin() && end[-1].record == at && end[-1].subject == subject &&
                       (label.empty() || std::string_view(end[-1].text).starts_with("drew "));
  if (!goes_on) {
    notes_.insert(end, {at, std::string(subject), std::string(label.empty() ? "" : "drew ").append(value)});
  } else if (std::string& text = end[-1].text; !std::string_view(text).ends_with("…")) {
    text.append(", ").append(text.size() + value.size() <= bytes_max ? value : "…");
  }
}

inline trace::rolling_hash trace::rolling_hash::after(const trace_record* first,
                                                      const trace_record* last) const noexcept {
  std::uint64_t a = lanes[0];
  std::uint64_t b = lanes[1];
  std::uint64_t c = lanes[2];
  std::uint64_t d = lanes[3];
  for (; last - first >= 4; first += 4) {
    a = roll_fast(a, first[0].word());
    b = roll_fast(b, first[1].word());
    c = roll_fast(c, first[2].word());
    d = roll_fast(d, first[3].word());
  }
  if (first != last) a = roll_fast(a, first[0].word());
  if (last - first > 1) b = roll_fast(b, first[1].word());
  if (last - first > 2) c = roll_fast(c, first[2].word());
  return {{a, b, c, d}};
}

// The `index`-th of the run.
inline void trace::rolling_hash::add_one(const trace_record& record, std::uint64_t index) noexcept {
  lanes[index % 4] = roll_fast(lanes[index % 4], record.word());
}

inline std::uint64_t trace::rolling_hash::value(std::uint64_t payloads) const noexcept {
  std::uint64_t all = payloads;
  for (const std::uint64_t lane : lanes) all = roll(all, lane);
  return all;
}

std::uint64_t trace::hash() const noexcept {
  return earlier_hash_.after(records_.get(), next_.load(std::memory_order_relaxed)).value(payloads_);
}

std::vector<std::uint64_t> trace::hashes() const {
  rolling_hash rolled;
  std::uint64_t payloads = 0;
  std::vector<std::uint64_t> values;
  for (const trace_record& record : recent()) {
    rolled.add_one(record, values.size());
    if (!record.is_step()) payloads = roll_fast(payloads, record.payload);
    values.push_back(rolled.value(payloads));
  }
  return values;
}

std::vector<trace_record> trace::recent() const {
  if (keep_all_) return {all_.begin(), all_.end()};
  const std::size_t at = static_cast<std::size_t>(next_.load() - records_.get());
  std::vector<trace_record> result;
  if (earlier_ != 0) result.assign(records_.get() + at, records_.get() + capacity);
  result.insert(result.end(), records_.get(), records_.get() + at);
  return result;
}

}  // namespace lockstep
