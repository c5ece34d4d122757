// The crawler's resume file: what is in it, what a crawl makes of it, and that power cuts cost it nothing that was
// acknowledged.
#include "resume_file.hpp"

#include "memory_site.hpp"
#include "resumed_crawl.hpp"

#include <lockstep/real/world.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace crawling {
namespace {

using namespace lockstep;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

crawl_progress some_progress() {
  crawl_progress some;
  some.start = "/";
  some.pages = {{"/", {"/a", "/gone", "/b"}}, {"/a", {}}};
  some.missing = {"/gone"};
  some.to_fetch = {"/b"};
  some.links_outside = 12;
  return some;
}

TEST(ResumeFile, IsReadAsItWasWritten) {
  const std::string text = text_of(some_progress());
  EXPECT_EQ(text,
            "crawl from /\nlinks outside 12\npage /\n  /a\n  /gone\n  /b\npage /a\nmissing /gone\nto fetch /b\nend\n");
  EXPECT_EQ(progress_in(text), some_progress());
}

TEST(ResumeFile, IsReadAsAWholeOrNotAtAll) {
  const std::string text = text_of(some_progress());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_THROW(progress_in(text.substr(0, size)), std::runtime_error) << size;
  }
  EXPECT_THROW(progress_in("crawl from /\nsomething else\nend\n"), std::runtime_error);
  EXPECT_THROW(progress_in("  /a\nend\n"), std::runtime_error) << "a link of no page";
  EXPECT_THROW(progress_in("links outside 1x\nend\n"), std::runtime_error);
}

std::string text_of_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

CO_TEST(ResumeFile, IsRefusedIfItIsAnother) {
  co_await save("/resume", some_progress());
  EXPECT_EQ(co_await load("/resume", "/"), some_progress());
  EXPECT_EQ(text_of_error((co_await as_result(load("/resume", "/b"))).error()),
            "/resume is of a crawl from /, not from /b");
  co_await write_file("/other", "hello\n");
  EXPECT_EQ(text_of_error((co_await as_result(load("/other", "/"))).error()),
            "/other is no resume file: line 1 makes no sense");
  co_await write_file("/other", "");
  EXPECT_EQ(text_of_error((co_await as_result(load("/other", "/"))).error()),
            "/other is no resume file: it ends in line 1");
}

// -- crawls -----------------------------------------------------------------------------------------------------------

CO_TEST(ResumeFile, SaysWhatACrawlHasFound) {
  memory_site site({{"", {"a", "gone", "http://elsewhere/"}}, {"a", {"/"}}});
  crawl_options options;
  options.resume_file = "/resume";
  co_await crawl(site, at(""), options);
  EXPECT_EQ(world().fs().read_file("/resume"),
            "crawl from /\nlinks outside 1\npage /\n  /a\n  /gone\npage /a\n  /\nmissing /gone\nend\n");
}

CO_TEST(ResumeFile, SparesACrawlWhatIsDone) {
  crawl_options options;
  options.resume_file = "/resume";
  options.save_every = 1500ms;
  const std::map<std::string, std::vector<std::string>> pages = {
      {"", {"a", "b"}}, {"a", {"gone"}}, {"b", {"c"}}, {"c", {}}};
  {
    memory_site site(pages);
    auto first = spawn(crawl(site, at(""), options), "first");
    co_await sleep_for(1700ms);
    first.cancel();
    EXPECT_THROW(co_await first.join(), cancelled);
    EXPECT_THAT(site.fetched, UnorderedElementsAre(at(""), at("a"), at("b")));
  }
  memory_site site(pages);
  const crawl_result found = co_await crawl(site, at(""), options);
  EXPECT_THAT(site.fetched, UnorderedElementsAre(at("a"), at("b"), at("c"), at("gone")));
  EXPECT_THAT(found.pages, UnorderedElementsAre(at(""), at("a"), at("b"), at("c")));
  EXPECT_THAT(found.dead_links, ElementsAre(link{at("a"), at("gone")}));
  EXPECT_EQ(found.links, 4u);
  EXPECT_EQ(found.resumed, 1u);
  memory_site again(pages);
  EXPECT_EQ((co_await crawl(again, at(""), options)).pages, found.pages);
  EXPECT_THAT(again.fetched, IsEmpty());
}

// Two crawls, one after the other: the second has nothing to do.
task<void> crawls_twice(std::string folder) {
  crawl_options options;
  options.resume_file = folder + "/resume";
  memory_site site({{"", {"a", "b"}}, {"a", {"b"}}, {"b", {"a"}}});
  co_await crawl(site, at(""), options);
  memory_site again({});
  EXPECT_EQ((co_await crawl(again, at(""), options)).pages.size(), 3u);
  EXPECT_THAT(again.fetched, IsEmpty());
}

CO_TEST(ResumeFile, IsOnTheSimulatedDisk) { co_await crawls_twice(""); }

TEST(ResumeFile, IsOnTheMachinesDiskForReal) {
  real::world world;
  real::world_options how;
  how.clock.time_scale = 1'000;
  world.run(
      []() -> task<void> {
        const std::string folder = co_await create_temporary_directory();
        co_await crawls_twice(folder);
        co_await remove_all(folder);
      },
      how);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

// A page that was given up is tried again by the next crawl.
class broken_site final : public page_source {
 public:
  task<page> fetch(std::string url) override {
    if (url != at("")) throw std::runtime_error("it is broken");
    co_return page{200, "text/html", "<a href=a>more</a>"};
  }
};

CO_TEST(ResumeFile, DoesNotGiveUp) {
  crawl_options options;
  options.resume_file = "/resume";
  broken_site broken;
  EXPECT_EQ((co_await crawl(broken, at(""), options)).failures.size(), 1u);
  memory_site site({{"", {"a"}}, {"a", {}}});
  EXPECT_EQ((co_await crawl(site, at(""), options)).pages.size(), 2u);
  EXPECT_THAT(site.fetched, ElementsAre(at("a")));
}

CO_TEST(ResumeFile, EndsTheCrawlIfItCannotBeWritten) {
  crawl_options options;
  options.resume_file = "/resume";
  options.save_every = 1500ms;
  auto full = on(op::file_write).fail(ENOSPC);
  memory_site site({{"", {"a"}}, {"a", {}}});
  EXPECT_THROW(co_await crawl(site, at(""), options), exception_group);
}

// -- power cuts -------------------------------------------------------------------------------------------------------

// [sweep]
TEST(ResumeFile, SurvivesEveryPowerCut) {
  resumed_crawl crawl;
  crash_sweep_options how;
  for (sim::crash_model& each : how.models) each.rename_is_atomic = true;  // all that it asks of a disk
  EXPECT_TRUE(crash_sweep([&] { return crawl.workload(saving::atomically); }, [&] { return crawl.check(); }, how));
}
// [/sweep]

// Where nothing is waited for, no disk keeps what was acknowledged.
TEST(ResumeFile, IsLostOnEveryDiskWithoutASync) {
  for (const sim::crash_model& each : crash_sweep_options::all_models()) {
    resumed_crawl crawl;
    const crash_sweep_options how{.models = {each}};
    const bool survives =
        crash_sweep([&] { return crawl.workload(saving::unsynced); }, [&] { return crawl.check(); }, how);
    EXPECT_EQ(survives, each.name == sim::process_crash.name) << each.name;
  }
}

}  // namespace
}  // namespace crawling
