#include "folder_source.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>
#include <system_error>

namespace crawling {
namespace {

using namespace lockstep;
using namespace std::chrono_literals;

class FolderSource : public testing::Test {
 protected:
  FolderSource() {
    std::string name = testing::TempDir() + "folder_source_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    root_ = name;
    write("secret.html", "secret");
    write("site/index.html", "start");
    write("site/a b.html", "a and b");
    write("site/notes.txt", "notes");
  }
  ~FolderSource() override { std::filesystem::remove_all(root_); }

  // Of a connection on which nothing goes wrong.
  task<page> fetch(std::string path) {
    folder_source source(root_ / "site", {.resets_percent = 0, .stalls_percent = 0});
    co_return co_await source.fetch("http://manual/" + path);
  }

  std::filesystem::path root_;

 private:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
};

CO_TEST_F(FolderSource, ReadsAPageAfterItsLatency) {
  const page read = co_await fetch("a%20b.html");
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.type, "text/html");
  EXPECT_EQ(read.body, "a and b");
  EXPECT_GE(now(), time_point{200ms});
  EXPECT_LE(now(), time_point{5s});
}

CO_TEST_F(FolderSource, GivesAFoldersIndex) { EXPECT_EQ((co_await fetch("")).body, "start"); }

CO_TEST_F(FolderSource, TellsWhatIsNoHtml) { EXPECT_NE((co_await fetch("notes.txt")).type, "text/html"); }

CO_TEST_F(FolderSource, HasNoPageWithoutAFile) { EXPECT_EQ((co_await fetch("none.html")).status, 404); }

CO_TEST_F(FolderSource, GivesNothingOutsideTheFolder) { EXPECT_EQ((co_await fetch("%2e%2e/secret.html")).status, 404); }

CO_TEST_F(FolderSource, FailsIfItsConnectionIsReset) {
  folder_source source(root_ / "site", {.resets_percent = 100, .stalls_percent = 0});
  EXPECT_THROW(co_await source.fetch("http://manual/index.html"), std::system_error);
}

CO_TEST_F(FolderSource, StallsForAMinute) {
  folder_source source(root_ / "site", {.resets_percent = 0, .stalls_percent = 100});
  co_await source.fetch("http://manual/index.html");
  EXPECT_GE(now(), time_point{1min});
}

}  // namespace
}  // namespace crawling
