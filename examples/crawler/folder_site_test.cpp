#include "folder_site.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace crawling {
namespace {

using lockstep::http::request;
using lockstep::http::response;

class FolderSite : public testing::Test {
 protected:
  FolderSite() {
    std::string name = testing::TempDir() + "folder_site_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    root_ = name;
    write("secret.html", "secret");
    write("site/index.html", "start");
    write("site/a b.html", "a and b");
    write("site/notes.txt", "notes");
  }
  ~FolderSite() override { std::filesystem::remove_all(root_); }

  response get(const std::string& path) const { return page_in(root_ / "site", request("GET", "/" + path)); }

  std::filesystem::path root_;

 private:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
};

TEST_F(FolderSite, GivesAPage) {
  const response page = get("a%20b.html?x");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body, "a and b");
}

TEST_F(FolderSite, GivesAFoldersIndex) { EXPECT_EQ(get("").body, "start"); }

TEST_F(FolderSite, TellsWhatIsNoHtml) {
  EXPECT_EQ(get("notes.txt").headers.find("Content-Type"), "application/octet-stream");
}

TEST_F(FolderSite, HasNoPageWithoutAFile) { EXPECT_EQ(get("none.html").status, 404U); }

TEST_F(FolderSite, GivesNothingOutsideTheFolder) { EXPECT_EQ(get("%2e%2e/secret.html").status, 404U); }

TEST_F(FolderSite, IsForReadingOnly) {
  EXPECT_EQ(page_in(root_ / "site", request("POST", "/index.html")).status, 405U);
}

}  // namespace
}  // namespace crawling
