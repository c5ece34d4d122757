#include "all_images.hpp"

#include <lockstep/sim/bad_sectors.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <bit>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

plain_files files_here() { return plain_files(here(), source::current()); }

// The letters a, b, c …, a sector of each.
std::string sectors_of(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string(page_bytes, static_cast<char>('a' + i));
  return text;
}

int open_sectors(int count) {
  files_here().write_file("/a", sectors_of(count));
  return make_file("/a", O_RDWR);
}

// "-5" for an error.
std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  const std::int64_t got = here().pread(fd, text.data(), size, static_cast<std::int64_t>(offset));
  if (got < 0) return std::to_string(got);
  text.resize(static_cast<std::size_t>(got));
  return text;
}
std::int64_t write_at(int fd, std::uint64_t offset, const std::string& text) {
  return here().pwrite(fd, text.data(), text.size(), static_cast<std::int64_t>(offset));
}

std::vector<std::size_t> differences(const std::string& one, const std::string& other) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] != other[i]) found.push_back(i);
  }
  return found;
}

// -- bit rot ----------------------------------------------------------------------------------------------------------

TEST(BadSectorsTest, HaveOneWrongBitHoweverOftenTheyAreRead) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(3);
    const fault rot = on(op::file_read).to("/a").bytes(page_bytes, 2 * page_bytes).bit_rot();
    EXPECT_EQ(read_at(fd, 0, page_bytes), sectors_of(1)) << "out of its range";
    const std::string bad = read_at(fd, 0, 3 * page_bytes);
    const std::vector<std::size_t> wrong = differences(bad, sectors_of(3));
    ASSERT_EQ(wrong.size(), 1u);
    EXPECT_EQ(wrong[0] / page_bytes, 1u);
    EXPECT_EQ(std::popcount(static_cast<unsigned>(bad[wrong[0]] ^ 'b')), 1);
    EXPECT_EQ(read_at(fd, 0, 3 * page_bytes), bad);
    const int other = make_file("/a", O_RDONLY);
    EXPECT_EQ(read_at(other, wrong[0], 1), bad.substr(wrong[0], 1));
    EXPECT_EQ(files_here().read_file("/a"), bad) << "of a test as well";
    EXPECT_EQ(files_here().image().text_of("/a"), bad);
    EXPECT_EQ(files_here().durable_image().text_of("/a"), bad);
    EXPECT_EQ(rot.fired(), 1u);
    system.close(fd);
    system.close(other);
  });
}

TEST(BadSectorsTest, AreWrongInTheSamePlaceForTheSameContent) {
  std::vector<std::size_t> places;
  for (const char* const text : {"same", "same", "else"}) {
    in_world([&](system_calls& system) {
      files_here().write_file("/a", text);
      const int fd = make_file("/a", O_RDWR);
      const fault rot = on(op::file_read).forever().bit_rot();
      const std::string bad = read_at(fd, 0, 4);
      EXPECT_EQ(read_at(fd, 0, 4), bad) << "what has rotted does not rot again";
      std::size_t place = 0;
      for (std::size_t i = 0; i < 4; ++i) place = place * 256 + static_cast<unsigned char>(bad[i] ^ text[i]);
      places.push_back(place);
      system.close(fd);
    });
  }
  EXPECT_EQ(places[0], places[1]);
  EXPECT_NE(places[0], places[2]);
}

TEST(BadSectorsTest, AreGoodAgainWhenTheWrongByteIsWritten) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(1);
    const fault rot = on(op::file_read).bit_rot();
    const std::string bad = read_at(fd, 0, page_bytes);
    const std::size_t wrong = differences(bad, sectors_of(1)).at(0);
    write_at(fd, wrong == 0 ? 1 : 0, "a");
    EXPECT_EQ(read_at(fd, 0, page_bytes), bad) << "what was read is written back";
    write_at(fd, wrong, "a");
    EXPECT_EQ(read_at(fd, 0, page_bytes), sectors_of(1));
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreBadBehindAPowerCutAndNotInAnotherDisk) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(1);
    const disk_image before = files_here().image();
    const fault rot = on(op::file_read).bit_rot();
    const std::string bad = read_at(fd, 0, page_bytes);
    system.close(fd);
    const disk_image left = files_here().image_after_power_cut();
    EXPECT_EQ(left.text_of("/a"), bad);
    const std::size_t wrong = differences(bad, sectors_of(1)).at(0);
    EXPECT_EQ(before.difference(left), "~ /a: from byte " + std::to_string(wrong) + " on\n");
    EXPECT_NE(before.fingerprint(), left.fingerprint());
    EXPECT_EQ(left.difference(files_here().image()), "");
    EXPECT_EQ(left.fingerprint(), files_here().image().fingerprint());
    here().files().lose_power(nothing_lost, nullptr);
    EXPECT_EQ(files_here().read_file("/a"), bad);
    files_here().restore(before);
    EXPECT_EQ(files_here().read_file("/a"), sectors_of(1));
  });
}

