// Power cuts: what of a file is left, under each kind of file system, and how to write one that stays.
#include <lockstep/sim/host.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <cerrno>
#include <iostream>
#include <string>

namespace {

using namespace lockstep;
using testing::AnyOf;

// [code]
// The high score of a game, which is to outlive the game.
const std::string path = "/var/lib/game/score";

task<void> save(int score) { co_await write_file(path, std::to_string(score)); }

task<int> load() {
  const std::string text = co_await read_file(path);
  co_return std::stoi(text);
}
// [/code]

// [lost]
CO_TEST(Score, IsThereWhenThePowerIsBack, explore()) {
  sim::host& game = world().host("game");
  world().fs("game").write_file(path, "100");
  co_await game.spawn(save(200)).join();
  game.crash();
  const int score = co_await game.restart(load).join();
  EXPECT_THAT(score, AnyOf(100, 200));
}
// [/lost]

// [sweep]
task<void> saves() { co_await save(200); }
task<void> finds_one_of_them() {
  const int score = co_await load();
  EXPECT_THAT(score, AnyOf(100, 200));
}

crash_sweep_options with_a_score() {
  crash_sweep_options how;
  how.prepare = [](sim::world& of) { of.fs().write_file(path, "100"); };
  return how;
}

TEST(Score, SurvivesEveryPowerCut) { EXPECT_TRUE(crash_sweep(saves, finds_one_of_them, with_a_score())); }
// [/sweep]

// [renamed]
task<void> saves_beside_it() {
  co_await write_file(path + ".new", "200");
  co_await rename_file(path + ".new", path);
}

TEST(ScoreThatIsRenamed, SurvivesEveryPowerCutOnExt4) {
  crash_sweep_options how = with_a_score();
  how.models = {sim::ext4_ordered};
  EXPECT_TRUE(crash_sweep(saves_beside_it, finds_one_of_them, how));
}
TEST(ScoreThatIsRenamed, SurvivesEveryPowerCut) {
  EXPECT_TRUE(crash_sweep(saves_beside_it, finds_one_of_them, with_a_score()));
}
// [/renamed]

// [atomically]
task<void> saves_atomically() { co_await write_file_atomically(path, "200"); }

TEST(ScoreThatIsWrittenAtomically, SurvivesEveryPowerCut) {
  crash_sweep_options how = with_a_score();
  for (sim::crash_model& each : how.models) each.rename_is_atomic = true;
  EXPECT_TRUE(crash_sweep(saves_atomically, finds_one_of_them, how));
}
// [/atomically]

// [promised]
struct player {
  int told = 100;  // that it is saved

  task<void> plays() {
    co_await write_file(path + ".new", "200");
    file written = co_await open(path + ".new");
    co_await written.sync();
    co_await rename_file(path + ".new", path);
    told = 200;
  }
  task<void> comes_back() {
    const int score = co_await load();
    EXPECT_GE(score, told);
  }
};

TEST(ScoreThatWasPromised, IsThereAfterEveryPowerCut) {
  player one;
  crash_sweep_options how = with_a_score();
  how.models = {sim::ext4_ordered};
  EXPECT_TRUE(crash_sweep([&] { return one.plays(); }, [&] { return one.comes_back(); }, how));
}
// [/promised]

// [seen]
CO_TEST(Score, IsInMemoryOnly) {
  sim::plain_files disk = world().fs();
  disk.write_file(path, "100");
  co_await save(200);
  EXPECT_EQ(disk.read_file(path), "200");
  EXPECT_EQ(disk.durable_image().text_of(path), "100");
  co_await write_file(path + ".bak", "100");
  std::cout << "what there is:\n"
            << disk.tree() << "what is not durable:\n"
            << disk.durable_image().difference(disk.image());
}
// [/seen]

// [images]
CO_TEST(ScoreThatIsWrittenAtomically, IsWholeAtAnyTime) {
  sim::plain_files disk = world().fs();
  disk.write_file(path, "100");
  disk.crash_model(sim::btrfs_like);
  disk.pace({.write = std::chrono::milliseconds(2), .sync = std::chrono::milliseconds(5)});
  auto saver = spawn(write_file_atomically(path, "200"), "saver");
  while (!saver.done()) {
    for (const sim::crash_image& each : disk.crash_images(20)) {
      EXPECT_THAT(each.disk.text_of(path), AnyOf("100", "200")) << "lost:\n" << each.lost;
    }
    co_await sleep_for(std::chrono::milliseconds(1));
  }
  co_await saver.join();
}
// [/images]

// [failing]
CO_TEST(ScoreThatIsWrittenAtomically, IsTheOldOneWhenASyncFails) {
  world().fs().write_file(path, "100");
  auto broken = on(op::sync).to("/var/lib/game/*").fail(EIO);
  const result<void> saved = co_await as_result(write_file_atomically(path, "200"));
  EXPECT_FALSE(saved);
  EXPECT_EQ(co_await load(), 100);
}

CO_TEST(ScoreThatIsWrittenAtomically, IsLostByADiskThatLies) {
  world().fs().write_file(path, "100");
  auto lying = on(op::sync).forever().lie();
  co_await write_file_atomically(path, "200");
  EXPECT_EQ(co_await load(), 200);
  EXPECT_EQ(world().fs().durable_image().text_of(path), "100");
}

task<void> is_saved_or_says_so() {
  world().fs().write_file(path, "100");
  const result<void> saved = co_await as_result(write_file_atomically(path, "200"));
  EXPECT_EQ(co_await load(), saved ? 200 : 100);
}
TEST(ScoreThatIsWrittenAtomically, BearsEveryWriteThatFails) {
  EXPECT_TRUE(fault_sweep(on(op::file_write).to("/var/lib/game/*"), ENOSPC, is_saved_or_says_so));
}
// [/failing]

}  // namespace
