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

  task<void> begin(std::string start);
  void visit_all(task_group& group);
  // Until it is cancelled.
  task<void> save_from_time_to_time();
  task<void> save();
  crawl_result result() &&;

 private:
  task<void> visit(task_group& group, std::string url);
  // The page, or nothing if all attempts failed.
  task<std::optional<page>> fetch(std::string url);
  void follow_links(task_group& group, const std::string& url, const std::string& html);

  page_source& source_;
  const crawl_options options_;
  lockstep::semaphore slots_;
  std::string site_;             // "http://host"
  std::set<std::string> known_;  // URLs
  crawl_progress progress_;
  crawl_progress saved_;
  crawl_result result_;
};

task<void> crawl_in_progress::begin(std::string start) {
  site_ = origin_of(start);
  std::string path = start.substr(site_.size());
  if (options_.resume_file.empty()) {
    progress_.to_fetch.insert(std::move(path));
    co_return;
  }
  progress_ = co_await load(options_.resume_file, std::move(path));
  result_.resumed = progress_.pages.size();
  for (const auto& [page, links] : progress_.pages) known_.insert(site_ + page);
  for (const std::string& page : progress_.missing) known_.insert(site_ + page);
}

void crawl_in_progress::visit_all(task_group& group) {
  for (const std::string& page : progress_.to_fetch) {
    std::string url = site_ + page;
    lockstep::label name(url);
    group.spawn(visit(group, std::move(url)), std::move(name));
  }
}

// [save]
task<void> crawl_in_progress::save_from_time_to_time() {
  while (true) {
    co_await lockstep::sleep_for(options_.save_every);
    co_await save();
  }
}

task<void> crawl_in_progress::save() {
  if (progress_ == saved_) co_return;
  crawl_progress now = progress_;  // fetches go on meanwhile
  co_await crawling::save(options_.resume_file, now, options_.save);
  if (options_.saved) options_.saved(now);
  saved_ = std::move(now);
}
// [/save]

// [visit]
task<void> crawl_in_progress::visit(task_group& group, std::string url) {
  if (known_.contains(url)) co_return;
  if (options_.mark == marking::on_sight) known_.insert(url);
  co_await slots_.acquire();
  const lockstep::permit slot(slots_);
  known_.insert(url);

  const std::optional<page> fetched = co_await fetch(url);
  if (!fetched) co_return;
  const std::string path = url.substr(site_.size());
  progress_.to_fetch.erase(path);
  if (fetched->status == 404) {
    progress_.missing.insert(path);
    co_return;
  }
  progress_.pages[path];
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
  std::vector<std::string> links;
  for (const std::string& reference : links_in(html)) {
    std::string target = resolve(url, reference);
    if (!same_site(url, target)) {
      ++progress_.links_outside;
      continue;
    }
    links.push_back(target.substr(site_.size()));
    if (!known_.contains(target)) progress_.to_fetch.insert(links.back());
    group.spawn(visit(group, target), lockstep::label(target));
  }
  progress_.pages[url.substr(site_.size())] = std::move(links);
}

crawl_result crawl_in_progress::result() && {
  for (const auto& [page, links] : progress_.pages) {
    result_.pages.insert(site_ + page);
    result_.links += links.size();
    for (const std::string& to : links) {
      if (progress_.missing.contains(to)) result_.dead_links.insert({site_ + page, site_ + to});
    }
  }
  result_.links_outside = progress_.links_outside;
  return std::move(result_);
}

}  // namespace

task<crawl_result> crawl(page_source& from, std::string start, crawl_options options) {
  crawl_in_progress state(from, options);
  co_await state.begin(std::move(start));
  const auto visits = [&](task_group& group) -> task<void> {
    state.visit_all(group);
    co_return;
  };
  const auto visits_and_saves = [&](task_group& group) -> task<void> {
    group.spawn(state.save_from_time_to_time(), "saver");
    co_await lockstep::with_task_group(visits);
    group.cancel("the crawl has ended");
  };
  if (options.resume_file.empty()) {
    co_await lockstep::with_task_group(visits);
  } else {
    co_await lockstep::with_task_group(visits_and_saves);
    co_await state.save();
  }
  co_return std::move(state).result();
}

task<crawl_result> crawl(page_source& from, std::string start) {
  const crawl_options usual;  // g++ 12 destroys such an argument twice where it is made within a co_await
  return crawl(from, std::move(start), usual);
}

}  // namespace crawling