TEST(BadSectorsTest, AreInImagesAndOnTheDiskThatAnImageIsPutOn) {
  std::optional<disk_image> bad;
  in_world([&bad](system_calls& system) {
    const int fd = open_sectors(3);
    const fault rot = on(op::file_read).bytes(0, page_bytes).bit_rot();
    const fault latent = on(op::file_read).bytes(page_bytes, 2 * page_bytes).latent_error();
    read_at(fd, 0, page_bytes);
    const disk_image before = files_here().durable_image();
    read_at(fd, page_bytes, 1);
    bad.emplace(files_here().durable_image());
    EXPECT_NE(bad->fingerprint(), before.fingerprint());
    EXPECT_EQ(before.difference(*bad), "~ /a: unreadable at none, at 4096\n");
    EXPECT_EQ(bad->difference(before), "~ /a: unreadable at 4096, at none\n");
    EXPECT_EQ(files_here().crash_images(9).at(0).disk.difference(*bad), "");
    EXPECT_EQ(system.ftruncate(fd, 10), 0);
    const disk_image cut = files_here().image();
    const std::uint64_t number = cut.find("/")->names.at("a");
    EXPECT_THAT(bad->bad().unreadable(number), ElementsAre(page_bytes));
    EXPECT_THAT(cut.bad().unreadable(number), ElementsAre()) << "it ends before";
    system.close(fd);
  });
  in_world([&bad](system_calls& system) {
    files_here().restore(*bad);
    const int fd = make_file("/a", O_RDWR);
    const std::string rotten = read_at(fd, 0, page_bytes);
    EXPECT_THAT(differences(rotten, sectors_of(1)), testing::SizeIs(1));
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    EXPECT_EQ(read_at(fd, 2 * page_bytes, 1), "c");
    write_at(fd, page_bytes, std::string(page_bytes, 'x'));
    EXPECT_EQ(read_at(fd, page_bytes, 1), "x");
    system.close(fd);
  });
}

// A sector is good again when what was written has come to the disk, and bad when that is lost: as it was.
TEST(BadSectorsTest, AreBadAgainWhereTheRewriteIsLost) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(2);
    const fault rot = on(op::file_read).bytes(0, page_bytes).bit_rot();
    const std::string bad = read_at(fd, 0, page_bytes);
    const fault latent = on(op::file_read).bytes(page_bytes, 2 * page_bytes).latent_error();
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    system.close(fd);
    for (const bool is_kept : {false, false, true}) {
      const int now = make_file("/a", O_RDWR);
      EXPECT_EQ(read_at(now, 0, page_bytes), bad);
      EXPECT_EQ(read_at(now, page_bytes, 1), "-5");
      EXPECT_EQ(write_at(now, 0, std::string(2 * page_bytes, 'x')), 2 * std::int64_t{page_bytes});
      EXPECT_EQ(read_at(now, 0, 2 * page_bytes), std::string(2 * page_bytes, 'x'));
      const disk_image lost = files_here().durable_image();
      EXPECT_EQ(lost.text_of("/a"), bad + sectors_of(2).substr(page_bytes));
      EXPECT_EQ(lost.bad().unreadable(lost.find("/")->names.at("a")).size(), 1u);
      system.close(now);
      here().files().lose_power([&](std::string_view, std::uint64_t options) { return is_kept ? 0 : options - 1; },
                                nullptr);
    }
    EXPECT_EQ(files_here().read_file("/a"), std::string(2 * page_bytes, 'x'));
    EXPECT_TRUE(here().files().disk().bad().empty());
  });
}

