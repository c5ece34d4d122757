#include <lockstep/report/call_graph.hpp>

#include <lockstep/report/table.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

// Below that, the tree gets no wider.
constexpr std::size_t depth_max = 32;

// Goes down from each root, along what is awaited.
class graph_walk {
 public:
  graph_walk(const call_graph& graph, std::size_t tasks_max)
      : graph_(graph), left_(tasks_max), states_(graph.tasks.size(), state::unseen) {
    std::vector<bool> awaited(graph.tasks.size(), false);
    for (const std::vector<std::size_t>& each : graph.awaits) {
      for (const std::size_t task : each) awaited[task] = true;
    }
    for (const bool roots : {true, false}) {  // the others, if they are left, await each other
      for (std::size_t i = 0; i < states_.size(); ++i) {
        if (awaited[i] != roots && states_[i] == state::unseen) go_down_from(i);
      }
    }
  }

  std::vector<detail::branch> branches;
  std::size_t shown = 0;

 private:
  enum class state : unsigned char { unseen, above, shown };  // `above`: on the way down to the present one

  void go_down_from(std::size_t root) {
    std::vector<std::pair<std::size_t, std::size_t>> way;  // each with how many of those that it awaits were seen to
    enter(root, way);
    while (!way.empty()) {
      auto& [task, seen] = way.back();
      if (seen == graph_.awaits[task].size()) {
        states_[task] = state::shown;
        way.pop_back();
      } else {
        enter(graph_.awaits[task][seen++], way);
      }
    }
  }

  void enter(std::size_t task, std::vector<std::pair<std::size_t, std::size_t>>& way) {
    const std::size_t depth = std::min(way.size(), depth_max);
    if (states_[task] != state::unseen) {
      branches.push_back({task, depth, states_[task] == state::above ? "a cycle, see above" : "see above"});
    } else if (left_ > 0) {
      --left_;
      ++shown;
      branches.push_back({task, depth, {}});
      states_[task] = state::above;
      way.emplace_back(task, 0);
    }
  }

  const call_graph& graph_;
  std::size_t left_;
  std::vector<state> states_;
};

}  // namespace

std::string format_call_graph(const call_graph& graph, std::size_t tasks_max) {
  if (!graph.inside) return "no lockstep loop runs on this thread\n";
  const graph_walk found(graph, tasks_max);
  const std::size_t count = graph.tasks.size();
  return fmt::format("call graph at {}, step {}: {} task{}\n", to_text(graph.at.time_since_epoch()), graph.step, count,
                     count == 1 ? "" : "s") +
         detail::table_of(graph.tasks, found.branches, count - found.shown);
}

void print_call_graph(std::FILE* to) {
  fmt::print(to, "{}", format_call_graph());
  std::fflush(to);
}

std::string format_stack(agent& who) { return detail::table_of(snapshot_of({&who}), {{0, 0, {}}}, 0); }

}  // namespace lockstep

void lockstep_print_call_graph() { lockstep::print_call_graph(); }
