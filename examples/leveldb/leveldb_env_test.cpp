#include "leveldb_env.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/testing/testing.hpp>

#include <leveldb/db.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stored {
namespace {

using namespace lockstep;
using leveldb::Status;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

template <class File>
std::unique_ptr<File> opened(leveldb::Env& env, Status (leveldb::Env::*open)(const std::string&, File**),
                             const std::string& name) {
  File* made = nullptr;
  EXPECT_TRUE((env.*open)(name, &made).ok()) << name;
  return std::unique_ptr<File>(made);
}

CO_TEST(LevelDbEnvTest, WritesWhatIsBufferedWhenItIsFlushedOrTooMuch) {
  leveldb_env env;
  const auto file = opened(env, &leveldb::Env::NewWritableFile, "/file");
  EXPECT_TRUE(file->Append("one").ok());
  EXPECT_EQ(world().fs().read_file("/file"), "");
  EXPECT_TRUE(file->Flush().ok());
  EXPECT_EQ(world().fs().read_file("/file"), "one");
  EXPECT_TRUE(file->Append(std::string(70'000, 'x')).ok());
  EXPECT_EQ(world().fs().read_file("/file").size(), 65'539u);  // the rest is in the buffer
  EXPECT_TRUE(file->Append(std::string(140'000, 'y')).ok());
  EXPECT_EQ(world().fs().read_file("/file").size(), 210'003u);
  EXPECT_TRUE(file->Append("end").ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(world().fs().read_file("/file"), "one" + std::string(70'000, 'x') + std::string(140'000, 'y') + "end");
  opened(env, &leveldb::Env::NewAppendableFile, "/file")->Append("!");
  EXPECT_TRUE(world().fs().read_file("/file").ends_with("end!"));
  opened(env, &leveldb::Env::NewWritableFile, "/file");
  EXPECT_EQ(world().fs().read_file("/file"), "");
  co_return;
}

CO_TEST(LevelDbEnvTest, MakesDurableWhatIsSyncedAndTheNamesBeforeAManifest) {
  world().fs().crash_model(sim::strict_sync);
  leveldb_env env;
  EXPECT_TRUE(env.CreateDir("/store").ok());
  const auto file = opened(env, &leveldb::Env::NewWritableFile, "/store/1.log");
  EXPECT_TRUE(file->Append("text").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(world().fs().durable_image().tree(), "/tmp/\n");
  const auto manifest = opened(env, &leveldb::Env::NewWritableFile, "/store/MANIFEST-1");
  EXPECT_TRUE(manifest->Sync().ok());
  leveldb_env careful(names_are_synced::by_the_env);
  EXPECT_TRUE(careful.CreateDir("/other").ok());
  opened(careful, &leveldb::Env::NewWritableFile, "/other/a");
  EXPECT_TRUE(careful.RenameFile("/other/a", "/other/b").ok());
  EXPECT_EQ(world().fs().durable_image().tree(),
            "/other/\n/other/b 0 bytes\n/store/\n/store/1.log 4 bytes\n/store/MANIFEST-1 0 bytes\n/tmp/\n");
  co_return;
}

CO_TEST(LevelDbEnvTest, Reads) {
  leveldb_env env;
  world().fs().write_file("/file", "0123456789");
  std::array<char, 4> scratch;
  leveldb::Slice found;
  const auto file = opened(env, &leveldb::Env::NewSequentialFile, "/file");
  EXPECT_TRUE(file->Read(4, &found, scratch.data()).ok());
  EXPECT_EQ(found.ToString(), "0123");
  EXPECT_TRUE(file->Skip(3).ok());
  EXPECT_TRUE(file->Read(4, &found, scratch.data()).ok());
  EXPECT_EQ(found.ToString(), "789");
  const auto anywhere = opened(env, &leveldb::Env::NewRandomAccessFile, "/file");
  EXPECT_TRUE(anywhere->Read(8, 4, &found, scratch.data()).ok());
  EXPECT_EQ(found.ToString(), "89");
  co_return;
}

CO_TEST(LevelDbEnvTest, TellsOfFilesAndChangesTheirNames) {
  leveldb_env env;
  world().fs().write_file("/folder/file", "text");
  std::uint64_t bytes = 0;
  EXPECT_TRUE(env.GetFileSize("/folder/file", &bytes).ok());
  EXPECT_EQ(bytes, 4u);
  EXPECT_TRUE(env.FileExists("/folder/file"));
  EXPECT_TRUE(env.RenameFile("/folder/file", "/folder/other").ok());
  EXPECT_FALSE(env.FileExists("/folder/file"));
  std::vector<std::string> names;
  EXPECT_TRUE(env.GetChildren("/folder", &names).ok());
  EXPECT_THAT(names, UnorderedElementsAre(".", "..", "other"));
  EXPECT_FALSE(env.RemoveDir("/folder").ok());
  EXPECT_TRUE(env.RemoveFile("/folder/other").ok());
  EXPECT_TRUE(env.RemoveDir("/folder").ok());
  leveldb::SequentialFile* none = nullptr;
  EXPECT_TRUE(env.NewSequentialFile("/folder/other", &none).IsNotFound());
  std::string folder;
  EXPECT_TRUE(env.GetTestDirectory(&folder).ok());
  EXPECT_TRUE(env.FileExists(folder));
  co_return;
}

CO_TEST(LevelDbEnvTest, LocksAFileOnce) {
  leveldb_env env;
  leveldb::FileLock* lock = nullptr;
  leveldb::FileLock* second = nullptr;
  EXPECT_TRUE(env.LockFile("/LOCK", &lock).ok());
  EXPECT_TRUE(env.LockFile("/LOCK", &second).IsIOError());
  EXPECT_EQ(second, nullptr);
  EXPECT_TRUE(env.UnlockFile(lock).ok());
  EXPECT_TRUE(env.LockFile("/LOCK", &lock).ok());
  EXPECT_TRUE(env.UnlockFile(lock).ok());
  co_return;
}

// As leveldb::Log(), which Debian's library keeps to itself.
[[gnu::format(printf, 2, 3)]] void tell(leveldb::Logger& messages, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  messages.Logv(format, arguments);
  va_end(arguments);
}

CO_TEST(LevelDbEnvTest, HasVirtualTimeWhichItsMessagesBeginWith) {
  leveldb_env env;
  co_await sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(env.NowMicros(), 5'000u);
  const auto messages = opened(env, &leveldb::Env::NewLogger, "/LOG");
  tell(*messages, "%d of %d", 1, 2);
  EXPECT_EQ(world().fs().read_file("/LOG"), "5000 1 of 2\n");
}

void count(void* number) { ++*static_cast<int*>(number); }

CO_TEST(LevelDbEnvTest, DoesWorkWhileItSleeps) {
  leveldb_env env;
  int done = 0;
  env.Schedule(count, &done);
  env.StartThread(count, &done);
  env.SleepForMicroseconds(1);
  EXPECT_EQ(done, 1);
  co_await settle();
  EXPECT_EQ(done, 2);
}

CO_TEST(LevelDbEnvTest, PassesErrorsOn) {
  leveldb_env env;
  const auto file = opened(env, &leveldb::Env::NewWritableFile, "/file");
  const auto full = on(op::file_write).fail(ENOSPC);
  EXPECT_TRUE(file->Append("text").ok());
  const Status failed = file->Flush();
  EXPECT_TRUE(failed.IsIOError());
  EXPECT_THAT(failed.ToString(), HasSubstr("No space left on device"));
  EXPECT_TRUE(file->Flush().ok());  // as with LevelDB's own, what could not be written is forgotten
  EXPECT_EQ(world().fs().read_file("/file"), "");
  co_return;
}

}  // namespace
}  // namespace stored