TEST(BadSectorsTest, AreGoodByASyncAndBadAgainByOneThatFails) {
  for (const bool reverts : {false, true}) {
    in_world([&](system_calls& system) {
      files_here().failed_sync_reverts(reverts);
      const int fd = open_sectors(1);
      const fault rot = on(op::file_read).bit_rot();
      const std::string bad = read_at(fd, 0, page_bytes);
      {
        const fault failing = on(op::sync).fail(EIO);
        EXPECT_EQ(write_at(fd, 0, std::string(page_bytes, 'x')), static_cast<std::int64_t>(page_bytes));
        EXPECT_EQ(system.fsync(fd), -EIO);
      }
      EXPECT_EQ(read_at(fd, 0, page_bytes), reverts ? bad : std::string(page_bytes, 'x'));
      EXPECT_EQ(system.fsync(fd), 0);
      EXPECT_EQ(text_of(image_left(ext4_ordered)), "/a=" + bad);
      EXPECT_EQ(write_at(fd, 0, std::string(page_bytes, 'y')), static_cast<std::int64_t>(page_bytes));
      EXPECT_EQ(system.fsync(fd), 0);
      EXPECT_THAT(image_texts(weakest), ElementsAre("/a=" + std::string(page_bytes, 'y')));
      EXPECT_TRUE(log_here().durable().bad().empty());
      system.close(fd);
    });
  }
}

// Half of a sector mends nothing; and what has rotted is good with the piece that it is in.
TEST(BadSectorsTest, AreGoodWithThePieceOfATornWriteThatTheyAreIn) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(2);
    const fault rot = on(op::file_read).bytes(0, page_bytes).bit_rot();
    const std::size_t wrong = differences(read_at(fd, 0, page_bytes), sectors_of(1)).at(0);
    const fault latent = on(op::file_read).bytes(page_bytes, 2 * page_bytes).latent_error();
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    EXPECT_EQ(write_at(fd, 0, std::string(2 * page_bytes, 'x')), 2 * std::int64_t{page_bytes});
    crash_model model = weakest;
    model.whole_bytes = page_bytes / 2;
    for_all_answers([&](const crash_chooser& choose) {
      const disk_image left = log_here().image(model, choose, nullptr);
      const std::string text = left.text_of("/a");
      EXPECT_EQ(text[wrong] == 'x', text[wrong ^ 1] == 'x');
      const bool is_written = text[page_bytes] == 'x' && text[2 * page_bytes - 1] == 'x';
      EXPECT_EQ(left.bad().unreadable(left.find("/")->names.at("a")).empty(), is_written);
    });
    system.close(fd);
  });
}

// -- latent errors ----------------------------------------------------------------------------------------------------

TEST(BadSectorsTest, CannotBeReadUntilTheyAreWritten) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(3);
    const fault latent = on(op::file_read).to("/a").bytes(page_bytes, 2 * page_bytes).latent_error();
    EXPECT_EQ(read_at(fd, 0, 3 * page_bytes), sectors_of(1)) << "as far as it goes";
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    EXPECT_EQ(read_at(fd, 2 * page_bytes - 1, 100), "-5");
    EXPECT_EQ(read_at(fd, 2 * page_bytes, 1), "c");
    EXPECT_EQ(files_here().read_file("/a"), sectors_of(3)) << "a test sees what is in there";
    const fault rot = on(op::file_read).to("/a").bytes(page_bytes, 2 * page_bytes).bit_rot();
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5") << "that stays as it is";
    EXPECT_EQ(write_at(fd, page_bytes + 5, "x"), -EIO) << "it would be read";
    EXPECT_EQ(write_at(fd, 100, std::string(page_bytes, 'x')), static_cast<std::int64_t>(page_bytes - 100));
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    EXPECT_EQ(write_at(fd, page_bytes, std::string(page_bytes, 'y')), static_cast<std::int64_t>(page_bytes));
    EXPECT_EQ(read_at(fd, page_bytes, 2), "yy");
    EXPECT_EQ(latent.fired(), 1u);
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreOfTheLastSectorAsFarAsThatGoes) {
  in_world([](system_calls& system) {
    files_here().write_file("/a", "text");
    const int fd = make_file("/a", O_RDWR);
    const fault latent = on(op::file_read).latent_error();
    EXPECT_EQ(read_at(fd, 4, 1), "") << "nothing is to be read, so nothing is bad";
    EXPECT_EQ(latent.matched(), 0u);
    EXPECT_EQ(read_at(fd, 1, 1), "-5");
    EXPECT_EQ(write_at(fd, 0, "TEX"), -EIO);
    EXPECT_EQ(write_at(fd, 0, "TEXT"), 4);
    EXPECT_EQ(read_at(fd, 0, 9), "TEXT");
    system.close(fd);
  });
}

