#include "crawler.hpp"

#include "html_links.hpp"
#include "url.hpp"

#include <lockstep/runtime/random.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task_group.hpp>
#include <lockstep/runtime/timeout.hpp>
#include <lockstep/sync/semaphore.hpp>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace crawling {

namespace {

using lockstep::duration;
using lockstep::task;
using lockstep::task_group;

class crawl_in_progress {
 public:
  crawl_in_progress(page_source& from, const crawl_options& options)
      : source_(from), options_(options), slots_(options.parallel_max, "slots") {}

  task<void> visit(task_group& group, std::string url);
  crawl_result result() &&;

 private:
  // The page, or nothing if all attempts failed.
  task<std::optional<page>> fetch(std::string url);
  void follow_links(task_group& group, const std::string& url, const std::string& html);

  page_source& source_;
  const crawl_options options_;
  lockstep::semaphore slots_;
  std::set<std::string> known_;
  std::set<std::string> missing_;
  std::vector<link> links_;
  crawl_result result_;
};

// [visit]
task<void> crawl_in_progress::visit(task_group& group, std::string url) {
  if (known_.contains(url)) co_return;
  if (options_.mark == marking::on_sight) known_.insert(url);
  co_await slots_.acquire();
  const lockstep::permit slot(slots_);
  known_.insert(url);

  const std::optional<page> fetched = co_await fetch(url);
  if (!fetched) co_return;
  if (fetched->status == 404) {
    missing_.insert(url);
    co_return;
  }
  result_.pages.insert(url);
  if (fetched->type == "text/html") follow_links(group, url, fetched->body);
}
// [/visit]

// [fetch]
task<std::optional<page>> crawl_in_progress::fetch(std::string url) {
  duration pause = options_.backoff_first;
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await lockstep::with_timeout(options_.timeout, source_.fetch(url));
    } catch (const std::runtime_error& failure) {  // a connection that failed, or timed_out
      if (attempt == options_.attempts_max) {
        result_.failures.emplace(url, failure.what());
        co_return std::nullopt;
      }
    }
    ++result_.retries;
    co_await lockstep::sleep_for(pause + lockstep::random_duration("backoff of " + url, duration::zero(), pause));
    pause *= 2;
  }
}
// [/fetch]

void crawl_in_progress::follow_links(task_group& group, const std::string& url, const std::string& html) {
  for (const std::string& reference : links_in(html)) {
    std::string target = resolve(url, reference);
    if (!same_site(url, target)) {
      ++result_.links_outside;
      continue;
    }
    links_.push_back({url, target});
    group.spawn(visit(group, target), lockstep::label(target));
  }
}

crawl_result crawl_in_progress::result() && {
  result_.links = links_.size();
  for (link& each : links_) {
    if (missing_.contains(each.to)) result_.dead_links.insert(std::move(each));
  }
  return std::move(result_);
}

}  // namespace

task<crawl_result> crawl(page_source& from, std::string start, crawl_options options) {
  crawl_in_progress state(from, options);
  const auto begin = [&](task_group& group) -> task<void> {
    group.spawn(state.visit(group, start), lockstep::label(start));
    co_return;
  };
  co_await lockstep::with_task_group(begin);
  co_return std::move(state).result();
}

}  // namespace crawling
