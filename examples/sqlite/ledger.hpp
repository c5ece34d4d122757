// A ledger in a SQLite database: entries, and the balance that is their sum. Knows nothing of simulations.
#pragma once

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

struct sqlite3;

namespace bookkeeping {

struct ledger_options {
  std::string file = "/ledger.db";
  std::string journal = "DELETE";    // a value of PRAGMA journal_mode
  std::string synchronous = "FULL";  // of PRAGMA synchronous
  int page_bytes = 1024;             // of a new file
  int checkpoint_pages = 8;          // in the write-ahead log before they are put into the file
};

class ledger_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ledger {
 public:
  // Opens the file, and makes it if there is none. Throws ledger_error, as every call here.
  explicit ledger(const ledger_options& how);
  ~ledger();
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  // One transaction: the entry, with a text of its own, and the balance. When it returns, they are promised.
  void enter(int number);
  // The numbers of all entries.
  std::set<int> entries();
  // "ok", or what is wrong with the file or the books.
  std::string audit();

 private:
  void run(const char* sql);
  std::string text_of(const char* sql);

  sqlite3* file_ = nullptr;
};

}  // namespace bookkeeping
