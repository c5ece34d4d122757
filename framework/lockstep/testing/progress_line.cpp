#include <lockstep/testing/progress_line.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace lockstep::detail {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds interval{240};

bool somebody_looks() {
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return ::isatty(STDERR_FILENO) != 0 && std::getenv("CI") == nullptr && std::getenv("NO_COLOR") == nullptr && !dumb;
}

std::size_t columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

progress_line::progress_line() : wanted_(somebody_looks()) {}

void progress_line::show(const std::string& text) {
  if (!wanted_) return;
  const steady::time_point now = steady::now();
  if (now < due_) return;
  due_ = now + interval;
  shown_ = true;
  fmt::print(stderr, "\r\033[K{}", text.substr(0, std::max<std::size_t>(columns(), 2) - 1));
  std::fflush(stderr);
}

void progress_line::clear() {
  if (!shown_) return;
  shown_ = false;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

std::string progress_text(const exploration_progress& now, std::uint64_t runs_max, double seconds, double seconds_max) {
  const auto runs = static_cast<double>(now.runs);
  std::string text = fmt::format("{} runs", count_text(runs));
  if (seconds > 0) text += fmt::format(" ({}/s)", count_text(runs / seconds));
  if (now.distinct != 0) text += fmt::format(", {} distinct", count_text(static_cast<double>(now.distinct)));
  if (now.covered != 0) text += fmt::format(", {} pairs", count_text(static_cast<double>(now.covered)));
  if (!now.phase.empty()) text += fmt::format("; {}", now.phase);
  if (now.share) text += fmt::format(" {:.0f} %", 100 * *now.share);
  if (seconds_max >= 0) {
    text += fmt::format(", {:.0f} s left", std::max(seconds_max - seconds, 0.0));
  } else if (runs_max != 0) {
    text += fmt::format(", {:.0f} % of the budget", std::min(100 * runs / static_cast<double>(runs_max), 100.0));
  }
  return text;
}

}  // namespace lockstep::detail
