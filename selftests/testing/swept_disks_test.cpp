#include <lockstep/testing/swept_disks.hpp>

#include <lockstep/lockstep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;

CO_TEST(SweptDisksTest, AreThoseOfAllHosts) {
  world().host("db");
  world().host("web");
  world().fs("db").make_directory("/log");
  world().fs("db").mount("/log").write_file("/entries", "1");
  const swept_disks disks(world());
  CO_ASSERT_EQ(disks.count(), 4u);
  EXPECT_EQ(disks.place(0), "");
  EXPECT_EQ(disks.place(1), " of host \"db\"");
  EXPECT_EQ(disks.place(2), " on /log of host \"db\"");
  EXPECT_EQ(disks.place(3), " of host \"web\"");
  EXPECT_EQ(disks.host_of(2), " of host \"db\"");
  EXPECT_EQ(disks.at(2).image().text_of("/entries"), "1");
  const sim::disk_image before = disks.at(2).image();
  world().fs("db").write_file("/log/entries", "2");
  disks.restore(2, before);
  EXPECT_EQ(world().fs("db").read_file("/log/entries"), "1");
  EXPECT_TRUE(disks.has_places_of(swept_disks(world())));
  EXPECT_EQ(disks.lacks(), "");
  co_return;
}

CO_TEST(SweptDisksTest, TellsOfWhatIsMadeLater) {
  const swept_disks none_more(world());
  world().host("web");
  EXPECT_EQ(none_more.lacks(), "") << "no files on it";
  const swept_disks before(world());
  world().fs().make_directory("/log");
  world().fs().mount("/log");
  EXPECT_THAT(before.lacks(), HasSubstr("has mounted a disk"));
  EXPECT_FALSE(before.has_places_of(swept_disks(world())));
  const swept_disks with_log(world());
  world().host("db");
  world().fs("db").write_file("/a", "");
  EXPECT_THAT(with_log.lacks(), HasSubstr("has made host \"db\", and files on it"));
  co_return;
}

}  // namespace
}  // namespace lockstep::detail