TEST(BadSectorsTest, GoWithWhatIsCutOff) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(2);
    const fault latent = on(op::file_read).latent_error();
    EXPECT_EQ(read_at(fd, page_bytes, 1), "-5");
    system.ftruncate(fd, page_bytes);
    system.ftruncate(fd, 2 * page_bytes);
    EXPECT_EQ(read_at(fd, page_bytes, 1), std::string(1, '\0'));
    EXPECT_TRUE(here().files().disk().bad().empty());
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreGoodWhereTheWrongByteIsCutOff) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(1);
    const fault rot = on(op::file_read).bit_rot();
    const std::size_t wrong = differences(read_at(fd, 0, page_bytes), sectors_of(1)).at(0);
    ASSERT_NE(wrong, 0u);
    EXPECT_EQ(system.ftruncate(fd, static_cast<std::int64_t>(wrong)), 0);
    EXPECT_EQ(system.ftruncate(fd, page_bytes), 0);
    EXPECT_EQ(read_at(fd, wrong, 1), std::string(1, '\0'));
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreNotInAnImageThatEndsBeforeThem) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(1);
    EXPECT_EQ(write_at(fd, page_bytes, sectors_of(1)), static_cast<std::int64_t>(page_bytes));
    const fault rot = on(op::file_read).bytes(page_bytes, 2 * page_bytes).bit_rot();
    EXPECT_NE(read_at(fd, page_bytes, page_bytes), sectors_of(1));
    EXPECT_EQ(text_of(image_left(strict_sync)), "/a=" + sectors_of(1));
    system.close(fd);
  });
}

// -- misdirected writes -----------------------------------------------------------------------------------------------

// A part of one cannot be cleared either: what stays would have to be read.
TEST(BadSectorsTest, AreNotMendedInParts) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(2);
    const fault latent = on(op::file_read).to("/a").bytes(0, page_bytes).latent_error();
    EXPECT_EQ(read_at(fd, 0, 10), "-5");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10), -EIO);
    EXPECT_EQ(system.ftruncate(fd, 10), -EIO);
    EXPECT_EQ(read_at(fd, 0, 10), "-5");
    EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page_bytes), 0);
    EXPECT_EQ(read_at(fd, 0, 10), std::string(10, '\0'));
    EXPECT_EQ(system.ftruncate(fd, 10), 0);
    system.close(fd);
  });
}

// The end of the file that a power cut leaves is before them.
TEST(BadSectorsTest, GoWithWhatAPowerCutHasCutOff) {
  in_world([](system_calls& system) {
    files_here().crash_model(strict_sync);
    int fd = open_sectors(1);
    EXPECT_EQ(write_at(fd, page_bytes, sectors_of(1)), static_cast<std::int64_t>(page_bytes));
    const fault latent = on(op::file_read).to("/a").bytes(page_bytes, 2 * page_bytes).latent_error();
    EXPECT_EQ(read_at(fd, page_bytes, 10), "-5");
    system.close(fd);
    here().files().lose_power(nothing_lost, nullptr);
    fd = make_file("/a", O_RDWR);
    EXPECT_EQ(system.ftruncate(fd, 2 * page_bytes), 0);
    EXPECT_EQ(read_at(fd, page_bytes, 10), std::string(10, '\0'));
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreNotWrittenWhereTheWriteIsMisdirected) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(4);
    const fault elsewhere = on(op::file_write).to("/a").misdirect(3 * page_bytes + 7);
    EXPECT_EQ(write_at(fd, page_bytes + 1, "xy"), 2);
    std::string expected = sectors_of(3) + sectors_of(2).substr(page_bytes);
    expected.replace(3 * page_bytes + 1, 2, "xy");
    EXPECT_EQ(read_at(fd, 0, 4 * page_bytes), expected) << "the whole sector goes there";
    EXPECT_EQ(write_at(fd, page_bytes + 1, "xy"), 2);
    EXPECT_EQ(read_at(fd, page_bytes, 3), "bxy") << "once";
    system.fsync(fd);
    EXPECT_EQ(text_of(log_here().durable()).substr(3 + 3 * page_bytes, 3), "bxy");
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreLeftAsTheyAreThatAWriteIsForWhereItGoesJustBefore) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(4);
    const fault elsewhere = on(op::file_write).to("/a").misdirect(0);
    EXPECT_EQ(write_at(fd, page_bytes, std::string(2 * page_bytes, 'x')), 2 * std::int64_t{page_bytes});
    EXPECT_EQ(read_at(fd, 0, 4 * page_bytes), std::string(page_bytes, 'x') + sectors_of(4).substr(page_bytes));
    system.close(fd);
  });
}

