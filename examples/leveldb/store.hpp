// What the tests of LevelDB put and look for: a store, the puts that a workload makes, and what must be left of them.
#pragma once

#include "leveldb_env.hpp"

#include <lockstep/system/current.hpp>

#include <leveldb/db.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace stored {

struct store_options {
  names_are_synced names = names_are_synced::by_the_file_system;
  bool paranoid = true;  // it is not opened if anything in it is not as it was written
};

// A store in the folder "/store", which is made; with the smallest memory there is for what was put, 64 KiB, after
// which a new log begins. Lifetime: that of a task of the host.
class store {
 public:
  // Writes no LOG, as nothing is promised of that.
  explicit store(const store_options& how = {}, lockstep::system_calls& system = lockstep::current_system());

  const leveldb::Status& opened() const noexcept { return opened_; }
  leveldb::DB& db() const noexcept { return *db_; }
  // Whether there is a table of what was put, so that background work was done.
  bool has_table() const;
  background_work& background() noexcept { return env_.work(); }

 private:
  leveldb_env env_;
  std::unique_ptr<leveldb::Logger> no_messages_;
  leveldb::Status opened_;
  std::unique_ptr<leveldb::DB> db_;
};

// The puts of a workload, as far as they were acknowledged, in their order.
class history {
 public:
  // Puts a value of that size under a key of its own.
  void put(const store& into, std::size_t bytes, bool synced);
  // What of the promises does not hold in the store: "" if all do. They are that each synced put is there, and that no
  // put is missing while a later one is there.
  std::string broken(const store& in) const;

 private:
  struct one_put {
    std::size_t bytes;
    bool synced;
    bool acknowledged;
  };

  static std::string key_of(std::size_t number) { return "put " + std::to_string(number + 1); }
  static std::string value_of(std::size_t number, std::size_t bytes);

  std::vector<one_put> puts_;
};

}  // namespace stored
