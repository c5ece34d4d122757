#include <lockstep/testing/failures_file.hpp>

#include <lockstep/explore/token.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lockstep::detail {

// How GoogleTest prints it.
inline void PrintTo(const known_failure& each, std::ostream* out) {
  *out << each.token << " | " << each.test << " | " << each.signature;
}

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A failure of the test, told from others by a number.
known_failure failure_of(const std::string& test, unsigned number, const std::string& signature = "deadlock") {
  return {fmt::format("ls1:{:04x}:plain:1@{}>2:;", test_hash(test), number), test, signature};
}

// In a folder of its own.
class FailuresFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "failures_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/subject.failures";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  failures_file file() { return file_at(path_); }
  failures_file file_at(const std::string& path) {
    return failures_file(path, [this](const std::string& what) { warnings_.push_back(what); });
  }
  std::string text() const {
    std::stringstream all;
    all << std::ifstream(path_, std::ios::binary).rdbuf();
    return all.str();
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

  std::string folder_;
  std::string path_;
  std::vector<std::string> warnings_;
};

TEST_F(FailuresFileTest, IsBesideTheProgram) {
  EXPECT_EQ(failures_file::beside("build/cache_test"), "build/cache_test.failures");
}

TEST_F(FailuresFileTest, KeepsTheFailuresOfEachTestInTheirOrder) {
  EXPECT_THAT(file().of_test("Cache.Coalesces"), IsEmpty());
  file().add(failure_of("Cache.Coalesces", 2));
  file().add(failure_of("Cache.Expires", 1));
  file().add(failure_of("Cache.Coalesces", 1));
  EXPECT_THAT(file().of_test("Cache.Coalesces"),
              ElementsAre(failure_of("Cache.Coalesces", 2), failure_of("Cache.Coalesces", 1)));
  EXPECT_THAT(file().of_test("Cache.Expires"), ElementsAre(failure_of("Cache.Expires", 1)));
  EXPECT_THAT(file().of_test("Cache"), IsEmpty());
  const std::string hash = fmt::format("{:04x}", test_hash("Cache.Coalesces"));
  EXPECT_THAT(text(), StartsWith("ls1:" + hash + ":plain:1@2>2:;\tCache.Coalesces\tdeadlock\n"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FailuresFileTest, AddsWhatIsThereNotAgain) {
  file().add(failure_of("Cache.Coalesces", 1));
  known_failure with_fingerprint = failure_of("Cache.Coalesces", 1, "another");
  with_fingerprint.token.insert(with_fingerprint.token.size() - 1, "3.123.abcd");
  file().add(with_fingerprint);
  EXPECT_THAT(file().of_test("Cache.Coalesces"), ElementsAre(failure_of("Cache.Coalesces", 1)));
}

TEST_F(FailuresFileTest, KeepsASignatureOfAnyText) {
  const known_failure odd = failure_of("Cache.Coalesces", 1, "a\tb\nc\r\\n\\");
  file().add(odd);
  const std::string all = text();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1);
  EXPECT_THAT(file().of_test("Cache.Coalesces"), ElementsAre(odd));
}

TEST_F(FailuresFileTest, DropsWhatIsMendedAndNothingElse) {
  for (unsigned i = 1; i <= 3; ++i) file().add(failure_of("Cache.Coalesces", i));
  file().add(failure_of("Cache.Expires", 2));
  file().drop({failure_of("Cache.Coalesces", 2), failure_of("Cache.Coalesces", 9)});
  EXPECT_THAT(file().of_test("Cache.Coalesces"),
              ElementsAre(failure_of("Cache.Coalesces", 1), failure_of("Cache.Coalesces", 3)));
  EXPECT_THAT(file().of_test("Cache.Expires"), ElementsAre(failure_of("Cache.Expires", 2)));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(FailuresFileTest, IsRemovedWithItsLastLine) {
  file().add(failure_of("Cache.Coalesces", 1));
  file().drop({failure_of("Cache.Coalesces", 1)});
  EXPECT_FALSE(std::filesystem::exists(path_));
  file().drop({failure_of("Cache.Coalesces", 1)});
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FailuresFileTest, KeepsItsPermissionsWhereItIsReplaced) {
  file().add(failure_of("Cache.Coalesces", 1));
  file().add(failure_of("Cache.Coalesces", 2));
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  file().drop({failure_of("Cache.Coalesces", 1)});
  struct stat after {};
  ASSERT_EQ(::stat(path_.c_str(), &after), 0);
  EXPECT_EQ(after.st_mode & 0777u, 0640u);
}

TEST_F(FailuresFileTest, LeavesBadLinesAloneAndWarnsOfThem) {
  const known_failure good = failure_of("Cache.Coalesces", 1);
  const std::string bad =
      "no line of ours\n\nls9:1234:plain::;\tCache.Coalesces\tx\nls1:0000:plain::;\tCache.Coalesces\tof another test\n";
  write(bad);
  file().add(good);
  file().add(failure_of("Cache.Coalesces", 2));
  file().drop({failure_of("Cache.Coalesces", 2)});
  EXPECT_THAT(text(), StartsWith(bad));
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(file().of_test("Cache.Coalesces"), ElementsAre(good));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("line 1 of " + path_ + " is no failure and is left alone: it has not"),
                                     HasSubstr("line 3 of " + path_), HasSubstr("is not of the test Cache.Coalesces")));
}

