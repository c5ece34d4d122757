// What a search came to.
#include <lockstep/explore/explorer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

namespace {

// One part may have proven it alone; or all that share the tree have.
void join_proofs(exploration& all, const std::vector<exploration>& parts) {
  std::vector<const exploration*> proofs;
  for (const exploration& part : parts) {
    if (!part.exhaustive && part.values_tried == 0) continue;
    if (part.parts == 1) {
      proofs = {&part};
      break;
    }
    proofs.push_back(&part);
  }
  if (proofs.empty() || proofs.size() != proofs.front()->parts) return;
  all.exhaustive = all.interleavings_counted = true;
  all.values_tried = all.values_asked = 0;
  all.skipped = 0;
  for (const exploration* proof : proofs) {
    all.classes += proof->classes;
    all.skipped += proof->skipped;
    all.interleavings += proof->interleavings;
    all.interleavings_counted &= proof->interleavings_counted;
    all.over_declared_data = proof->over_declared_data;
    all.exhaustive &= proof->exhaustive;
    all.values_tried = std::max(all.values_tried, proof->values_tried);
    all.values_asked = std::max(all.values_asked, proof->values_asked);
    all.starving_left_out |= proof->starving_left_out;
    all.classes_repeated |= proof->classes_repeated;
  }
}

}  // namespace

exploration joined(const std::vector<exploration>& parts) {
  exploration all;
  double estimates = 0;
  std::size_t estimating = 0;
  all.stopped = false;
  for (const exploration& part : parts) {
    all.runs += part.runs;
    all.samples += part.samples;
    all.skipped += part.skipped;
    all.stopped |= part.stopped;
    all.bound = std::max(all.bound, part.bound);
    if (part.failure && (!all.failure || part.failure->runs < all.failure->runs)) all.failure = part.failure;
    if (part.departed && !all.departed) all.departing = part.departing;
    all.departed |= part.departed;
    if (part.estimated) {
      estimates += *part.estimated;
      ++estimating;
    }
    all.seen.add_all(part.seen);
  }
  join_proofs(all, parts);
  if (estimating != 0) all.estimated = estimates / static_cast<double>(estimating);
  all.distinct = all.seen.size(all.runs);
  return all;
}

std::string count_text(double number) {
  if (number >= 1e12) return fmt::format("{:.1e}", number);
  std::string digits = fmt::format("{:.0f}", number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string statement_of(const exploration& found, const explore_options& options) {
  const std::string skipped =
      found.skipped == 0 ? "" : fmt::format(", {} of them skipped", count_text(static_cast<double>(found.skipped)));
  const std::string_view in_order = options.order == ordering::fifo ? " in fifo order" : "";
  const std::string runs =
      fmt::format("{} run{}{}", count_text(static_cast<double>(found.runs)), found.runs == 1 ? "" : "s", in_order);
  if (found.departed && found.departing) {
    return fmt::format("the search ended after {}: one of them, made again with the same choices, was another run",
                       runs);
  }
  if (found.departed) {
    return fmt::format("the search ended after {}: a run could not be repeated, so the test is not deterministic",
                       runs);
  }
  const std::string values = found.values_tried == 0 ? ""
                                                     : fmt::format("the least {} of {} values",
                                                                   count_text(static_cast<double>(found.values_tried)),
                                                                   count_text(static_cast<double>(found.values_asked)));
  const std::string_view starving =
      found.starving_left_out
          ? "; runs in which a task waits while others yield more than 16 times, or make very many steps, are left out"
          : "";
  if (options.by == search_by::deviations || options.by == search_by::preemptions) {
    const std::string_view what = name_of(options.by);
    if (!found.exhaustive && !found.bound) {
      return fmt::format("{}{}, not all of those with 0 {}, nothing found{}", runs, skipped, what, starving);
    }
    if (!found.exhaustive) {
      return fmt::format("{}{}, all with up to {} {}{}{} among them, nothing found{}", runs, skipped, *found.bound,
                         *found.bound == 1 ? what.substr(0, what.size() - 1) : what, values.empty() ? "" : " and ",
                         values, starving);
    }
  }
  if (found.exhaustive || found.classes != 0) {
    const auto classes = static_cast<double>(found.classes);
    const std::string number = count_text(classes);
    const std::string with = values.empty() ? "" : " with " + values;
    const std::string all_of_them =
        found.classes_repeated
            ? fmt::format("all orderings{} checked{}, in {} runs", with, in_order, number)
            : fmt::format("all {} ordering{}{} checked{}{}", number, found.classes == 1 ? "" : "s", with, in_order,
                          found.interleavings > classes
                              ? fmt::format(" ({}{} interleavings)", found.interleavings_counted ? "" : "about ",
                                            count_text(found.interleavings))
                              : "");
    const std::string_view data =
        found.over_declared_data ? "every shared variable is declared, as the test says" : "any variable may be shared";
    const std::string samples = found.samples == 0 || found.exhaustive
                                    ? ""
                                    : fmt::format(", and {} samples", count_text(static_cast<double>(found.samples)));
    return fmt::format("{}{}{}; {}, and steps take no time{}", all_of_them, skipped, samples, data, starving);
  }
  if (found.estimated && *found.estimated > 0) {
    const double share = 100 * static_cast<double>(found.distinct) / *found.estimated;
    // Traces are counted that may be the same but for steps which do not depend on each other: near the whole it says
    // too much.
    const std::string of = share >= 50    ? "by an estimate most"
                           : share >= 0.1 ? fmt::format("an estimated {:.2g} %", share)
                                          : "an estimated less than 0.1 %";
    return fmt::format("{}{}, {} of the space, nothing found", runs, skipped, of);
  }
  return fmt::format("{}{}, nothing found", runs, skipped);
}

}  // namespace lockstep
