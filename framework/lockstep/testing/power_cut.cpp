#include <lockstep/testing/power_cut.hpp>

#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace lockstep::detail {

namespace {

constexpr std::string_view of_cut = "power_cut-";
constexpr std::string_view of_loss = "lost-";
constexpr std::string_view of_disk = "-of_disk-";

// Takes a number from the front of it; false if there is none.
bool take_number(std::string_view& text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

// "lost-17" and "lost-17-of_disk-2".
std::string domain_of(const lost_change& lost) {
  return lost.disk == 0 ? fmt::format("{}{}", of_loss, lost.change)
                        : fmt::format("{}{}{}{}", of_loss, lost.change, of_disk, lost.disk + 1);
}

std::optional<lost_change> lost_change_of(const value_override& read) {
  std::string_view text = read.domain;
  text.remove_prefix(of_loss.size());
  lost_change lost{0, 0, read.nth, read.value};
  if (!take_number(text, lost.change)) return std::nullopt;
  if (text.starts_with(of_disk)) {
    text.remove_prefix(of_disk.size());
    std::uint64_t disk = 0;
    if (!take_number(text, disk) || disk == 0) return std::nullopt;
    lost.disk = static_cast<std::size_t>(disk - 1);
  }
  return text.empty() ? std::optional(lost) : std::nullopt;
}

}  // namespace

token token_of(const power_cut& cut, std::uint16_t test) {
  token made;
  made.test = test;
  made.value_overrides.push_back({fmt::format("{}{}", of_cut, cut.model), cut.number, cut.nth_model});
  for (const lost_change& each : cut.lost)
    made.value_overrides.push_back({domain_of(each), each.question, each.answer});
  return made;
}

std::variant<std::monostate, power_cut, std::string> power_cut_of(const token& replay) {
  std::optional<power_cut> found;
  for (const value_override& each : replay.value_overrides) {
    if (!each.domain.starts_with(of_cut)) continue;
    if (found) return "it has two power cuts";
    found = power_cut{each.nth, each.domain.substr(of_cut.size()), each.value, {}};
  }
  if (!found) return std::monostate();
  for (const value_override& each : replay.value_overrides) {
    if (!each.domain.starts_with(of_loss)) continue;
    const std::optional<lost_change> read = lost_change_of(each);
    if (!read) return fmt::format("\"{}\" is no change of a disk, as \"lost-17\" is", each.domain);
    found->lost.push_back(*read);
  }
  return *std::move(found);
}

token without_power_cut(token replay) {
  const auto is_cut = [](const value_override& each) { return each.domain.starts_with(of_cut); };
  if (std::none_of(replay.value_overrides.begin(), replay.value_overrides.end(), is_cut)) return replay;
  std::erase_if(replay.value_overrides, [](const value_override& each) {
    return each.domain.starts_with(of_cut) || each.domain.starts_with(of_loss);
  });
  return replay;
}

std::string repeat_line_of(const power_cut& cut) {
  const std::string test = full_name();
  return test.empty() ? "" : repeat_line(token_of(cut, test_hash(test)));
}

}  // namespace lockstep::detail