TEST_F(FailuresFileTest, WarnsOnceOfALineThatManyTestsRead) {
  write("no line of ours\n");
  const failures_file as_tests_have_it(path_);
  testing::internal::CaptureStderr();
  as_tests_have_it.of_test("Cache.Coalesces");
  as_tests_have_it.of_test("Cache.Evicts");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, StartsWith("lockstep: warning: line 1 of " + path_));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
}

TEST_F(FailuresFileTest, ReadsLinesThatAnotherSystemHasEnded) {
  const known_failure first = failure_of("Cache.Coalesces", 1);
  write(first.token + "\tCache.Coalesces\tdeadlock\r\n");
  file().add(first);
  file().add(failure_of("Cache.Coalesces", 2));
  EXPECT_THAT(file().of_test("Cache.Coalesces"), ElementsAre(first, failure_of("Cache.Coalesces", 2)));
  file().drop({first});
  EXPECT_THAT(file().of_test("Cache.Coalesces"), ElementsAre(failure_of("Cache.Coalesces", 2)));
}

TEST_F(FailuresFileTest, ATornLastLineSpoilsNoOther) {
  const known_failure whole = failure_of("Cache.Coalesces", 1);
  const std::string line = whole.token + "\tCache.Coalesces\tdeadlock";
  for (std::size_t left = 1; left <= line.size(); ++left) {
    write(line + '\n' + line.substr(0, left));
    file().add(failure_of("Cache.Coalesces", 2));
    EXPECT_THAT(text(), testing::EndsWith("\tCache.Coalesces\tdeadlock\n"));
    const std::vector<known_failure> found = file().of_test("Cache.Coalesces");
    ASSERT_GE(found.size(), 2u) << left;
    EXPECT_EQ(found.front(), whole);
    EXPECT_EQ(found.back(), failure_of("Cache.Coalesces", 2));
  }
}

TEST_F(FailuresFileTest, TheOldestGoWhereThereAreTooMany) {
  std::string full;
  for (unsigned i = 1; i <= failures_file::lines_max + 3; ++i) {
    full += failure_of("Cache.Coalesces", i).token + "\tCache.Coalesces\tx\n";
  }
  write(full);
  file().add(failure_of("Cache.Coalesces", 5'000, "x"));
  const std::vector<known_failure> found = file().of_test("Cache.Coalesces");
  ASSERT_EQ(found.size(), failures_file::lines_max);
  EXPECT_EQ(found.front(), failure_of("Cache.Coalesces", 5, "x"));
  EXPECT_EQ(found.back(), failure_of("Cache.Coalesces", 5'000, "x"));
}

TEST_F(FailuresFileTest, WithoutAPathNothingIsKept) {
  file_at("").add(failure_of("Cache.Coalesces", 1));
  file_at("").drop({failure_of("Cache.Coalesces", 1)});
  EXPECT_THAT(file_at("").of_test("Cache.Coalesces"), IsEmpty());
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FailuresFileTest, WarnsWhereItCannotBeWritten) {
  const failures_file nowhere = file_at(folder_ + "/none/subject.failures");
  nowhere.add(failure_of("Cache.Coalesces", 1));
  EXPECT_THAT(warnings_, ElementsAre("a failure is not kept: cannot write " + folder_ +
                                     "/none/subject.failures: No such file or directory; --lockstep_failures=FILE says "
                                     "where failures are kept, and none that they are not"));
  EXPECT_THAT(nowhere.of_test("Cache.Coalesces"), IsEmpty());
  EXPECT_EQ(warnings_.size(), 1u);  // one that does not exist is empty

  warnings_.clear();
  const failures_file a_folder = file_at(folder_);
  EXPECT_THAT(a_folder.of_test("Cache.Coalesces"), IsEmpty());
  a_folder.drop({failure_of("Cache.Coalesces", 1)});
  EXPECT_THAT(warnings_, ElementsAre(StartsWith("cannot read " + folder_ + ": Is a directory"),
                                     StartsWith("failures that are mended are kept: cannot write")));

  // The file can be written, but not replaced.
  warnings_.clear();
  file().add(failure_of("Cache.Coalesces", 1));
  file().add(failure_of("Cache.Coalesces", 2));
  std::filesystem::create_directory(path_ + ".new");
  file().drop({failure_of("Cache.Coalesces", 1)});
  EXPECT_THAT(warnings_, ElementsAre(StartsWith("failures that are mended are kept: cannot write")));
  EXPECT_EQ(file().of_test("Cache.Coalesces").size(), 2u);
}

// Four processes add, and drop every third of what they have added, so that files are appended to and replaced at once.
TEST_F(FailuresFileTest, SeveralProcessesMayChangeItAtOnce) {
  constexpr unsigned processes = 4;
  constexpr unsigned each = 60;
  std::vector<pid_t> children;
  for (unsigned nth = 0; nth < processes; ++nth) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool warned = false;
      const failures_file mine(path_, [&](const std::string&) { warned = true; });
      for (unsigned i = 0; i < each; ++i) {
        const known_failure found = failure_of("Cache.Coalesces", nth * each + i + 1);
        mine.add(found);
        if (i % 3 == 0) mine.drop({found});
      }
      ::_exit(warned ? 1 : 0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::set<std::string> expected;
  for (unsigned i = 0; i < processes * each; ++i) {
    if (i % each % 3 != 0) expected.insert(failure_of("Cache.Coalesces", i + 1).token);
  }
  std::set<std::string> found;
  for (const known_failure& every : file().of_test("Cache.Coalesces")) found.insert(every.token);
  EXPECT_EQ(found, expected);
  EXPECT_THAT(warnings_, IsEmpty());
}

}  // namespace
}  // namespace lockstep::detail
