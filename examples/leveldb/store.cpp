#include "store.hpp"

#include <leveldb/options.h>

namespace stored {

namespace {

class no_messages final : public leveldb::Logger {
  void Logv(const char*, std::va_list) override {}
};

leveldb::DB* open(leveldb_env& env, leveldb::Logger& messages, bool paranoid, leveldb::Status& opened) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = paranoid;
  options.write_buffer_size = 1;  // it takes the least there is
  options.compression = leveldb::kNoCompression;
  options.env = &env;
  options.info_log = &messages;
  leveldb::DB* made = nullptr;
  opened = leveldb::DB::Open(options, "/store", &made);
  return made;
}

}  // namespace

store::store(const store_options& how, lockstep::system_calls& system)
    : env_(how.names, system), no_messages_(new no_messages), db_(open(env_, *no_messages_, how.paranoid, opened_)) {}

bool store::has_table() const {
  for (int level = 0; level < 7; ++level) {
    std::string tables;
    db_->GetProperty("leveldb.num-files-at-level" + std::to_string(level), &tables);
    if (tables != "0") return true;
  }
  return false;
}

std::string history::value_of(std::size_t number, std::size_t bytes) {
  return std::string(bytes, static_cast<char>('a' + number % 26));
}

void history::put(const store& into, std::size_t bytes, bool synced) {
  const std::size_t number = puts_.size();
  puts_.push_back({bytes, synced, false});
  leveldb::WriteOptions how;
  how.sync = synced;
  const leveldb::Status status = into.db().Put(how, key_of(number), value_of(number, bytes));
  puts_.back().acknowledged = status.ok();
}

std::string history::broken(const store& in) const {
  if (!in.opened().ok()) return "it cannot be opened: " + in.opened().ToString();
  std::string missing;
  std::string value;
  for (std::size_t number = 0; number < puts_.size(); ++number) {
    const one_put& made = puts_[number];
    const leveldb::Status got = in.db().Get({}, key_of(number), &value);
    if (got.IsNotFound()) {
      if (made.synced && made.acknowledged) return key_of(number) + " is missing, which was synced";
      if (missing.empty() && made.acknowledged) missing = key_of(number);
    } else if (!got.ok()) {
      return key_of(number) + " cannot be read: " + got.ToString();
    } else if (value != value_of(number, made.bytes)) {
      return key_of(number) + " has another value";
    } else if (!missing.empty()) {
      return missing + " is missing, while " + key_of(number) + " is there" + (made.synced ? ", which was synced" : "");
    }
  }
  return "";
}

}  // namespace stored