// What is read of it to make it whole, too.
TEST(BadSectorsTest, AreMisdirectedAsTheyAre) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(3);
    const fault rot = on(op::file_read).bytes(page_bytes, 2 * page_bytes).bit_rot();
    const std::string bad = read_at(fd, page_bytes, page_bytes);
    const fault elsewhere = on(op::file_write).misdirect();
    const std::size_t wrong = differences(bad, sectors_of(2).substr(page_bytes)).at(0);
    write_at(fd, page_bytes + (wrong == 0 ? 1 : 0), "b");
    EXPECT_EQ(read_at(fd, 2 * page_bytes, page_bytes), bad);
    const fault before = on(op::file_write).misdirect();
    write_at(fd, page_bytes, std::string(2 * page_bytes, 'x'));
    EXPECT_EQ(read_at(fd, 0, 1) + read_at(fd, page_bytes, page_bytes), "x" + bad) << "as far as there is another place";
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreNoPlaceForAWriteThatIsForThem) {
  world of;
  of.run([]() -> task<void> {
    const int fd = open_sectors(4);
    const fault wrong = on(op::file_write).misdirect(2 * page_bytes);
    EXPECT_EQ(write_at(fd, page_bytes, std::string(2 * page_bytes, 'x')), 2 * std::int64_t{page_bytes});
    EXPECT_EQ(read_at(fd, 0, 4 * page_bytes), sectors_of(4)) << "it is written nowhere";
    here().close(fd);
    co_return;
  }());
  ASSERT_THAT(of.verdicts(), testing::SizeIs(1));
  EXPECT_EQ(of.verdicts()[0].kind, verdict_kind::misuse);
  EXPECT_THAT(
      of.verdicts()[0].message,
      HasSubstr("a write of 8192 bytes at 4096 cannot be misdirected to 8192, as that is in a sector of its own"));
}

TEST(BadSectorsTest, AreAnyOthersOfTheFileWhereAWriteIsMisdirected) {
  std::set<std::string> found;
  in_random_worlds(40, [&](system_calls& system) {
    const int fd = open_sectors(5);
    const fault elsewhere = on(op::file_write).misdirect();
    EXPECT_EQ(write_at(fd, 2 * page_bytes, std::string(2 * page_bytes, 'x')), 2 * std::int64_t{page_bytes});
    std::string first;
    for (std::uint64_t i = 0; i < 5; ++i) first += read_at(fd, i * page_bytes, 1);
    found.insert(first);
    system.close(fd);
  });
  EXPECT_THAT(found, ElementsAre("abcdx", "xxcde"));
  // The plain run has the place behind.
  in_world([&](system_calls& system) {
    const int fd = open_sectors(3);
    const fault elsewhere = on(op::file_write).misdirect();
    EXPECT_EQ(write_at(fd, page_bytes, std::string(page_bytes, 'x')), static_cast<std::int64_t>(page_bytes));
    EXPECT_EQ(read_at(fd, page_bytes, 1) + read_at(fd, 2 * page_bytes, 1), "bx");
    system.close(fd);
  });
}

TEST(BadSectorsTest, AreLeftAloneWhereTheFileHasNoOtherPlace) {
  in_world([](system_calls& system) {
    const int fd = make_file("/a");
    const fault lost = on(op::file_write).forever().misdirect();
    EXPECT_EQ(write_at(fd, 0, "text"), 4);
    EXPECT_EQ(read_at(fd, 0, 9), std::string(4, '\0')) << "it has the size all the same";
    EXPECT_EQ(write_at(fd, page_bytes, "more"), 4);
    EXPECT_EQ(read_at(fd, 0, 4), "more");
    EXPECT_EQ(lost.fired(), 2u);
    system.close(fd);
  });
}

// -- words ------------------------------------------------------------------------------------------------------------

