#include "in_world.hpp"

#include <lockstep/sim/file_names.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace lockstep::sim {
namespace {

int find_here(std::string_view path) {
  inode_reference found;
  file_names& all = here().files();
  return all.find_file(all.working_directory(), path, true, found);
}

int make_here(std::string_view path, mode_t kind = S_IFREG) {
  inode_reference made;
  file_names& all = here().files();
  return all.make_node(all.working_directory(), path, kind | S_IRWXU, made);
}

TEST(FileNamesTest, BeginWithTheRootAndTmp) {
  in_world([](system_calls&) {
    for (const char* each : {"/", "/tmp", "//tmp//", "tmp/../tmp/.", "/.."}) EXPECT_EQ(find_here(each), 0) << each;
    for (const char* each : {"", "/none", "/none/more"}) EXPECT_EQ(find_here(each), -ENOENT) << each;
  });
}

TEST(FileNamesTest, AreMadeAndFoundAgain) {
  in_world([](system_calls&) {
    EXPECT_EQ(make_here("/tmp/a"), 0);
    EXPECT_EQ(find_here("/tmp/a"), 0);
    for (const char* each : {"/tmp/a", "/tmp/a/", "/", "/tmp/."}) EXPECT_LT(make_here(each), 0) << each;
    EXPECT_EQ(make_here("/tmp/d/", S_IFDIR), 0);
    EXPECT_EQ(make_here("/tmp/d/e/f"), -ENOENT);
    EXPECT_EQ(make_here("/tmp/d/f"), 0);
    EXPECT_EQ(find_here("/tmp/d/../a"), 0);
    EXPECT_EQ(find_here("/tmp/a/.."), -ENOTDIR);
  });
}

TEST(FileNamesTest, HaveALimit) {
  in_world([](system_calls&) {
    const std::string longest(255, 'x');
    EXPECT_EQ(make_here("/tmp/" + longest), 0);
    EXPECT_EQ(make_here("/tmp/" + longest + "x"), -ENAMETOOLONG);
    std::string path;
    for (int i = 0; i < 585; ++i) path += "/tmp/..";
    ASSERT_EQ(path.size(), 4095u);
    EXPECT_EQ(find_here(path), 0);
    EXPECT_EQ(find_here(path + '/'), -ENAMETOOLONG);
  });
}

TEST(FileNamesTest, AreAHostsOwn) {
  in_world([](system_calls&) {
    host& other = here().of().add_host("other");
    EXPECT_EQ(here().mkdirat(AT_FDCWD, "/run", S_IRWXU), 0);
    EXPECT_EQ(other.mkdirat(AT_FDCWD, "/run", S_IRWXU), 0);
  });
}

TEST(FileNamesTest, AskWhoCalls) {
  in_world([](system_calls&) {
    file_names& all = here().files();
    make_here("/tmp/d", S_IFDIR);
    make_here("/tmp/d/f");
    all.who().user = 1000;
    EXPECT_EQ(find_here("/tmp/d/f"), -EACCES);
    EXPECT_EQ(make_here("/d"), -EACCES);
    EXPECT_EQ(all.remove_directory(all.disk().root(), "/tmp/d"), -EPERM) << "the sticky bit";
    EXPECT_EQ(make_here("/tmp/own"), 0);
    EXPECT_EQ(all.remove(all.disk().root(), "/tmp/own"), 0);
  });
}

TEST(FileNamesTest, AskWhomTheHostRunsAs) {
  in_world([](system_calls& system) {
    EXPECT_EQ(here().credentials().uid, 0u);
    make_here("/private");
    here().run_as(7, 8);
    EXPECT_EQ(here().credentials().uid, 7u);
    EXPECT_EQ(here().credentials().gid, 8u);
    EXPECT_FALSE(here().privileged());
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/private", 0), -EACCES);
    here().set_privileged(true);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/private", 0), 0);
    here().set_privileged(false);
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/private", S_IRWXU), -EACCES) << "files know of it that were there before";
  });
}

TEST(FileNamesTest, CrossNoMountByRename) {
  in_world([](system_calls& system) {
    file_names& all = here().files();
    make_here("/mnt", S_IFDIR);
    file_system* disk = nullptr;
    ASSERT_EQ(all.mount("/mnt", disk), 0);
    EXPECT_EQ(make_here("/mnt/f"), 0);
    EXPECT_EQ(system.renameat2(AT_FDCWD, "/mnt/f", AT_FDCWD, "/f", 0), -EXDEV);
    EXPECT_EQ(system.linkat(AT_FDCWD, "/mnt/f", AT_FDCWD, "/f", 0), -EXDEV);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/mnt", AT_REMOVEDIR), -EBUSY);
    EXPECT_EQ(find_here("/mnt/../tmp"), 0);
    std::string path;
    EXPECT_EQ(all.path_of(disk->root(), path), 0);
    EXPECT_EQ(path, "/mnt");
  });
}

TEST(FileNamesTest, ShowAFolderOfTheMachine) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "lockstep_fixture";
  std::filesystem::create_directories(folder / "d");
  std::ofstream(folder / "d" / "f") << "text";
  in_world([&](system_calls& system) {
    make_here("/mnt", S_IFDIR);
    ASSERT_EQ(here().files().mount_fixture("/mnt", folder.string()), 0);
    const int fd = system.openat(AT_FDCWD, "/mnt/d/f", O_RDONLY, 0);
    EXPECT_EQ(read_text(system, fd, 100), "text");
    system.close(fd);
    struct statfs room {};
    EXPECT_EQ(system.statfs("/mnt/d/f", &room), 0);
    EXPECT_EQ(room.f_blocks - room.f_bfree, 1u);
    EXPECT_EQ(system.openat(AT_FDCWD, "/mnt/d/f", O_RDWR, 0), -EROFS);
    EXPECT_EQ(make_here("/mnt/new"), -EROFS);
    EXPECT_EQ(here().files().mount_fixture("/mnt/d", (folder / "none").string()), -ENOENT);
    EXPECT_EQ(here().files().mount_fixture("/mnt/d", (folder / "d" / "f").string()), -ENOTDIR);
    std::filesystem::create_symlink("loop", folder / "loop");
    EXPECT_EQ(here().files().mount_fixture("/mnt/d", (folder / "loop").string()), -ELOOP);
  });
  std::filesystem::remove_all(folder);
}

// And not as empty.
TEST(FileNamesTest, RefuseAFileOfTheMachineThatCannotBeRead) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "lockstep_fixture_that_goes";
  const auto refused = [&folder](const auto& looks) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "f") << "text";
    return text_of_misuse([&] {
      make_here("/mnt", S_IFDIR);
      EXPECT_EQ(here().files().mount_fixture("/mnt", folder.string()), 0);
      std::filesystem::remove_all(folder);
      looks();
    });
  };
  const std::string text = "the fixture " + (folder / "f").string() + " cannot be read: No such file or directory";
  EXPECT_THAT(refused([] {
                struct stat found {};
                current_system().fstatat(AT_FDCWD, "/mnt/f", &found, 0);
              }),
              testing::HasSubstr(text));
  EXPECT_THAT(refused([] {
                const int fd = current_system().openat(AT_FDCWD, "/mnt/f", O_RDONLY, 0);
                read_text(current_system(), fd, 100);
              }),
              testing::HasSubstr(text));
}

}  // namespace
}  // namespace lockstep::sim
