#include "all_images.hpp"

#include <lockstep/sim/disk_image.hpp>

namespace lockstep::sim {
namespace {

TEST(DiskImageTest, IsListedAndCompared) {
  in_world([](system_calls& system) {
    make_directory("/d");
    write_file("/d/a", "hello");
    write_file("/b", std::string(5000, 'x'));
    system.symlinkat("d/a", AT_FDCWD, "/l");
    const disk_image before = here().files().disk().image();
    EXPECT_EQ(before.tree(), "/b 5000 bytes\n/d/\n/d/a 5 bytes\n/l -> d/a\n/tmp/\n");
    EXPECT_EQ(before.text_of("/d/a"), "hello");
    EXPECT_EQ(before.find("/none"), nullptr);
    EXPECT_EQ(before.find("/d/a/more"), nullptr);
    EXPECT_EQ(before.text_of("/none"), "");
    write_file("/b", "y", 4500);
    write_file("/d/a", "hello!");
    write_file("/new", "");
    system.unlinkat(AT_FDCWD, "/l", 0);
    EXPECT_EQ(before.difference(here().files().disk().image()),
              "~ /b: from byte 4500 on\n- /d/a 5 bytes\n+ /d/a 6 bytes\n- /l -> d/a\n+ /new 0 bytes\n");
    EXPECT_EQ(before.difference(before), "");
  });
}

TEST(DiskImageTest, IsRepairedAsByFsck) {
  in_world([](system_calls&) {
    write_file("/a", "x");
    disk_image image = here().files().disk().image();
    image.file(77).attributes.mode = S_IFREG;
    image.file(78).attributes.mode = S_IFDIR;
    image.file(disk_image::root).names["d"] = 78;
    image.file(disk_image::root).names["e"] = 78;
    image.file(disk_image::root).names["lost"] = 99;
    image.repair();
    EXPECT_EQ(text_of(image), "/a=x /d/");
    EXPECT_EQ(image.find(77), nullptr);
  });
}

TEST(DiskImageTest, BecomesADisk) {
  in_world([](system_calls& system) {
    make_directory("/d");
    write_file("/d/a", "hello");
    system.linkat(AT_FDCWD, "/d/a", AT_FDCWD, "/d/b", 0);
    file_system& disk = here().files().disk();
    const disk_image image = disk.image();
    write_file("/d/c", "later");
    const std::uint64_t pages = disk.pages_used();
    disk.restore(image);
    EXPECT_EQ(text_of(disk.image()), "/d/ /d/a=hello /d/b=hello");
    EXPECT_EQ(disk.pages_used(), pages - 1);
    struct stat found {};
    ASSERT_EQ(system.fstatat(AT_FDCWD, "/d/a", &found, 0), 0);
    EXPECT_EQ(found.st_nlink, 2u);
    ASSERT_EQ(system.fstatat(AT_FDCWD, "/d", &found, 0), 0);
    EXPECT_EQ(found.st_nlink, 2u);
    ASSERT_EQ(system.fstatat(AT_FDCWD, "/", &found, 0), 0);
    EXPECT_EQ(found.st_nlink, 4u);
  });
}

TEST(DiskImageTest, KnowsOwnersAndNamesOfOneFileApart) {
  in_world([](system_calls& system) {
    write_file("/a", "x");
    write_file("/b", "x");
    const auto image = [] { return here().files().disk().image(); };
    const disk_image before = image();
    EXPECT_EQ(system.fchownat(AT_FDCWD, "/a", 5, 6, 0), 0);
    EXPECT_EQ(before.difference(image()), "~ /a: mode 100600 of 0:0, mode 100600 of 5:6\n");
    EXPECT_NE(before.fingerprint(), image().fingerprint());
    EXPECT_EQ(system.fchownat(AT_FDCWD, "/a", 0, 0, 0), 0);
    EXPECT_EQ(before.fingerprint(), image().fingerprint());
    const timespec times[2] = {{5, 0}, {0, UTIME_OMIT}};
    EXPECT_EQ(system.utimensat(AT_FDCWD, "/a", times, 0), 0);
    EXPECT_NE(before.fingerprint(), image().fingerprint()) << "of times as well";
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/b", 0), 0);
    EXPECT_EQ(system.linkat(AT_FDCWD, "/a", AT_FDCWD, "/b", 0), 0);
    EXPECT_NE(before.fingerprint(), image().fingerprint());
  });
}

}  // namespace
}  // namespace lockstep::sim