TEST(BadSectorsTest, AreToldOf) {
  world of;
  world_options how;
  how.keep_trace = true;
  of.run(
      []() -> task<void> {
        const int fd = open_sectors(3);
        const fault rot = on(op::file_read).to("/a").bit_rot();
        read_at(fd, 0, 1);
        const fault latent = on(op::file_read).latent_error();
        read_at(fd, page_bytes, 1);
        const fault elsewhere = on(op::file_write).misdirect();
        write_at(fd, 0, "x");
        const fault there = on(op::file_write).bytes(0, page_bytes).misdirect(2 * page_bytes);
        write_at(fd, 0, "x");
        here().close(fd);
        std::vector<std::string> texts;
        for (const fired_fault& each : lockstep::world().network().faults().log()) texts.push_back(each.fault);
        EXPECT_THAT(texts, ElementsAre("file_read of /a (bit rot)", "file_read (latent error)",
                                       "file_write (misdirect)", "file_write bytes 0 to 4096 (misdirect to 8192)"));
        co_return;
      }(),
      how);
  EXPECT_THAT(of.verdicts(), testing::IsEmpty());
  std::vector<std::string> told;
  for (const trace_note& each : of.loop().history().notes()) {
    if (each.subject == "disk") told.push_back(each.text);
  }
  ASSERT_EQ(told.size(), 4u);
  EXPECT_THAT(told[0], HasSubstr(": a bit of /a is wrong at "));
  EXPECT_THAT(told[1], HasSubstr(": /a cannot be read at 4096"));
  EXPECT_THAT(told[2], HasSubstr(": what was for 0 of /a is written to 4096"));
  EXPECT_THAT(told[3], HasSubstr(": what was for 0 of /a is written to 8192"));
}

TEST(BadSectorsTest, AreAVerdictWhereNoneWentBad) {
  world of;
  of.run([]() -> task<void> {
    const fault rot = on(op::file_read).to("/a").bit_rot();
    co_return;
  }());
  ASSERT_EQ(of.verdicts().size(), 1u);
  EXPECT_EQ(of.verdicts().front().message,
            "fault on file_read of /a (bit rot) never fired; 0 operations were in its scope");
}

TEST(BadSectorsTest, AreRefusedOfOtherCalls) {
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::sync).misdirect(); }),
              HasSubstr("sync cannot be misdirected, as file_write can"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::file_write).bit_rot(); }),
              HasSubstr("file_write meets no bit rot, as file_read does"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::file_write).latent_error(); }),
              HasSubstr("file_write meets no latent error, as file_read does"));
}

class WrittenBadSectorTest : public testing::TestWithParam<bool> {};

TEST_P(WrittenBadSectorTest, IsGoodOnTheDiskWhenItIsSynced) {
  const bool sync_of_all = GetParam();
  in_world([sync_of_all](system_calls& system) {
    const int fd = open_sectors(1);
    {
      const fault bad = on(op::file_read).to("/a").latent_error();
      EXPECT_EQ(read_at(fd, 0, 1), "-5");
    }
    std::string head(100, 'h');
    std::string rest(page_bytes - 100, 'r');
    const iovec both[] = {{head.data(), head.size()}, {rest.data(), rest.size()}};
    EXPECT_EQ(system.pwritev(fd, both, 2, 0), static_cast<std::int64_t>(page_bytes));
    if (sync_of_all) {
      system.sync();
    } else {
      EXPECT_EQ(system.fsync(fd), 0);
    }
    EXPECT_EQ(read_at(fd, 0, 1), "h");
    EXPECT_EQ(files_here().durable_image().difference(files_here().image()), "");
    system.close(fd);
  });
}

INSTANTIATE_TEST_SUITE_P(OfAllFiles, WrittenBadSectorTest, testing::Bool());

// What a failed sync has not written, a later one of all files does not write either.
TEST(BadSectorsTest, StayBadOnTheDiskWhereTheirSyncHasFailed) {
  in_world([](system_calls& system) {
    const int fd = open_sectors(1);
    {
      const fault bad = on(op::file_read).to("/a").latent_error();
      EXPECT_EQ(read_at(fd, 0, 1), "-5");
    }
    EXPECT_EQ(write_at(fd, 0, sectors_of(1)), static_cast<std::int64_t>(page_bytes));
    {
      const fault broken = on(op::sync).to("/a").fail(EIO);
      EXPECT_EQ(system.fsync(fd), -EIO);
    }
    system.sync();
    EXPECT_EQ(files_here().durable_image().bad().empty(), false);
    system.close(fd);
  });
}

}  // namespace
}  // namespace lockstep::sim
